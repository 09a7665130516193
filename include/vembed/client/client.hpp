#pragma once
/// @file
/// The client and its operations: every endpoint of the service.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include <Eigen/Core>

#include <vembed/bulk/options.hpp>
#include <vembed/bulk/sink.hpp>
#include <vembed/client/attestation.hpp>
#include <vembed/client/input_texts.hpp>
#include <vembed/client/options.hpp>
#include <vembed/client/row_stream.hpp>
#include <vembed/core/result.hpp>
#include <vembed/corpus/async_source.hpp>
#include <vembed/corpus/source.hpp>
#include <vembed/cyberian/types.hpp>
#include <vembed/operation/operation.hpp>

namespace vembed {

/// A response to client::raw().
class raw_response {
public:
    int status = 0;
    std::vector<header_field> headers;
    std::string body;

    raw_response() = default;
};

namespace detail {
class client_core;
class core_access;
}  // namespace detail

/// The operations of the service, each declared once for both clients: client has operations<operation>, whose members
/// return operation<T>; blocking_client has operations<result>, whose members return result<T> once it is there.
///
/// All operations
///   - take their arguments, such as a block of a matrix, before the call returns;
///   - end with timeout when call_options::timeout has passed, with cancelled when call_options::stop is requested;
///   - are invalid_argument in a child of the process that made the client (fork): make a client in the child;
///   - share one throttle, one gate that honours Retry-After for all of them, and one pool of connections.
///
/// Errors common to all: invalid_argument, unauthorized, rate_limited, too_many_inflight, service_busy (if the
/// service's Retry-After reaches past the deadline), network, protocol, response_too_large, api, timeout, cancelled.
template <template <class> class Returns>
class operations {
public:
    /// Embeds texts (at least one; each 1 byte to 64 KB of UTF-8): submits, waits until settled, fetches the output,
    /// the receipt and the service's verification of it. More than one job's worth is split into several jobs that run
    /// at once. The gate admits these jobs ahead of bulk runs.
    ///
    /// Errors besides the common ones: quota_exceeded, trial_expired, unknown_model, job_failed (failed_chunks),
    /// job_refunded, outcome_unknown (a job may exist and be charged; nothing was sent twice), verification_failed (the
    /// matrix is withheld; receipt_id, checks and errors say why). With several jobs the first error ends all. Jobs
    /// already accepted go on at the service after an error or a cancellation; error::job_id names the one concerned.
    Returns<embeddings> embed(std::string model, input_texts texts, call_options options = {});
    /// Embeds the texts of a request of either form.
    Returns<embeddings> embed(job_request request, call_options options = {});

    /// Embeds a corpus through many concurrent jobs, in bounded memory; row i of the sink is row i of the source.
    /// `source` and `sink` must outlive the operation. Ends early, with a report that says why, if the quota is used
    /// up, the service stays busy, options.stop is requested, or batches are parked; fails if nothing can go on:
    /// unauthorized, trial_expired, invalid_request, io, folder_mismatch, journal_damaged, callback_failed, cancelled.
    Returns<bulk_report> embed_corpus(row_source& source, row_sink& sink, bulk_options options, call_options call = {});

    /// Embeds a corpus whose rows have to be waited for.
    Returns<bulk_report> embed_corpus(async_row_source& source, row_sink& sink, bulk_options options,
                                      call_options call = {});

