#pragma once
/// Computes what buying a corpus' rows takes of an account, at a given chunk size. Pure.

#include <cstdint>
#include <string>
#include <vector>

#include <vembed/core/time.hpp>
#include <vembed/cyberian/types.hpp>
#include <vembed/plan/plan_corpus.hpp>

#include "policy/packing/packing.hpp"
#include "policy/quota/forecast.hpp"

namespace vembed::plan {

/// Packs rows as a run does and counts what that makes. Memory is bounded by the largest job.
class purchase_counter {
public:
    explicit purchase_counter(policy::packing_limits limits) : limits_(limits) {}

    /// The next row's text has `bytes` bytes.
    void add(std::uint64_t bytes);

    /// No more rows will come.
    void finish();

    [[nodiscard]] const policy::packing_limits& limits() const noexcept { return limits_; }
    [[nodiscard]] std::uint64_t rows() const noexcept { return rows_; }
    [[nodiscard]] std::uint64_t jobs() const noexcept { return jobs_; }
    [[nodiscard]] std::uint64_t chunks() const noexcept { return chunks_; }

private:
    void take(bool ended);

    policy::packing_limits limits_;
    std::vector<std::uint64_t> sizes_;  ///< Sizes of the rows that are in no job yet.
    std::uint64_t bytes_ = 0;
    std::uint64_t rows_ = 0;
    std::uint64_t jobs_ = 0;
    std::uint64_t chunks_ = 0;
};

/// What one job may hold: `rows_per_job` and the account's own limits. rows_per_chunk is 0 if it is not known.
policy::packing_limits packing_limits_of(std::uint64_t rows_per_job, std::uint64_t rows_per_chunk,
                                         const account_limits& limits);

/// The account's limits and its use of them. The day's use is not in /account and counts as none.
policy::forecast_input forecast_input_of(const account_info& account, wall_time now);

/// `rows_wanted` counts the rows of the corpus, duplicates included. `rows_per_job` is the number that was asked for.
purchase purchase_of(const purchase_counter& counted, std::uint64_t rows_wanted, std::uint64_t rows_per_job);

/// The purchase as lines for a person. `account` is null if no account was asked.
std::vector<std::string> describe_purchase(const purchase& of, const account_info* account, wall_time now);

}  // namespace vembed::plan
