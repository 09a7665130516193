#pragma once
/// @file
/// The client of Cyberun's workflow tasks.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/json/object.hpp>

#include <vembed/connection/options.hpp>
#include <vembed/core/result.hpp>
#include <vembed/cyberun/events.hpp>
#include <vembed/cyberun/task_watch.hpp>
#include <vembed/cyberun/types.hpp>
#include <vembed/operation/call_options.hpp>
#include <vembed/operation/operation.hpp>

namespace vembed::cyberun {

namespace detail {
class client_core;
class core_access;
}  // namespace detail

/// Variables that are read if an option is empty: CYBERUN_BASE_URL, CYBERUN_API_KEY, CYBERUN_CA_FILE.
class client_options : public connection_options {
public:
    /// The value of X-Team-ID, which a user's JWT needs; the service ignores it for other keys. Empty: it is not sent.
    std::string team_id;
    /// The hosts that files are fetched from and sent to, in lower case and without a port. Empty: any host that the
    /// service names, by https, or by http if base_url is http. They never get the key.
    std::vector<std::string> file_hosts;
    /// The most bytes of one downloaded file.
    std::uint64_t download_bytes_max = std::uint64_t{4} << 30;

    client_options() = default;
};

/// Which tasks a list shows.
class task_filter {
public:
    std::string status;             ///< A state's word; empty: any.
    std::uint64_t tasks_max = 100;  ///< At most this many, in the service's order, which is not documented.

    task_filter() = default;
    explicit task_filter(std::string state, std::uint64_t most = 100) : status(std::move(state)), tasks_max(most) {}
};

/// How a task is waited for. Callbacks are called on the client's executor.
class wait_options {
public:
    /// Polls instead of reading the stream of events. Waits of a client that poll share pages of the list of tasks.
    /// Also polled are waits beyond 64 at once.
    bool no_sse = false;
    /// If the call is cancelled or its time ends, the task is cancelled as well, so far as it can be reached within
    /// 10 s; the call may take so much longer. If the client itself is destroyed, the task goes on.
    bool cancel_on_abort = false;
    /// Called with each event of the stream. Events are hints, may be repeated after a reconnection, and may be
    /// missing.
    std::function<void(const task_event& event)> on_event;
    /// Called with the task each time that its state or retry_count differs from what was seen before.
    std::function<void(const task& seen)> on_task;

    wait_options() = default;
};

/// What is downloaded of a task.
class download_options {
public:
    std::vector<std::string> output_ids;  ///< Empty: all files of the task.
    std::uint64_t bytes_max = 0;          ///< Of one file; 0: client_options::download_bytes_max.

    download_options() = default;
};

/// A file that was downloaded. It is complete and on the disk.
class saved_file {
public:
    std::string output_id;
    std::string path;  ///< The folder as given, and a name made from the output's id.
    std::uint64_t bytes = 0;
    std::string content_type;  ///< As the store says; may be empty.
    /// What the content was compared with: "repr_digest", "content_md5" or "etag"; "none" if the store sent nothing
    /// that it can be compared with.
    std::string checked_by;

    saved_file() = default;
};

/// The operations of the service, each declared once for both clients: client returns operation<T>, blocking_client
/// result<T>. They take their arguments before the call returns, and share one pool of connections. GET, cancellations
/// and uploads are repeated on faults; a run is never sent twice.
///
/// Errors common to all: invalid_argument, unauthorized, rate_limited and service_busy (if the wait reaches past the
/// deadline), network, protocol, response_too_large, api, timeout, cancelled. The source of routes, states and limits
/// is section 2 of the wire contract.
template <template <class> class Returns>
class operations {
public:
    /// GET /r/workflows: one page, counted from 1, of 1 to 100 items.
    Returns<workflow_page> get_workflow_page(std::uint64_t page = 1, std::uint64_t per_page = 20,
                                             call_options options = {});
    /// All pages of GET /r/workflows. The default timeout is 600 s.
    Returns<std::vector<workflow>> get_workflows(call_options options = {});
    /// GET /r/workflows/slug/{slug}; `slug@version` is that version. not_found if there is none.
    Returns<workflow> get_workflow(std::string slug, call_options options = {});
    /// GET /r/workflows/{id}.
    Returns<workflow> get_workflow_by_id(std::string id, call_options options = {});

