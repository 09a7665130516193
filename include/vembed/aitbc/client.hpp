#pragma once
/// @file
/// The client of AITBC's compute jobs.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/json/value.hpp>

#include <vembed/aitbc/types.hpp>
#include <vembed/connection/options.hpp>
#include <vembed/core/result.hpp>
#include <vembed/operation/call_options.hpp>
#include <vembed/operation/operation.hpp>

namespace vembed::aitbc {

namespace detail {
class client_core;
class core_access;
}  // namespace detail

/// Variables that are read if an option is empty: AITBC_BASE_URL, AITBC_API_KEY, AITBC_CA_FILE.
class client_options : public connection_options {
public:
    /// The form of requests. Responses are read in both.
    dialect asked_in = dialect::docs;
    /// Sends the key as "Authorization: Bearer", as newer services want a client's token; else as "X-Api-Key".
    bool bearer = false;
    /// The value of X-Tenant-ID; empty: the header is not sent.
    std::string tenant;
    /// All requests together, in any sliding 60 s and 3,600 s. Empty: no limit. A request counts from its sending until
    /// the window has passed after its response.
    std::optional<std::uint64_t> calls_per_minute = 60;
    std::optional<std::uint64_t> calls_per_hour = 1000;
    /// A folder in which the calls are counted together with all other clients and processes of this machine that name
    /// the same folder and base_url: the service limits an address. Used from the first call on; if it cannot be used,
    /// that is logged (shared_quota_unavailable) and this client counts for itself. Empty: this client counts for
    /// itself.
    std::string quota_folder;

    client_options() = default;
};

/// Which jobs a list shows.
class job_filter {
public:
    std::string status;  ///< A state's word; empty: any. It is applied here too, because services ignore some.
    std::uint64_t jobs_max = 100;  ///< At most this many of the newest; each page of them is one call.

    job_filter() = default;
    explicit job_filter(std::string state, std::uint64_t most = 100) : status(std::move(state)), jobs_max(most) {}
};

/// What a completed job gave. Exactly one of `value`, `bytes` and `place` is set, or none if the job gave nothing.
class job_product {
public:
    std::optional<boost::json::value> value;  ///< Its result.
    std::optional<std::string> bytes;         ///< Its file, which is never unpacked.
    std::string content_type;                 ///< Of `bytes`, as the service says.
    std::string place;                        ///< "s3://…": where the service was told to put it. It is not fetched.
    std::optional<aitbc::receipt> receipt;    ///< If the service gave it with the result.

    job_product() = default;
};

/// Called with each state of a job that differs from the one before, on the client's executor.
using job_progress = std::function<void(const job& seen)>;

/// The operations of the service, each declared once for both clients: client returns operation<T>, blocking_client
/// result<T>. They take their arguments before the call returns, and share one pool of connections and the windows of
/// all calls. GET and cancellations are repeated on faults; a submission is never sent twice.
///
/// Errors common to all: invalid_argument, unauthorized, rate_limited (if the wait reaches past the deadline), network,
/// protocol, response_too_large, api, timeout, cancelled.
template <template <class> class Returns>
class operations {
public:
    /// POST /jobs. invalid_request if the service refuses it; the message names the option `dialect` if the service
    /// takes the other form. If the response is lost, the newest jobs are read a minute later: exactly one job that
    /// fits is the submitted one, else outcome_unknown, whose message names the jobs that may be it. The call may
    /// therefore take a minute longer; its default timeout is 600 s.
    Returns<submitted_job> submit(job_request request, call_options options = {});
    /// GET /jobs/{id}. It may be up to a minute old.
    Returns<job> get_job(std::string id, call_options options = {});
    /// GET /jobs, newest first.
    Returns<std::vector<job>> get_jobs(job_filter filter = {}, call_options options = {});
    /// Waits until the job has ended: completed, or the error job_failed, job_cancelled or job_expired, whose message
    /// has the service's text. All waits of a client share their requests: many jobs are asked for by their list. The
    /// first final state that is seen counts; a state that is not known is not final. By default it waits for ever. An
    /// exception of `progress` ends the wait with callback_failed.
    Returns<job> wait_job(std::string id, job_progress progress = {}, call_options options = {});
    /// DELETE /jobs/{id}, or POST …/cancel if the service has that form. Gives the job as it is afterwards: it may have
    /// been completed before. not_found if there is no such job.
    Returns<job> cancel_job(std::string id, call_options options = {});
    /// The product of a completed job: its status' result, else its download, else its result. invalid_argument if the
    /// job has not ended. At most 64 MiB.
    Returns<job_product> get_product(std::string id, call_options options = {});
    /// Jobs made in [from, to], newest first: /jobs/history, or the list if the service has no such route.
    Returns<std::vector<job>> get_history(std::optional<wall_time> from, std::optional<wall_time> to,
                                          call_options options = {});
    /// GET /jobs/{id}/receipt; not_found while there is none. Nothing in it is checked.
    Returns<receipt> get_receipt(std::string id, call_options options = {});
    /// GET /jobs/{id}/receipts, the first page.
    Returns<receipt_page> get_receipts(std::string id, call_options options = {});

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

/// For programs with an event loop; threads, lifetimes and exceptions are as vembed::client documents them.
///
///     asio::io_context loop;
///     vembed::aitbc::client client(loop.get_executor());
///     // in a coroutine:
///     vembed::aitbc::job_request request;
///     request.model = "llama3.2";
///     request.input = "hello";
///     const auto sent = co_await client.submit(request);
///     const auto ended = co_await client.wait_job(sent.value().job.id);
class client : public operations<operation> {
public:
    /// Reads the key, the base URL and the certificate authorities; sends nothing. Throws what make() would return.
    explicit client(asio::any_io_executor executor, client_options options = {});
    /// unauthorized if the key is missing or malformed, invalid_argument if the URL or an option is refused.
    static result<client> make(asio::any_io_executor executor, client_options options = {});

    client(client&&) noexcept = default;
    client& operator=(client&&) noexcept;
    ~client();

    [[nodiscard]] asio::any_io_executor get_executor() const noexcept;

private:
    friend class blocking_client;
    explicit client(std::shared_ptr<detail::client_core> core) noexcept;
};

/// For programs without an event loop: every call waits for its end. Calls may be made from several threads at once. It
/// must not be used from within its own callbacks.
class blocking_client : public operations<result> {
public:
    explicit blocking_client(client_options options = {});
    static result<blocking_client> make(client_options options = {});
    blocking_client(blocking_client&&) noexcept;
    blocking_client& operator=(blocking_client&&) noexcept;
    ~blocking_client();

private:
    class impl;
    explicit blocking_client(std::unique_ptr<impl> made) noexcept;
    std::unique_ptr<impl> impl_;
};

}  // namespace vembed::aitbc
