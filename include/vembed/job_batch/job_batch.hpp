#pragma once
/// @file
/// Batches of jobs, one request a line, into a folder: what a run of them may do and what became of it.

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <vembed/core/error.hpp>

namespace vembed {

/// A request that was sent and of which nobody knows whether it made a job. It is not sent again.
class job_in_doubt {
public:
    std::uint64_t line = 0;  ///< Of the requests' file, from 1.
    std::string why;         ///< A sentence, which names the jobs that may be it.

    job_in_doubt() = default;
    job_in_doubt(std::uint64_t at, std::string reason) : line(at), why(std::move(reason)) {}
};

/// What a batch came to, or how far it is.
class job_batch_report {
public:
    std::uint64_t jobs = 0;       ///< Requests of the file.
    std::uint64_t done = 0;       ///< Completed, with their results in the folder.
    std::uint64_t failed = 0;     ///< Ended without a result, or refused; they are in failed.jsonl.
    std::uint64_t under_way = 0;  ///< Accepted by the service and not ended.
    std::vector<job_in_doubt> in_doubt;
    std::optional<error> ended_by;  ///< Why the run ended early; the same call goes on.

    job_batch_report() = default;

    /// Whether every request is done or has failed.
    [[nodiscard]] bool is_complete() const noexcept { return done + failed == jobs; }
};

class job_batch_options {
public:
    /// Jobs that are submitted and have not ended, at most.
    std::uint64_t jobs_at_once = 50;
    /// Called when something changed, on the client's executor. An exception ends the run with callback_failed.
    std::function<void(const job_batch_report&)> progress;
    /// Ends the run in order: nothing more is submitted, and what is known is written. Jobs go on at the service, and
    /// the same call waits for them.
    std::stop_token stop;

    job_batch_options() = default;
};

}  // namespace vembed