    /// POST /r/workflows/slug/{slug}/run, with `slug` or `slug@version`. The parameters are sent as they are: check
    /// them with check_parameters() before. It is sent again only after a refusal that had no effect. If the
    /// response is lost, all tasks are read 10 s later: exactly one that fits by workflow and created_at is the run's,
    /// if no other run of this client may have made it; else outcome_unknown, whose message names those that fit.
    Returns<accepted_task> run(std::string slug, boost::json::object parameters, call_options options = {});
    /// POST /r/workflows/{id}/run; otherwise as run().
    Returns<accepted_task> run_by_id(std::string id, boost::json::object parameters, call_options options = {});

    /// GET /r/tasks/{id}. not_found if there is no such task or it is another team's.
    Returns<task> get_task(std::string id, call_options options = {});
    /// GET /r/tasks, as many pages as the filter needs.
    Returns<std::vector<task>> get_tasks(task_filter filter = {}, call_options options = {});
    /// POST /r/tasks/{id}/cancel, then GET. Gives the task as it is afterwards: it may have ended before, and it may
    /// not be cancelled yet.
    Returns<task> cancel_task(std::string id, call_options options = {});
    /// GET /r/tasks/{id}/result. Before the task has ended it has no outputs. Its URLs are secrets that expire.
    Returns<task_result> get_result(std::string id, call_options options = {});

    /// Waits until a GET shows that the task has ended: completed, or the error job_failed (with the task's error text)
    /// or job_cancelled. A state that is not known is not final. By default it waits for ever; a task whose labels
    /// nobody has never starts. timeout and cancelled say nothing of the task, see wait_options::cancel_on_abort. An
    /// exception of a callback ends the wait with callback_failed. client::watch_task() gives the events one by one.
    Returns<task> wait_task(std::string id, wait_options how = {}, call_options options = {});

    /// Uploads the file at `path` under its base name, and gives the key that is the value of a file parameter. The
    /// service keeps it for a day. io if the file cannot be read or is no regular file, request_too_large if it is over
    /// the service's limit. By default it takes as long as bytes move: a minute without one is a fault.
    Returns<std::string> upload_file(std::string path, std::string content_type = "application/octet-stream",
                                     call_options options = {});

    /// Downloads the files of a task that has ended into `folder`, which is made if it does not exist, one after the
    /// other. Links that expired are fetched again; what broke off is resumed. A file appears under its name when it is
    /// whole and on the disk, in the place of one of the same name; until then it is NAME.part, which a failure leaves
    /// and the next call begins anew. Names are made from the outputs' ids and never from a URL. A completed task
    /// without a file gives an empty list.
    ///
    /// invalid_argument if the task has not ended or has no such output; job_failed and job_cancelled as wait_task(),
    /// if the task has no files; not_found if a file is no longer kept; response_too_large; protocol if the content
    /// does not agree with what the store tells of it, or a link must not be followed; io. By default it takes as long
    /// as bytes move. Downloads of one task into one folder must not run at the same time.
    Returns<std::vector<saved_file>> download(std::string id, std::string folder, download_options what = {},
                                              call_options options = {});

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
///     vembed::cyberun::client client(loop.get_executor());
///     // in a coroutine:
///     boost::json::object parameters;
///     parameters["text"] = "hello";
///     const auto accepted = co_await client.run("text-render", parameters);
///     const auto ended = co_await client.wait_task(accepted.value().task_id);
///     const auto files = co_await client.download(ended.value().id, "out");
class client : public operations<operation> {
public:
    /// Reads the key, the base URL and the certificate authorities; sends nothing. Throws what make() would return.
    explicit client(asio::any_io_executor executor, client_options options = {});
    /// unauthorized if the key is missing or malformed, invalid_argument if the URL or an option is refused.
    static result<client> make(asio::any_io_executor executor, client_options options = {});

    client(client&&) noexcept = default;
    client& operator=(client&&) noexcept;
    ~client();

    /// wait_task() with its events as a stream. The wait begins now; an invalid id is how it ends. Callbacks in `how`
    /// are called as well.
    [[nodiscard]] task_watch watch_task(std::string id, wait_options how = {}, call_options options = {});

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

}  // namespace vembed::cyberun
