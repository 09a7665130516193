#pragma once
/// What the bulk engine needs of a service: jobs in, rows out. The client adapts each api to it.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include <vembed/bulk/options.hpp>
#include <vembed/bulk/sink.hpp>
#include <vembed/core/result.hpp>
#include <vembed/core/time.hpp>

namespace vembed::bulk {

namespace asio = boost::asio;

class submitted_job {
public:
    std::string id;
    std::uint64_t chunks = 0;

    submitted_job() = default;
};

/// A settled job's output: verified as asked, whole, and in memory.
class fetched_job {
public:
    std::vector<float> values;  ///< rows × dimensions, row-major.
    std::uint64_t dimensions = 0;
    std::uint64_t chunks_sampled = 0;
    batch_proof proof;  ///< batch and indices are the engine's to fill.

    fetched_job() = default;
};

/// What the account allows in one job.
class job_limits {
public:
    std::uint64_t max_inputs = 1000;
    std::optional<std::uint64_t> max_chunks_per_request;

    job_limits() = default;
};

class job_backend {
public:
    job_backend() = default;
    job_backend(const job_backend&) = delete;
    job_backend& operator=(const job_backend&) = delete;
    virtual ~job_backend() = default;

    virtual asio::awaitable<result<job_limits>> limits(monotonic_time deadline) = 0;

    /// Waits for the account's gate, then sends the job once. outcome_unknown where it was sent and not answered.
    virtual asio::awaitable<result<submitted_job>> submit(std::shared_ptr<const std::vector<std::string>> texts,
                                                          monotonic_time deadline) = 0;

    /// Waits until the job is SETTLED. job_failed, job_refunded, timeout otherwise.
    virtual asio::awaitable<result<void>> settle(std::string job_id, monotonic_time deadline) = 0;

    /// Fetches output and proof of a settled job together and checks them. `values` may be handed in to be reused.
    virtual asio::awaitable<result<fetched_job>> fetch(std::string job_id, std::uint64_t rows, verify_level level,
                                                       std::vector<float> values, monotonic_time deadline) = 0;

    /// Chunks that a job of `rows` rows will probably take.
    [[nodiscard]] virtual std::uint64_t estimate_chunks(std::uint64_t rows) const = 0;

    /// The most chunks that such a job can take.
    [[nodiscard]] virtual std::uint64_t chunks_at_most(std::uint64_t rows) const = 0;

    /// Makes submissions that still wait for the gate, and all later ones, fail with cancelled. What was sent goes on.
    virtual void stop_submitting() = 0;

    /// How long and how often the account's gate was closed so far, and what holds submissions back now.
    virtual void describe_gate(progress& into) const = 0;
};

}  // namespace vembed::bulk
