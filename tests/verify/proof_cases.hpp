#pragma once
/// Random row proofs, whole and damaged, for the checks that are compared with each other.

#include <random>
#include <string>

#include <vembed/verify/row_proof.hpp>
#include <vembed/verify/row_root.hpp>

#include "verify/issued_job.hpp"

namespace vembed::testing_support {

class proof_maker {
public:
    explicit proof_maker(std::uint64_t seed) : random_(seed) {}

    /// A proof in which nothing is false: any scheme, 1 to 5000 rows, with part two or without.
    row_proof make();

    /// Whether it can be verified by who knows nothing of the account: all its trees keep data and nodes apart.
    static bool keeps_apart(const row_proof& proof);

    /// The same text with something changed: mostly so that it no longer holds.
    std::string damage(const row_proof& proof);

    /// A number below `end`.
    std::uint64_t below(std::uint64_t end) { return random_() % end; }

private:
    digest any_digest();
    void put_into_folder(row_part& row);
    platform_part platform_of(const issued_job& job, std::uint64_t row_in_job);

    void change_value(boost::json::value& value);
    void change_field(boost::json::object& receipt, boost::json::object& platform);
    boost::json::value other_type(const boost::json::value& value);
    std::string changed_text(const std::string& text);
    void change_list(boost::json::array& list);
    void change_members(boost::json::object& object);
    boost::json::value& pick(boost::json::value& root);
    std::string with_text_damage(std::string text);

    std::mt19937_64 random_;
};

}  // namespace vembed::testing_support
