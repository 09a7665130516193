#pragma once
/// @file
/// The client: every operation of the service, as an awaitable or with any completion token.

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>

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

namespace vembed {

class client;

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

/// The state of a client, for operations of modules above it.
std::shared_ptr<client_core> core_of(const client& of) noexcept;

template <class T>
using completion = asio::any_completion_handler<void(result<T>)>;

/// An operation that was described but not started. Its copies are the same operation: one of them is started, once.
template <class T>
class operation {
public:
    using body = std::function<asio::awaitable<result<T>>(std::shared_ptr<client_core>, monotonic_time)>;

    body run;
    std::chrono::milliseconds default_timeout{120'000};  ///< Zero: none.

    operation() = default;
    explicit operation(body what) : run(std::move(what)), begun_(std::make_shared<std::atomic<bool>>(false)) {}

    /// Claims the start. False if it was claimed before, or there is nothing to start.
    [[nodiscard]] bool take_start() const noexcept { return begun_ && !begun_->exchange(true); }

private:
    std::shared_ptr<std::atomic<bool>> begun_;
};

/// Starts an operation on the client's executor; the handler is called on its own executor.
template <class T>
void launch(std::shared_ptr<client_core> core, operation<T> what, call_options options, completion<T> handler);

struct initiate_operation {
    template <class Handler, class T>
    void operator()(Handler handler, std::shared_ptr<client_core> core, operation<T> what, call_options options) const {
        launch<T>(std::move(core), std::move(what), std::move(options), completion<T>(std::move(handler)));
    }
};

}  // namespace detail

/// A client of one account.
///
/// Operations come in two forms. `co_await client.x(…)` completes on the awaiting coroutine's executor.
/// `client.async_x(…, token)` takes any completion token for void(result<T>): a callback, asio::use_future, a deferred
/// operation. blocking_client is the third form. All operations
///   - may be started from any thread, and run on the client's executor: the one it was given if that is a strand, else
///     a strand on it, so that any number of threads may run the context;
///   - may be started once each: a deferred operation that is started again, or a copy of it, is invalid_argument and
///     sends nothing;
///   - are invalid_argument in a child of the process that made the client (fork): make a client in the child;
///   - end with timeout when call_options::timeout has passed, with cancelled when call_options::stop is requested
///     or their awaiting coroutine's (or token's) cancellation slot is emitted with terminal cancellation; a POST that
///     was on its way by then, and must not be repeated, may end with outcome_unknown instead;
///   - share one throttle, one gate that honours Retry-After for all of them, and one pool of connections.
///
/// Destroying the client cancels what is outstanding: each operation completes with cancelled, as its executor runs.
/// Destroying the executor's context before they have completed waits for the blocking work under way (a row being
/// read, a file being written) and then drops them: their handlers are never called.
///
/// If a callback throws, an exception of the log hook is dropped; one of a source, sink or progress callback ends its
/// operation with callback_failed, and other operations go on. An exception from a completion handler leaves through
/// the handler's own executor.
///
/// Errors common to all: invalid_argument, unauthorized, rate_limited, too_many_inflight, service_busy (if the
/// service's Retry-After reaches past the deadline), network, protocol, response_too_large, api, timeout, cancelled.
class client {
public:
    /// Reads the key, the base URL and the certificate authorities; sends nothing. Throws what make() would return.
    explicit client(asio::any_io_executor executor, client_options options = {});

    /// Like the constructor, without exceptions. unauthorized if the key is missing or malformed, invalid_argument if
    /// the URL or an option is refused.
    static result<client> make(asio::any_io_executor executor, client_options options = {});

    client(client&&) noexcept = default;
    client& operator=(client&&) noexcept;
    ~client();

