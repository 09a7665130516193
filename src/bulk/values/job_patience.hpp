#pragma once
/// Decides how long an accepted, paid job is asked for, and what follows: pure.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <vembed/core/error.hpp>
#include <vembed/core/time.hpp>
#include <vembed/verify/offline_check.hpp>

#include "bulk/values/reaction.hpp"

namespace vembed::bulk {

enum class look_stage : std::uint8_t { settling, fetching };

/// What is wrong if a look at an accepted job brought no rows.
enum class job_fault : std::uint8_t {
    passing,    ///< A fault on the way, or a service that is down or busy: patience lasts minutes.
    not_yet,    ///< The service does not know its own job yet, or a proxy responded in its place.
    contract,   ///< A complete response breaks the contract.
    unproved,   ///< A check failed.
    last_word,  ///< The error is about the job itself, the key, the caller or this machine.
};

/// Whether a job's checks say that its results do not list all of its rows.
bool ranges_incomplete(const std::vector<offline_check>& checks);

/// `results_incomplete`: the results that were seen do not list all rows of the job.
job_fault fault_of(const error& why, look_stage stage, bool results_incomplete) noexcept;

/// Whether and when a job is looked at once more.
class next_look {
public:
    std::optional<std::chrono::milliseconds> after;  ///< Empty: the job is not asked for again, and `reaction` follows.
    job_reaction reaction = job_reaction::leave;

    next_look() = default;
};

/// How long a job has been known, which decides what a lasting fault may lead to.
enum class job_standing : std::uint8_t {
    fresh,         ///< A later run looks at the job again.
    old,           ///< An earlier process submitted it, at least job_patience::age_of_lost_min ago.
    unjournalled,  ///< No journal has the job, so nobody looks at it again.
};

/// The looks at one job by one process.
class job_patience {
public:
    /// Minimum age of a job before it is called lost (the service, asked for its state, does not know it) or its rows
    /// are given up (they fail a check). Only a run that found the job in its journal does either.
    static constexpr std::chrono::minutes age_of_lost_min{10};
    /// If complete responses show the same fault that often, the fault is the service's and not the connection's.
    static constexpr std::uint32_t same_fault_max = 2;

    /// `visible_within`: how long a service may need to know everywhere what it has said itself.
    job_patience(std::chrono::milliseconds visible_within, job_standing standing)
        : visible_within_(visible_within), standing_(standing) {}

    /// What follows a look that ended with `why` at `now`. `random_bits` spreads the waits.
    next_look after(const error& why, look_stage stage, bool results_incomplete, monotonic_time now,
                    std::uint64_t random_bits);

private:
    next_look after_not_yet(const error& why, look_stage stage, bool results_incomplete, monotonic_time now,
                            std::uint64_t random_bits);
    next_look after_contract(const error& why, std::uint64_t random_bits);
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
