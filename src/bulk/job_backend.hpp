#pragma once
/// The service as the bulk engine needs it: jobs in, rows out. The client adapts each api to it.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include <vembed/bulk/options.hpp>
#include <vembed/bulk/sink.hpp>
#include <vembed/core/result.hpp>
#include <vembed/core/time.hpp>

#include "admission/gate.hpp"
#include "policy/packing/packing.hpp"
#include "policy/quota/reconcile.hpp"

namespace vembed::bulk {

namespace asio = boost::asio;

class submitted_job {
public:
    std::string id;
    std::uint64_t chunks = 0;
    bool chunks_said = true;  ///< The service said `chunks`; if false, it is the most that it can be.

    submitted_job() = default;
};

/// A settled job's output: verified as asked, complete, and in memory.
class fetched_job {
public:
    std::vector<float> values;  ///< rows × dimensions, row-major.
    std::uint64_t dimensions = 0;
    std::uint64_t chunks = 0;  ///< From the results; 0 if there are none.
    std::uint64_t chunks_sampled = 0;
    std::string spec_hash;  ///< From the receipt; empty if none was fetched.
    job_evidence proof;     ///< The engine fills batch and indices.

    fetched_job() = default;
};

/// What the account allows in one job.
class job_limits {
public:
    std::uint64_t max_inputs = 1000;
    std::optional<std::uint64_t> max_chunks_per_request;
    std::uint64_t dimensions = 0;               ///< The model's dimensions; 0 if not known.
    std::uint64_t rows_per_chunk = 0;           ///< This machine remembers it; 0 if it does not.
    bool rows_per_chunk_whole = false;          ///< If false, a chunk takes at least that many.
    std::optional<std::uint64_t> jobs_at_once;  ///< The number of connections that this machine has for jobs.

    job_limits() = default;
};

class job_backend {
public:
    job_backend() = default;
    job_backend(const job_backend&) = delete;
    job_backend& operator=(const job_backend&) = delete;
    virtual ~job_backend() = default;

    virtual asio::awaitable<result<job_limits>> limits(monotonic_time deadline) = 0;

    /// Waits for the account's gate, then sends the job. Sends it again only if a try certainly had no effect. `record`
    /// is told of each try; an error of `record` is returned. The error is outcome_unknown if the job was sent and no
    /// response came.
    virtual asio::awaitable<result<submitted_job>> submit(std::shared_ptr<const std::vector<std::string>> texts,
                                                          admission::send_record* record, monotonic_time deadline) = 0;

    /// After `record` is told of a try, the last byte of the try is written within this time or never.
    [[nodiscard]] virtual std::chrono::seconds sending_max() const = 0;

    /// Waits until the job is SETTLED. Errors are job_failed, job_refunded and timeout. A response that says that the
    /// job is not known yet, or that a proxy wrote, ends the wait at once: the run has its own patience
    /// (`job_patience`).
    virtual asio::awaitable<result<void>> settle(std::string job_id, monotonic_time deadline) = 0;

    /// Fetches and checks output and proof of a settled job. `values` may be handed in to be reused. `texts` are the
    /// job's inputs. `checks` gets the checks that were made, even if fetching fails.
    virtual asio::awaitable<result<fetched_job>> fetch(std::string job_id,
                                                       std::shared_ptr<const std::vector<std::string>> texts,
                                                       verify_level level, std::vector<float> values,
                                                       std::vector<offline_check>* checks, monotonic_time deadline) = 0;

    /// Whether the job's receipt shows that the job is about those texts, in that order; false also if the receipt's
    /// scheme is not known. Fails if the service could not be asked.
    virtual asio::awaitable<result<bool>> prove_inputs(std::string job_id,
                                                       std::shared_ptr<const std::vector<input_digests>> texts,
                                                       monotonic_time deadline) = 0;

    /// Takes up a job that an earlier process submitted. It counts as in flight until settle() ends.
    virtual void take_up(const std::string& job_id, std::uint64_t chunks) = 0;

    /// The run asks for the job no longer, whatever its outcome: it must not count as in flight for ever.
    virtual void unwatch(const std::string& job_id) = 0;

    /// Looks at an accepted job's chunks to learn how many rows a chunk takes. True if the job was seen to be under way
    /// still. It is no error if the job could not be seen.
    virtual asio::awaitable<bool> look_at_chunks(std::string job_id, monotonic_time deadline) = 0;

    /// The chunks that the account has consumed in its period so far.
    virtual asio::awaitable<result<policy::account_count>> count_chunks(monotonic_time deadline) = 0;

    /// Rows that a chunk takes, as far as jobs showed: never more than it does. 0 if nothing is known.
    [[nodiscard]] virtual std::uint64_t rows_per_chunk() const = 0;
    virtual void expect_rows_per_chunk(std::uint64_t rows) = 0;

    /// Chunks that a job of `rows` rows will probably take.
    [[nodiscard]] std::uint64_t estimate_chunks(std::uint64_t rows) const {
        const std::uint64_t size = rows_per_chunk();
        return size == 0 ? 1 : policy::chunks_of(rows, size);
    }

    /// The most chunks that a job of `rows` rows can take.
    [[nodiscard]] std::uint64_t chunks_at_most(std::uint64_t rows) const {
        return policy::chunks_of(rows, rows_per_chunk());
    }

    /// Makes submissions that still wait for the gate, and all later ones, fail with cancelled. What was sent goes on.
    virtual void stop_submitting() = 0;

    /// How long and how often the account's gate was closed so far, what holds submissions back now, whether the
    /// service responds, and when the account's tier ends.
    virtual void describe_gate(progress& into) const = 0;

    /// The account, and what was learned of its receipts.
    virtual void describe_account(bulk_report& into) const = 0;
};

}  // namespace vembed::bulk