    /// Embeds texts (at least one; each 1 byte to 64 KB of UTF-8): submits, waits until settled, fetches the output,
    /// the receipt and the service's verification of it. More than one job's worth is split into several jobs that run
    /// at once. The gate admits these jobs ahead of bulk runs.
    ///
    /// Errors besides the common ones: quota_exceeded, trial_expired, unknown_model, job_failed (failed_chunks),
    /// job_refunded, outcome_unknown (a job may exist and be charged; nothing was sent twice), verification_failed (the
    /// matrix is withheld; receipt_id, checks and errors say why). With several jobs the first error ends all. Jobs
    /// already accepted go on at the service after an error or a cancellation; error::job_id names the one concerned.
    asio::awaitable<result<embeddings>> embed(std::string model, input_texts texts, call_options options = {});
    /// Embeds the texts of a request of either form.
    asio::awaitable<result<embeddings>> embed(job_request request, call_options options = {});

    /// Embeds a corpus through many concurrent jobs, in bounded memory; row i of the sink is row i of the source.
    /// `source` and `sink` must outlive the operation. Ends early, with a report that says why, if the quota is used
    /// up, the service stays busy, options.stop is requested, or batches are parked; fails if nothing can go on:
    /// unauthorized, trial_expired, invalid_request, io, folder_mismatch, journal_damaged, callback_failed, cancelled.
    asio::awaitable<result<bulk_report>> embed_corpus(row_source& source, row_sink& sink, bulk_options options,
                                                      call_options call = {});

    /// Embeds a corpus whose rows have to be waited for.
    asio::awaitable<result<bulk_report>> embed_corpus(async_row_source& source, row_sink& sink, bulk_options options,
                                                      call_options call = {});

    /// Begins a bulk run whose rows are taken in their order, one by one. The source must outlive the run, see
    /// row_stream. invalid_argument if options name a journal.
    result<row_stream> stream_corpus(row_source& source, bulk_options options);

    /// POST /jobs: 1 to 1000 inputs. Waits for the gate. 429 and 503 are waited out and sent again while the deadline
    /// allows; a lost response is outcome_unknown, and its request is never sent again.
    asio::awaitable<result<job>> submit_job(job_request request, call_options options = {});
    /// GET /jobs/:id.
    asio::awaitable<result<job>> get_job(std::string id, call_options options = {});
    /// GET /jobs/:id/wait once: max_wait 0 to 30 s. The job may still be under way in the response.
    asio::awaitable<result<job>> wait_job(std::string id, std::chrono::seconds max_wait, call_options options = {});
    /// Waits until the job is SETTLED, by default for 600 s; job_failed, job_refunded.
    asio::awaitable<result<job>> settle_job(std::string id, call_options options = {});
    /// GET /jobs/:id/results.
    asio::awaitable<result<job_results>> get_job_results(std::string id, call_options options = {});
    /// GET /jobs/:id/output of a SETTLED job of `rows` inputs: rows × dimensions. Nothing is verified but its shape.
    asio::awaitable<result<job_output>> get_job_output(std::string id, std::uint64_t rows, call_options options = {});
    /// GET /receipts/:id.
    asio::awaitable<result<receipt>> get_receipt(std::string id, call_options options = {});
    /// GET /receipts/:id/verify. A response with valid:false is verification_failed with checks and errors.
    asio::awaitable<result<receipt_verification>> verify_receipt(std::string id, call_options options = {});
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
    asio::awaitable<result<attestation>> verify_outputs(std::string model, input_texts texts,
                                                        const Eigen::Ref<const matrix>& rows,
                                                        call_options options = {});
    /// Has outputs attested for a request of either form.
    asio::awaitable<result<attestation>> verify_outputs(job_request request, const Eigen::Ref<const matrix>& rows,
                                                        call_options options = {});
    /// POST /verify as it is, for outputs that are not at hand: `claimed_output_commitment` is the SHA-256 of their
    /// bytes in 64 hex digits, see commitment(). The receipt is not checked. The errors are those of the calls that
    /// take rows.
    asio::awaitable<result<receipt>> verify_outputs(job_request request, std::string claimed_output_commitment,
                                                    call_options options = {});
    /// GET /models.
    asio::awaitable<result<std::vector<model_info>>> get_models(call_options options = {});
    /// GET /account.
    asio::awaitable<result<account_info>> get_account(call_options options = {});
    /// POST /auth/keys/rotate. The client goes on with the old key. It is never sent twice: if the response is lost, a
    /// key may exist that nobody knows (outcome_unknown).
    asio::awaitable<result<rotated_key>> rotate_key(call_options options = {});
    /// POST /auth/keys/revoke; idempotent.
    asio::awaitable<result<void>> revoke_key(std::string key_id, call_options options = {});
    /// GET /health; needs no key at the service.
    asio::awaitable<result<health_info>> get_health(call_options options = {});
    /// Any request through the same key, throttle and retry. `target` is "/path?query", already encoded, below the
    /// base URL. GET is repeated on faults; POST is sent once, with `body` as JSON.
    asio::awaitable<result<raw_response>> raw(http_method method, std::string target, std::string body = {},
                                              call_options options = {});

