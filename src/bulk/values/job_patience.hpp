#pragma once
/// How long an accepted, paid job is asked for, and what then: pure.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <vembed/core/failure.hpp>
#include <vembed/core/time.hpp>
#include <vembed/verify/offline_check.hpp>

#include "bulk/values/reaction.hpp"

namespace vembed::bulk {

enum class look_stage : std::uint8_t { settling, fetching };

/// What a look at an accepted job that brought no rows says.
enum class job_fault : std::uint8_t {
    passing,    ///< Something on the way, or a service that is down or busy: minutes of patience.
    not_yet,    ///< A service that does not know its own job yet, or a proxy that answered in its place.
    contract,   ///< A complete response that breaks the contract.
    unproved,   ///< A check failed.
    last_word,  ///< About the job itself, the key, the caller or this machine.
};

/// Whether a job's checks say that its results do not list all of its rows.
bool ranges_incomplete(const std::vector<offline_check>& checks);

/// `results_incomplete`: the results that were seen do not list all rows of the job.
job_fault fault_of(const failure& why, look_stage stage, bool results_incomplete) noexcept;

/// Looked at once more, or not.
class next_look {
public:
    std::optional<std::chrono::milliseconds> after;  ///< Empty: the asking ends with `reaction`.
    job_reaction reaction = job_reaction::leave;

    next_look() = default;
};

/// What a fault that lasts may lead to.
enum class job_standing : std::uint8_t {
    fresh,         ///< A later run looks at it again.
    old,           ///< Of an earlier process, submitted at least job_patience::age_of_lost_min ago.
    unjournalled,  ///< Nobody looks at it again.
};

/// The looks at one job by one process.
class job_patience {
public:
    /// A job that the service does not know, asked for its state, is lost, and rows that fail a check are given up,
    /// only by a run that found the job in its journal and only this long after its submission.
    static constexpr std::chrono::minutes age_of_lost_min{10};
    /// The same fault in a complete response as often as that is the service's, not the way's.
    static constexpr std::uint32_t same_fault_max = 2;

    /// `visible_within`: how long a service may need to know everywhere what it has said itself.
    job_patience(std::chrono::milliseconds visible_within, job_standing standing)
        : visible_within_(visible_within), standing_(standing) {}

    /// After a look that ended with `why` at `now`. `random_bits` spreads the waits.
    next_look after(const failure& why, look_stage stage, bool results_incomplete, monotonic_time now,
                    std::uint64_t random_bits);

private:
    next_look after_not_yet(const failure& why, look_stage stage, bool results_incomplete, monotonic_time now,
                            std::uint64_t random_bits);
    next_look after_contract(const failure& why, std::uint64_t random_bits);
    [[nodiscard]] job_reaction without_proof() const noexcept;

    std::chrono::milliseconds visible_within_;
    job_standing standing_;
    std::uint32_t passing_ = 0;
    std::uint32_t not_yet_ = 0;
    std::uint32_t contract_ = 0;
    std::uint32_t unproved_ = 0;
    std::optional<monotonic_time> not_yet_since_;
    std::string last_contract_fault_;
    std::uint32_t same_contract_fault_ = 0;
};

}  // namespace vembed::bulk
