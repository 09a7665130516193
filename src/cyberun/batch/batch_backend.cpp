#include "cyberun/batch/batch_backend.hpp"

#include <algorithm>
#include <utility>

#include <vembed/cyberun/parameters.hpp>

#include "cyberun/wire/routes.hpp"

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

workflow_name name_of(const run_request& request) {
    const bool by_id = request.workflow.empty();
    return {by_id ? request.workflow_id : request.workflow, by_id};
}

}  // namespace

result<void> batch_backend::check(std::string_view line) const {
    const result<run_request> read = read_run_request(line);
    return read ? result<void>() : result<void>(read.error());
}

// A workflow is read once: what a batch checks its requests against does not change while it runs.
asio::awaitable<result<workflow>> batch_backend::workflow_of(const workflow_name* name) {
    const auto found = workflows_.find(name->text);
    if (found != workflows_.end()) {
        co_return found->second;
    }
    auto reading = name->is_id ? core_->api->get_workflow_by_id(name->text, no_deadline)
                               : core_->api->get_workflow(name->text, no_deadline);
    result<workflow> read = co_await std::move(reading);
    if (read) {
        workflows_.emplace(name->text, *read);
    } else if (read.error().kind == errc::not_found) {
        error refused = read.error();
        refused.kind = errc::invalid_request;  // The request names what is not there: only it has failed.
        co_return refused;
    }
    co_return read;
}

result<std::string> batch_backend::taken(result<accepted_task> made) {
    if (!made) {
        return made.error();
    }
    know(made->task_id);
    return std::move(made->task_id);
}

asio::awaitable<result<std::string>> batch_backend::submit(std::string line, admission::applicant who) {
    const result<run_request> request = read_run_request(line);
    if (!request) {
        co_return request.error();
    }
    workflow_name name = name_of(*request);
    const result<workflow> of = co_await workflow_of(&name);
    if (!of) {
        co_return of.error();
    }
    const result<boost::json::object> parameters = check_parameters(*of, request->parameters);
    if (!parameters) {
        co_return parameters.error();
    }
    result<accepted_task> made =
        co_await core_->api->run(std::move(name), run_body(*parameters), std::move(who), no_deadline);
    co_return taken(std::move(made));
}

asio::awaitable<result<std::string>> batch_backend::find_lost(std::string line, wall_time sent_at) {
    const result<run_request> request = read_run_request(line);
    if (!request) {
        co_return request.error();
    }
    workflow_name name = name_of(*request);
    result<accepted_task> found = co_await core_->api->find_lost_run(std::move(name), sent_at, no_deadline);
    co_return taken(std::move(found));
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