    // The same operations with any completion token for void(result<T>).
    template <class Token>
    auto async_embed(job_request request, call_options options, Token&& token) {
        return start(prepare_embed(std::move(request)), std::move(options), std::forward<Token>(token));
    }
    template <class Token>
    auto async_embed_corpus(row_source& source, row_sink& sink, bulk_options bulk, call_options options,
                            Token&& token) {
        return start(prepare_embed_corpus(source, sink, std::move(bulk)), std::move(options),
                     std::forward<Token>(token));
    }
    template <class Token>
    auto async_embed_corpus(async_row_source& source, row_sink& sink, bulk_options bulk, call_options options,
                            Token&& token) {
        return start(prepare_embed_corpus(source, sink, std::move(bulk)), std::move(options),
                     std::forward<Token>(token));
    }
    template <class Token>
    auto async_submit_job(job_request request, call_options options, Token&& token) {
        return start(prepare_submit_job(std::move(request)), std::move(options), std::forward<Token>(token));
    }
    template <class Token>
    auto async_get_job(std::string id, call_options options, Token&& token) {
        return start(prepare_get_job(std::move(id)), std::move(options), std::forward<Token>(token));
    }
    template <class Token>
    auto async_wait_job(std::string id, std::chrono::seconds max_wait, call_options options, Token&& token) {
        return start(prepare_wait_job(std::move(id), max_wait), std::move(options), std::forward<Token>(token));
    }
    template <class Token>
    auto async_settle_job(std::string id, call_options options, Token&& token) {
        return start(prepare_settle_job(std::move(id)), std::move(options), std::forward<Token>(token));
    }
    template <class Token>
    auto async_get_job_results(std::string id, call_options options, Token&& token) {
        return start(prepare_get_job_results(std::move(id)), std::move(options), std::forward<Token>(token));
    }
    template <class Token>
    auto async_get_job_output(std::string id, std::uint64_t rows, call_options options, Token&& token) {
        return start(prepare_get_job_output(std::move(id), rows), std::move(options), std::forward<Token>(token));
    }
    template <class Token>
    auto async_get_receipt(std::string id, call_options options, Token&& token) {
        return start(prepare_get_receipt(std::move(id)), std::move(options), std::forward<Token>(token));
    }
    template <class Token>
    auto async_verify_receipt(std::string id, call_options options, Token&& token) {
        return start(prepare_verify_receipt(std::move(id)), std::move(options), std::forward<Token>(token));
    }
    template <class Token>
    auto async_verify_outputs(job_request request, std::string claimed_output_commitment, call_options options,
                              Token&& token) {
        return start(prepare_verify_outputs(std::move(request), std::move(claimed_output_commitment)),
                     std::move(options), std::forward<Token>(token));
    }
    template <class Token>
    auto async_verify_outputs(std::string model, input_texts texts, const Eigen::Ref<const matrix>& rows,
                              call_options options, Token&& token) {
        return async_verify_outputs(job_request::for_model(std::move(model), std::move(texts).get()), rows,
                                    std::move(options), std::forward<Token>(token));
    }
    template <class Token>
    auto async_verify_outputs(job_request request, const Eigen::Ref<const matrix>& rows, call_options options,
                              Token&& token) {
        return start(prepare_verify_outputs(std::move(request), rows), std::move(options), std::forward<Token>(token));
    }
    template <class Token>
    auto async_get_models(call_options options, Token&& token) {
        return start(prepare_get_models(), std::move(options), std::forward<Token>(token));
    }
    template <class Token>
    auto async_get_account(call_options options, Token&& token) {
        return start(prepare_get_account(), std::move(options), std::forward<Token>(token));
    }
    template <class Token>
    auto async_rotate_key(call_options options, Token&& token) {
        return start(prepare_rotate_key(), std::move(options), std::forward<Token>(token));
    }
    template <class Token>
    auto async_revoke_key(std::string key_id, call_options options, Token&& token) {
        return start(prepare_revoke_key(std::move(key_id)), std::move(options), std::forward<Token>(token));
    }
    template <class Token>
    auto async_get_health(call_options options, Token&& token) {
        return start(prepare_get_health(), std::move(options), std::forward<Token>(token));
    }
    template <class Token>
    auto async_raw(http_method method, std::string target, std::string body, call_options options, Token&& token) {
        return start(prepare_raw(method, std::move(target), std::move(body)), std::move(options),
                     std::forward<Token>(token));
    }

