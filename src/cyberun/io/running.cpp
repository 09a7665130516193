#include <algorithm>
#include <utility>

#include "cyberun/io/endpoints.hpp"
#include "cyberun/wire/assumptions.hpp"
#include "cyberun/wire/codec.hpp"
#include "http/submission.hpp"
#include "policy/retry/in_doubt.hpp"

namespace vembed::cyberun {
namespace {

constexpr std::size_t accepted_max = 4096;
constexpr std::size_t in_doubt_max = 4096;

error in_doubt(const std::string& why, const run_verdict& verdict) {
    return policy::in_doubt_error(why, verdict.reason, verdict.ids);
}

run_verdict undecided(std::string reason) {
    run_verdict made;
    made.reason = std::move(reason);
    return made;
}

}  // namespace

// A run between its sending and its response. It stays open if it ends in doubt.
class endpoints::open_run {
public:
    explicit open_run(endpoints* in) : in_(in), number_(in->next_run_++) {
        lost_run made;
        made.sent_at = in_->through_->env()->wall_now();
        made.lost_at = wall_time::max();
        in_->open_.emplace(number_, std::move(made));
        if (in_->open_.size() > in_doubt_max) {
            in_->open_.erase(in_->open_.begin());
        }
    }
    open_run(const open_run&) = delete;
    open_run& operator=(const open_run&) = delete;
    ~open_run() {
        if (!is_in_doubt) {
            in_->open_.erase(number_);
        } else if (const auto self = in_->open_.find(number_); self != in_->open_.end()) {
            self->second = as;
        }
    }

    [[nodiscard]] std::uint64_t number() const noexcept { return number_; }

    lost_run as;
    bool is_in_doubt = false;
    std::string why;

private:
    endpoints* in_;
    std::uint64_t number_;
};

// Sends it. If it is in doubt, the entry says so, and the error why.
asio::awaitable<result<accepted_task>> endpoints::run_once(const workflow_name* what, std::string body,
                                                           admission::applicant who, open_run* entry,
                                                           monotonic_time deadline) {
    const result<std::string> target =
        what->is_id ? workflow_target(what->text, below::run) : slug_target(what->text, below::run);
    if (!target) {
        co_return target.error();
    }
    http::submission_call sending;
    sending.make = [this, entry, &target, &body, deadline] {
        entry->as.sent_at = through_->env()->wall_now();
        entry->is_in_doubt = true;  // Until it is known to be answered.
        http::call made = call_of(*target, deadline);
        made.method = http_method::post;
        made.body = body;
        return made;
    };
    result<http::sent_submission> made = co_await http::submit(through_, std::move(sending), std::move(who), deadline);
    entry->as.lost_at = through_->env()->wall_now();
    entry->is_in_doubt = made && made->sent.outcome == policy::post_outcome::unknown;
    if (!made) {
        co_return made.error();
    }
    if (made->sent.outcome != policy::post_outcome::accepted) {
        co_return *made->sent.error;
    }
    made->lease.settle(0);
    made->lease.end();
    result<accepted_task> read = read_response<accepted_task>(made->sent.accepted.body);
    if (read && task_target(read->task_id)) {
        remember(read->task_id);
        co_return read;
    }
    entry->is_in_doubt = true;
    co_return error(errc::outcome_unknown, "the service accepted the run, but its response does not name the task");
}

asio::awaitable<result<accepted_task>> endpoints::run(workflow_name what, std::string body, admission::applicant who,
                                                      monotonic_time deadline) {
    open_run entry(this);
    result<accepted_task> made = co_await run_once(&what, std::move(body), std::move(who), &entry, deadline);
    if (made || !entry.is_in_doubt) {
        co_return made;
    }
    entry.why = made.error().message;
    co_return co_await find_lost(std::move(what), &entry, deadline);
}

asio::awaitable<result<accepted_task>> endpoints::find_lost_run(workflow_name what, wall_time sent_at,
                                                                monotonic_time deadline) {
    open_run entry(this);
    entry.as.sent_at = sent_at;
    entry.as.lost_at = sent_at;
    entry.is_in_doubt = true;
    entry.why = "the response to the run was lost";
    co_return co_await find_lost(std::move(what), &entry, deadline);
}

asio::awaitable<result<accepted_task>> endpoints::find_lost(workflow_name what, open_run* run,
                                                            monotonic_time deadline) {
    const std::shared_ptr<environment>& env = through_->env();
    const auto since = std::max<wall_time::duration>(env->wall_now() - run->as.lost_at, std::chrono::seconds(0));
    const auto hidden = std::max<wall_time::duration>(assumed::list_stale_max - since, std::chrono::seconds(0));
    const monotonic_time readable = deadline_after(env->now(), hidden);
    if (readable >= deadline) {
        co_return in_doubt(run->why, undecided("the deadline comes before the list of tasks can be read"));
    }
    const wait_outcome waited = co_await sleep_until(env, readable);
    if (waited == wait_outcome::cancelled) {
        co_return in_doubt(run->why, undecided("the call was cancelled before the list of tasks was read"));
    }
    const result<run_verdict> verdict = co_await look(std::move(what), run, deadline);
    if (!verdict) {
        co_return in_doubt(run->why,
                           undecided("the list of tasks could not be read (" + verdict.error().message + ")"));
    }
    if (!verdict->found) {
        co_return in_doubt(run->why, *verdict);
    }
    run->is_in_doubt = false;
    accepted_task made;
    made.task_id = verdict->ids.front();
    remember(made.task_id);
    env->log(log_level::info, "lost_run_found", {log_field("task", made.task_id)});
    co_return made;
}

asio::awaitable<result<run_verdict>> endpoints::look(workflow_name what, open_run* run, monotonic_time deadline) {
    run->as.workflow_id = what.text;
    if (!what.is_id) {
        result<workflow> of = co_await get_workflow(std::move(what.text), deadline);
        if (!of) {
            co_return of.error();
        }
        run->as.workflow_id = of->id;
    }
    task_filter newest("", assumed::listed_tasks_max + 1);
    result<std::vector<task>> tasks = co_await get_tasks(std::move(newest), deadline);
    if (!tasks) {
        co_return tasks.error();
    }
    run_evidence seen;
    seen.tasks = std::move(*tasks);
    seen.complete = seen.tasks.size() <= assumed::listed_tasks_max;
    seen.known = known_;
    for (const accepted_run& one : accepted_) {
        seen.known.insert(one.task_id);
    }
    seen.others = others(run->number());
    co_return reconcile_run(run->as, seen);
}

std::vector<lost_run> endpoints::others(std::uint64_t but) const {
    std::vector<lost_run> all;
    for (const auto& [number, one] : open_) {
        if (number != but) {
            all.push_back(one);
            all.back().lost_at = std::min(one.lost_at, through_->env()->wall_now());
        }
    }
    return all;
}

void endpoints::remember(const std::string& task_id) {
    accepted_run made;
    made.task_id = task_id;
    made.at = through_->env()->now();
    accepted_.push_back(std::move(made));
    if (accepted_.size() > accepted_max) {
        accepted_.pop_front();
    }
}

}  // namespace vembed::cyberun
