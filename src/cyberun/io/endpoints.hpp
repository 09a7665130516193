#pragma once
/// The service's calls as coroutines: what to repeat, what to read. Used on one executor.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include <vembed/core/secret.hpp>
#include <vembed/cyberun/client.hpp>

#include "admission/gate.hpp"
#include "core/with_job.hpp"
#include "cyberun/wire/error_table.hpp"
#include "cyberun/wire/reconcile_run.hpp"
#include "cyberun/wire/routes.hpp"
#include "http/pipeline.hpp"

namespace vembed::cyberun {

/// Makes the service's errors. `key` is taken out of every text.
http::error_mapper error_mapper_with(std::shared_ptr<const secret> key);

/// A workflow that is run: its slug, or its id.
class workflow_name {
public:
    std::string text;
    bool is_id = false;

    workflow_name() = default;
    workflow_name(std::string slug_or_id, bool id) : text(std::move(slug_or_id)), is_id(id) {}
};

class endpoints {
public:
    endpoints(std::shared_ptr<http::pipeline> through, std::shared_ptr<const secret> key);

    asio::awaitable<result<workflow_page>> get_workflow_page(list_query query, monotonic_time deadline);
    asio::awaitable<result<std::vector<workflow>>> get_workflows(monotonic_time deadline);
    asio::awaitable<result<workflow>> get_workflow(std::string slug, monotonic_time deadline);
    asio::awaitable<result<workflow>> get_workflow_by_id(std::string id, monotonic_time deadline);
    /// `body` is run_body(). `who` is the applicant at the gate; its record is told of each try. If the response is
    /// lost, the list of tasks is read: exactly one task that fits is the run's, else outcome_unknown.
    asio::awaitable<result<accepted_task>> run(workflow_name what, std::string body, admission::applicant who,
                                               monotonic_time deadline);
    /// The same search for a run that an earlier process sent at `sent_at`.
    asio::awaitable<result<accepted_task>> find_lost_run(workflow_name what, wall_time sent_at,
                                                         monotonic_time deadline);
    /// A task of a run that an earlier process was answered, or that is remembered for longer than accepted_at() is: it
    /// is nobody's lost run.
    void know(const std::string& task_id) { known_.insert(task_id); }
    asio::awaitable<result<task>> get_task(std::string id, monotonic_time deadline);
    asio::awaitable<result<task_page>> get_task_page(list_query query, monotonic_time deadline);
    asio::awaitable<result<std::vector<task>>> get_tasks(task_filter filter, monotonic_time deadline);
    /// The request to cancel alone. Its response does not tell what becomes of the task.
    asio::awaitable<result<void>> ask_to_cancel(std::string id, monotonic_time deadline);
    asio::awaitable<result<task>> cancel_task(std::string id, monotonic_time deadline);
    asio::awaitable<result<task_result>> get_result(std::string id, monotonic_time deadline);
    /// `body` is presign_body().
    asio::awaitable<result<presigned_upload>> presign(std::string body, monotonic_time deadline);

    /// One try of a GET, for a caller that decides itself when to try again. `what` has its target and deadline.
    asio::awaitable<http::read_result> read_once(http::call what) { return through_->read_once(std::move(what)); }
    /// What a try says that did not end with a 2xx response that was read.
    [[nodiscard]] mapped_refusal refusal_in(const http::read_result& from, subject about) const;

    /// When a run of this client was accepted that made the task; empty if none did, or if it is long ago.
    [[nodiscard]] std::optional<monotonic_time> accepted_at(const std::string& task_id) const;
    [[nodiscard]] const std::shared_ptr<http::pipeline>& through() const noexcept { return through_; }

private:
    class accepted_run {
    public:
        std::string task_id;
        monotonic_time at{};
    };

    class open_run;

    [[nodiscard]] static http::call call_of(std::string target, monotonic_time deadline);
    template <class T>
    asio::awaitable<result<T>> get(result<std::string> target, monotonic_time deadline);
    void remember(const std::string& task_id);
    asio::awaitable<result<accepted_task>> run_once(const workflow_name* what, std::string body,
                                                    admission::applicant who, open_run* entry, monotonic_time deadline);
    asio::awaitable<result<accepted_task>> find_lost(workflow_name what, open_run* run, monotonic_time deadline);
    asio::awaitable<result<run_verdict>> look(workflow_name what, open_run* run, monotonic_time deadline);
    [[nodiscard]] std::vector<lost_run> others(std::uint64_t but) const;

    std::shared_ptr<http::pipeline> through_;
    std::shared_ptr<const secret> key_;
    std::deque<accepted_run> accepted_;  ///< The latest last.
    std::set<std::string> known_;
    /// Runs without a response, by number, and those in doubt. `lost_at` is not set while the response may come.
    std::map<std::uint64_t, lost_run> open_;
    std::uint64_t next_run_ = 1;
};

/// The error of a task that ended otherwise than completed.
error outcome_error(task_state state, std::string_view error_text, const std::string& id);

}  // namespace vembed::cyberun