    /// POST /jobs: 1 to 1000 inputs. Waits for the gate. 429 and 503 are waited out and sent again while the deadline
    /// allows; a lost response is outcome_unknown, and its request is never sent again.
    Returns<job> submit_job(job_request request, call_options options = {});
    /// GET /jobs/:id.
    Returns<job> get_job(std::string id, call_options options = {});
    /// GET /jobs/:id/wait once: max_wait 0 to 30 s. The job may still be under way in the response.
    Returns<job> wait_job(std::string id, std::chrono::seconds max_wait, call_options options = {});
    /// Waits until the job is SETTLED, by default for 600 s; job_failed, job_refunded.
    Returns<job> settle_job(std::string id, call_options options = {});
    /// GET /jobs/:id/results.
    Returns<job_results> get_job_results(std::string id, call_options options = {});
    /// GET /jobs/:id/output of a SETTLED job of `rows` inputs: rows × dimensions. Nothing is verified but its shape.
    Returns<job_output> get_job_output(std::string id, std::uint64_t rows, call_options options = {});
    /// GET /receipts/:id.
    Returns<receipt> get_receipt(std::string id, call_options options = {});
    /// GET /receipts/:id/verify. A response with valid:false is verification_failed with checks and errors.
    Returns<receipt_verification> verify_receipt(std::string id, call_options options = {});
    /// Has outputs of the caller's own attested (POST /verify): row i of `rows` is claimed to be what the model gives
    /// for text i. The service runs the texts itself, blocks until that is done and issues a receipt, which is checked
    /// here as far as that goes. Takes a block of a row-major matrix without copying; `rows` is read before the call
    /// returns. One request: 1 to 1000 texts, and the service may take no more than one chunk at once. Waits for 600 s
    /// by default.
    ///
    /// Nothing is sent if the claim cannot be right: invalid_argument for another number of rows than of texts, or a
    /// number that is not finite; request_too_large for more rows than the chunk_size of a specification. Errors
    /// besides the common ones: verification_failed (with the reason and the job if the service found something else;
    /// with checks and the receipt in raw_body if its receipt does not hold), verification_timeout (it may be asked for
    /// again, and be charged again), request_too_large (send fewer rows), quota_exceeded, trial_expired, unknown_model,
    /// outcome_unknown. 429 and 503 are waited out as with submit_job; after a lost response nothing is sent again.
    Returns<attestation> verify_outputs(std::string model, input_texts texts, const Eigen::Ref<const matrix>& rows,
                                        call_options options = {});
    /// Has outputs attested for a request of either form.
    Returns<attestation> verify_outputs(job_request request, const Eigen::Ref<const matrix>& rows,
                                        call_options options = {});
    /// POST /verify as it is, for outputs that are not at hand: `claimed_output_commitment` is the SHA-256 of their
    /// bytes in 64 hex digits, see commitment(). The receipt is not checked. The errors are those of the calls that
    /// take rows.
    Returns<receipt> verify_outputs(job_request request, std::string claimed_output_commitment,
                                    call_options options = {});
    /// GET /models.
    Returns<std::vector<model_info>> get_models(call_options options = {});
    /// GET /account.
    Returns<account_info> get_account(call_options options = {});
    /// POST /auth/keys/rotate. The client goes on with the old key. It is never sent twice: if the response is lost, a
    /// key may exist that nobody knows (outcome_unknown).
    Returns<rotated_key> rotate_key(call_options options = {});
    /// POST /auth/keys/revoke; idempotent.
    Returns<void> revoke_key(std::string key_id, call_options options = {});
    /// GET /health; needs no key at the service.
    Returns<health_info> get_health(call_options options = {});
    /// Any request through the same key, throttle and retry. `target` is "/path?query", already encoded, below the
    /// base URL. GET is repeated on faults; anything else is sent once, with `body` as JSON.
    Returns<raw_response> raw(http_method method, std::string target, std::string body = {}, call_options options = {});

    /// The base URL in use.
    [[nodiscard]] std::string base_url() const;

protected:
    friend class detail::core_access;
    explicit operations(std::shared_ptr<detail::client_core> core) noexcept : core_(std::move(core)) {}
    operations(operations&&) noexcept = default;
    operations& operator=(operations&&) noexcept = default;
    ~operations() = default;

    std::shared_ptr<detail::client_core> core_;
};

/// A client of one account, for programs with an event loop. `co_await client.x(…)` completes on the awaiting
/// coroutine's executor; `client.x(…).start(token)` takes any completion token, see operation.
///
///     asio::io_context loop;
///     vembed::client client(loop.get_executor());
///
/// \par Thread safety
/// Operations may be made and started from any thread. They run on the client's executor: the one it was given if that
/// is a strand, else a strand on it, so that any number of threads may run the context.
///
/// \par Lifetimes
/// Destroying the client cancels what is outstanding: each operation completes with cancelled, as its executor runs.
/// Destroying the executor's context before they have completed waits for the blocking work under way (a row being
/// read, a file being written) and then drops them: their handlers are never called.
///
/// \par Exceptions
/// If a callback throws, an exception of the log hook is dropped; one of a source, sink or progress callback ends its
/// operation with callback_failed, and other operations go on. An exception from a completion handler leaves through
/// the handler's own executor.
class client : public operations<operation> {
public:
    /// Reads the key, the base URL and the certificate authorities; sends nothing. Throws what make() would return.
    explicit client(asio::any_io_executor executor, client_options options = {});

    /// Like the constructor, without exceptions. unauthorized if the key is missing or malformed, invalid_argument if
    /// the URL or an option is refused.
    static result<client> make(asio::any_io_executor executor, client_options options = {});

    client(client&&) noexcept = default;
    client& operator=(client&&) noexcept;
    ~client();

    /// Begins a bulk run whose rows are taken in their order, one by one. The source must outlive the run, see
    /// row_stream. invalid_argument if options name a journal.
    result<row_stream> stream_corpus(row_source& source, bulk_options options);

    [[nodiscard]] asio::any_io_executor get_executor() const noexcept;

private:
    friend class blocking_client;
    explicit client(std::shared_ptr<detail::client_core> core) noexcept;
};

}  // namespace vembed
