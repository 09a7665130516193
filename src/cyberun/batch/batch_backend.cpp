#include "cyberun/batch/batch_backend.hpp"

#include <algorithm>
#include <utility>

#include <vembed/cyberun/parameters.hpp>

#include "cyberun/wire/assumptions.hpp"
#include "cyberun/wire/routes.hpp"
#include "text/iso_time.hpp"

namespace vembed::cyberun {
namespace {

using job_batch::job_end;

// Kinds after which the task itself is known to have no files that can be kept.
bool is_about_the_task(errc kind) noexcept {
    return kind == errc::job_failed || kind == errc::job_cancelled || kind == errc::not_found ||
           kind == errc::response_too_large || kind == errc::protocol;
}

void note(boost::json::object& into, std::string_view name, const std::optional<std::string>& text) {
    if (text) {
        into[name] = *text;
    }
}

job_end end_of(const task& of) {
    job_end made;
    made.about["state"] = of.state_text;
    made.about["workflow_id"] = of.workflow_id;
    made.about["retry_count"] = of.retry_count;
    note(made.about, "created_at", of.created_at);
    note(made.about, "started_at", of.started_at);
    note(made.about, "completed_at", of.completed_at);
    return made;
}

job_end failed_end(const task& of, const std::string& why) {
    job_end made = end_of(of);
    made.failed = true;
    made.about["error"] = why;
    return made;
}

error in_doubt(const std::string& why) {
    return {errc::outcome_unknown, "the response to the run was lost, and " + why +
                                       ". It was not sent again; the list of tasks shows it if it "
                                       "was accepted"};
}

}  // namespace

result<void> batch_backend::check(std::string_view line) const {
    const result<run_request> read = read_run_request(line);
    return read ? result<void>() : result<void>(read.error());
}

// A workflow is read once: what a batch checks its requests against does not change while it runs.
asio::awaitable<result<workflow>> batch_backend::workflow_of(const run_request* request) {
    const bool by_id = request->workflow.empty();
    const std::string name = by_id ? request->workflow_id : request->workflow;
    const auto found = workflows_.find(name);
    if (found != workflows_.end()) {
        co_return found->second;
    }
    auto reading =
        by_id ? core_->api->get_workflow_by_id(name, no_deadline) : core_->api->get_workflow(name, no_deadline);
    result<workflow> read = co_await std::move(reading);
    if (read) {
        workflows_.emplace(name, *read);
    } else if (read.error().kind == errc::not_found) {
        error refused = read.error();
        refused.kind = errc::invalid_request;  // The request names what is not there: only it has failed.
        co_return refused;
    }
    co_return read;
}

asio::awaitable<result<std::string>> batch_backend::submit(std::string line, admission::applicant who) {
    const result<run_request> request = read_run_request(line);
    if (!request) {
        co_return request.error();
    }
    const result<workflow> of = co_await workflow_of(&*request);
    if (!of) {
        co_return of.error();
    }
    const result<boost::json::object> parameters = check_parameters(*of, request->parameters);
    if (!parameters) {
        co_return parameters.error();
    }
    const bool by_id = request->workflow.empty();
    workflow_name what(by_id ? request->workflow_id : request->workflow, by_id);
    const wall_time sent_at = core_->env->wall_now();
    const result<accepted_task> made =
        co_await core_->api->run(std::move(what), run_body(*parameters), std::move(who), no_deadline);
    if (made) {
        know(made->task_id);
        co_return made->task_id;
    }
    if (made.error().kind != errc::outcome_unknown) {
        co_return made.error();
    }
    co_return co_await find_lost(std::move(line), sent_at);
}

// Exactly one task of the workflow that was made in that time and belongs to nobody else is the lost one.
result<std::string> batch_backend::decide(const lost_run& lost, const std::vector<task>& tasks, bool all) const {
    const auto is_near = [&lost](wall_time at) {
        return at >= lost.sent_at - assumed::clock_difference_max && at <= lost.sent_at + assumed::clock_difference_max;
    };
    if (!all) {
        return in_doubt("there are more tasks than are read");
    }
    const bool shared = std::ranges::any_of(
        lost_, [&](const lost_run& other) { return other.workflow_id == lost.workflow_id && is_near(other.sent_at); });
    if (shared) {
        return in_doubt("another lost run of the workflow may have made the same task");
    }
    std::vector<std::string> fitting;
    for (const task& one : tasks) {
        const auto made = one.created_at ? text::parse_loose_iso_time(*one.created_at) : std::nullopt;
        const bool fits = one.workflow_id == lost.workflow_id && !known_.contains(one.id) && (!made || is_near(*made));
        if (fits) {
            fitting.push_back(one.id);
        }
    }
    if (fitting.size() == 1) {
        return fitting.front();
    }
    return in_doubt(fitting.empty() ? "no task in the list fits" : std::to_string(fitting.size()) + " tasks fit");
}

asio::awaitable<result<std::string>> batch_backend::find_lost(std::string line, wall_time sent_at) {
    const result<run_request> request = read_run_request(line);
    if (!request) {
        co_return request.error();
    }
    const result<workflow> of = co_await workflow_of(&*request);
    if (!of) {
        co_return in_doubt("its workflow could not be read (" + of.error().message + ")");
    }
    const auto since = std::max<wall_time::duration>(core_->env->wall_now() - sent_at, std::chrono::seconds(0));
    const auto hidden = std::max<wall_time::duration>(assumed::list_stale_max - since, std::chrono::seconds(0));
    const monotonic_time readable = deadline_after(core_->env->now(), hidden);
    const wait_outcome waited = co_await sleep_until(core_->env, readable);
    if (waited == wait_outcome::cancelled) {
        co_return in_doubt("the run was stopped before the list of tasks was read");
    }
    task_filter filter("", assumed::listed_tasks_max);
    const result<std::vector<task>> tasks = co_await core_->api->get_tasks(std::move(filter), no_deadline);
    if (!tasks) {
        co_return in_doubt("the list of tasks could not be read (" + tasks.error().message + ")");
    }
    lost_run lost;
    lost.workflow_id = of->id;
    lost.sent_at = sent_at;
    result<std::string> found = decide(lost, *tasks, tasks->size() < assumed::listed_tasks_max);
    if (found) {
        know(*found);
    } else {
        lost_.push_back(std::move(lost));
    }
    co_return found;
}

asio::awaitable<result<void>> batch_backend::wait(std::string id) {
    std::shared_ptr<const wait_options> how = std::make_shared<wait_options>();
    const result<task> ended = co_await core_->waiting->wait(id, std::move(how), no_deadline);
    const errc kind = ended ? errc::job_failed : ended.error().kind;
    const bool is_known = kind == errc::job_failed || kind == errc::job_cancelled || kind == errc::not_found;
    co_return is_known ? result<void>() : result<void>(ended.error());
}

asio::awaitable<result<job_end>> batch_backend::fetch(std::string id, std::string files, std::string name) {
    const result<task> seen = co_await core_->api->get_task(id, no_deadline);
    if (!seen && seen.error().kind != errc::not_found) {
        co_return seen.error();
    }
    if (!seen) {
        task unknown;
        unknown.state_text = "unknown";
        co_return failed_end(unknown, seen.error().message);
    }
    if (seen->state != task_state::completed) {
        co_return failed_end(*seen, outcome_error(seen->state, seen->error_text, id).message);
    }
    const result<std::vector<saved_file>> saved =
        co_await core_->downloads->download(id, files + "/" + name, download_options(), no_deadline);
    if (!saved && !is_about_the_task(saved.error().kind)) {
        co_return saved.error();
    }
    if (!saved) {
        co_return failed_end(*seen, saved.error().message);
    }
    job_end made = end_of(*seen);
    for (const saved_file& one : *saved) {
        boost::json::object kept;
        kept["name"] = one.path.substr(std::min(one.path.size(), files.size() + 1));
        kept["bytes"] = one.bytes;
        kept["output_id"] = one.output_id;
        kept["checked_by"] = one.checked_by;
        made.kept.push_back(std::move(kept));
    }
    co_return made;
}

}  // namespace vembed::cyberun