    [[nodiscard]] asio::any_io_executor get_executor() const noexcept;
    /// The clocks, randomness, worker threads and log in use.
    [[nodiscard]] std::shared_ptr<environment> get_environment() const noexcept;
    /// The base URL in use.
    [[nodiscard]] std::string base_url() const;

private:
    friend std::shared_ptr<detail::client_core> detail::core_of(const client& of) noexcept;
    explicit client(std::shared_ptr<detail::client_core> core) noexcept;

    template <class T, class Token>
    auto start(detail::operation<T> what, call_options options, Token&& token) {
        return asio::async_initiate<Token, void(result<T>)>(detail::initiate_operation(), token, core_, std::move(what),
                                                            std::move(options));
    }

    static detail::operation<embeddings> prepare_embed(job_request request);
    static detail::operation<bulk_report> prepare_embed_corpus(row_source& source, row_sink& sink, bulk_options bulk);
    static detail::operation<bulk_report> prepare_embed_corpus(async_row_source& source, row_sink& sink,
                                                               bulk_options bulk);
    static detail::operation<job> prepare_submit_job(job_request request);
    static detail::operation<job> prepare_get_job(std::string id);
    static detail::operation<job> prepare_wait_job(std::string id, std::chrono::seconds max_wait);
    static detail::operation<job> prepare_settle_job(std::string id);
    static detail::operation<job_results> prepare_get_job_results(std::string id);
    static detail::operation<job_output> prepare_get_job_output(std::string id, std::uint64_t rows);
    static detail::operation<receipt> prepare_get_receipt(std::string id);
    static detail::operation<receipt_verification> prepare_verify_receipt(std::string id);
    static detail::operation<receipt> prepare_verify_outputs(job_request request, std::string commitment);
    static detail::operation<attestation> prepare_verify_outputs(job_request request,
                                                                 const Eigen::Ref<const matrix>& rows);
    static detail::operation<std::vector<model_info>> prepare_get_models();
    static detail::operation<account_info> prepare_get_account();
    static detail::operation<rotated_key> prepare_rotate_key();
    static detail::operation<void> prepare_revoke_key(std::string key_id);
    static detail::operation<health_info> prepare_get_health();
    static detail::operation<raw_response> prepare_raw(http_method method, std::string target, std::string body);

    std::shared_ptr<detail::client_core> core_;
};

}  // namespace vembed
