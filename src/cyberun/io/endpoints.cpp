#include "cyberun/io/endpoints.hpp"

#include <algorithm>
#include <iterator>

#include "cyberun/wire/assumptions.hpp"
#include "cyberun/wire/codec.hpp"
#include "text/words.hpp"

namespace vembed::cyberun {
namespace {

constexpr std::uint64_t response_max = std::uint64_t{16} << 20;
constexpr std::uint64_t items_per_page = 100;
constexpr std::uint64_t pages_max = 1000;

subject subject_of(const http::call& asked) {
    const std::string_view target = asked.target;
    return target.starts_with("/r/workflows")     ? subject::workflow
           : target.starts_with("/r/tasks/")      ? subject::task
           : target.starts_with(presign_target()) ? subject::upload
                                                  : subject::other;
}

mapped_refusal map_response(const http::response& got, subject about, const secret& key, wall_time now) {
    failed_response from;
    from.status = got.head.status;
    from.body = got.body;
    from.retry_after = got.head.find("Retry-After");
    from.date = got.head.find("Date");
    from.about = about;
    from.secret = key.reveal();
    return map_error(from, now);
}

error endless_list() {
    return {errc::protocol,
            "the service's list has more than " + std::to_string(pages_max) + " pages of 100, or does not end"};
}

}  // namespace

http::error_mapper error_mapper_with(std::shared_ptr<const secret> key) {
    return [key = std::move(key)](const http::response& got, const http::call& asked, wall_time now) {
        mapped_refusal mapped = map_response(got, subject_of(asked), *key, now);
        return http::mapped_error(std::move(mapped.error), mapped.author);
    };
}

error outcome_error(task_state state, std::string_view error_text, const std::string& id) {
    const std::string told(error_text);
    if (state == task_state::cancelled) {
        return with_job(error(errc::job_cancelled, "the task was cancelled" + (told.empty() ? "" : ": " + told)), id);
    }
    return with_job(
        error(errc::job_failed, "the task failed: " + (told.empty() ? std::string("no reason was given") : told)), id);
}

endpoints::endpoints(std::shared_ptr<http::pipeline> through, std::shared_ptr<const secret> key)
    : through_(std::move(through)), key_(std::move(key)) {}

http::call endpoints::call_of(std::string target, monotonic_time deadline) {
    http::call made;
    made.target = std::move(target);
    made.body_limit = response_max;
    made.deadline = deadline;
    return made;
}

template <class T>
asio::awaitable<result<T>> endpoints::get(result<std::string> target, monotonic_time deadline) {
    if (!target) {
        co_return target.error();
    }
    http::call what = call_of(std::move(*target), deadline);
    const result<http::response> got = co_await through_->repeat(std::move(what));
    if (!got) {
        co_return got.error();
    }
    co_return read_response<T>(got->body);
}

asio::awaitable<result<workflow_page>> endpoints::get_workflow_page(list_query query, monotonic_time deadline) {
    return get<workflow_page>(workflows_target(query), deadline);
}

asio::awaitable<result<std::vector<workflow>>> endpoints::get_workflows(monotonic_time deadline) {
    std::vector<workflow> found;
    list_query query;
    query.per_page = items_per_page;
    for (std::uint64_t pages = 0; pages < pages_max; ++pages) {
        result<workflow_page> page = co_await get_workflow_page(query, deadline);
        if (!page) {
            co_return page.error();
        }
        const std::size_t items = page->workflows.size();
        std::ranges::move(page->workflows, std::back_inserter(found));
        const std::optional<std::uint64_t> next = next_page(page->meta, items);
        if (!next) {
            co_return found;
        }
        query.current_page = std::max(*next, query.current_page + 1);
    }
    co_return endless_list();
}

asio::awaitable<result<workflow>> endpoints::get_workflow(std::string slug, monotonic_time deadline) {
    return get<workflow>(slug_target(slug), deadline);
}

asio::awaitable<result<workflow>> endpoints::get_workflow_by_id(std::string id, monotonic_time deadline) {
    return get<workflow>(workflow_target(id), deadline);
}

std::optional<monotonic_time> endpoints::accepted_at(const std::string& task_id) const {
    const auto found = std::ranges::find(accepted_, task_id, &accepted_run::task_id);
    return found == accepted_.end() ? std::nullopt : std::optional(found->at);
}

// A task that this client's own run made a moment ago may be unknown yet.
asio::awaitable<result<task>> endpoints::get_task(std::string id, monotonic_time deadline) {
    attempts so_far(0);
    for (;;) {
        result<task> got = co_await get<task>(task_target(id), deadline);
        if (got && !got->id.empty() && got->id != id) {
            co_return with_job(error(errc::protocol, "the service answered with another task's state"), id);
        }
        if (got) {
            got->id = id;
            co_return got;
        }
        const error why = got.error();
        const std::optional<monotonic_time> accepted = accepted_at(id);
        if (why.kind != errc::not_found || !accepted) {
            co_return with_job(why, id);
        }
        mapped_refusal unknown;
        unknown.error = why;
        unknown.what = refusal::unknown;
        ++so_far.made;
        so_far.since_accepted = through_->env()->now() - *accepted;
        const auto delay = retry_delay(unknown, so_far, through_->env()->random());
        if (!delay || deadline_after(through_->env()->now(), *delay) >= deadline) {
            co_return with_job(why, id);
        }
        const monotonic_time until = deadline_after(through_->env()->now(), *delay);
        const wait_outcome waited = co_await sleep_until(through_->env(), until);
        if (waited == wait_outcome::cancelled) {
            co_return with_job(error(errc::cancelled, "cancelled while waiting to ask for the task again"), id);
        }
    }
}

asio::awaitable<result<task_page>> endpoints::get_task_page(list_query query, monotonic_time deadline) {
    return get<task_page>(tasks_target(query), deadline);
}

asio::awaitable<result<std::vector<task>>> endpoints::get_tasks(task_filter filter, monotonic_time deadline) {
    std::vector<task> found;
    list_query query;
    query.status = filter.status;
    query.per_page = std::clamp<std::uint64_t>(filter.tasks_max, 1, items_per_page);
    for (std::uint64_t pages = 0; pages < pages_max; ++pages) {
        result<task_page> page = co_await get_task_page(query, deadline);
        if (!page) {
            co_return page.error();
        }
        const std::size_t items = page->tasks.size();
        for (task& one : page->tasks) {
            const bool fits = filter.status.empty() || text::same_word(filter.status, one.state_text) ||
                              (one.state != task_state::unknown && one.state == task_state_of(filter.status));
            if (fits && found.size() < filter.tasks_max) {
                found.push_back(std::move(one));
            }
        }
        const std::optional<std::uint64_t> next = next_page(page->meta, items);
        if (!next || found.size() >= filter.tasks_max) {
            co_return found;
        }
        query.current_page = std::max(*next, query.current_page + 1);
    }
    co_return endless_list();
}

// It may be repeated: it has one effect however often it is sent.
asio::awaitable<result<void>> endpoints::ask_to_cancel(std::string id, monotonic_time deadline) {
    result<std::string> target = task_target(id, below::cancel);
    if (!target) {
        co_return target.error();
    }
    http::call what = call_of(std::move(*target), deadline);
    what.method = http_method::post;
    const result<http::response> got = co_await through_->repeat(std::move(what));
    if (!got) {
        co_return with_job(got.error(), id);
    }
    co_return result<void>();
}

asio::awaitable<result<task>> endpoints::cancel_task(std::string id, monotonic_time deadline) {
    const result<void> asked = co_await ask_to_cancel(id, deadline);
    // The state that a 409 speaks of is the task's end, which the GET shows.
    if (!asked && asked.error().http_status != 409) {
        co_return asked.error();
    }
    co_return co_await get_task(std::move(id), deadline);
}

asio::awaitable<result<task_result>> endpoints::get_result(std::string id, monotonic_time deadline) {
    result<task_result> got = co_await get<task_result>(task_target(id, below::result), deadline);
    if (!got) {
        co_return with_job(got.error(), id);
    }
    if (!got->id.empty() && got->id != id) {
        co_return with_job(error(errc::protocol, "the service answered with another task's result"), id);
    }
    co_return got;
}

// It may be repeated: a key that is not used does nothing.
asio::awaitable<result<presigned_upload>> endpoints::presign(std::string body, monotonic_time deadline) {
    http::call what = call_of(presign_target(), deadline);
    what.method = http_method::post;
    what.body = std::move(body);
    const result<http::response> got = co_await through_->repeat(std::move(what));
    if (!got) {
        co_return got.error();
    }
    co_return read_response<presigned_upload>(got->body);
}

mapped_refusal endpoints::refusal_in(const http::read_result& from, subject about) const {
    const int status = from.got.head.status;
    if (status < 200 || (status < 300 && from.error)) {
        return unreached(from.error.value_or(error(errc::network, "no response came")));
    }
    return map_response(from.got, about, *key_, through_->env()->wall_now());
}

}  // namespace vembed::cyberun
