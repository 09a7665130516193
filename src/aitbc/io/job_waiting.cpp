#include "aitbc/io/job_waiting.hpp"

#include <algorithm>
#include <utility>

#include "aitbc/wire/assumptions.hpp"
#include "aitbc/wire/codec.hpp"
#include "core/thrown.hpp"

namespace vembed::aitbc {
namespace {

// Errors that the next poll would meet as well.
bool ends_all(const error& f) noexcept {
    return f.kind == errc::unauthorized || f.kind == errc::quota_exceeded || f.lasting;
}

}  // namespace

// One wait.
class job_waiting::waiter {
public:
    std::string id;
    job_progress progress;
    monotonic_time began{};
    std::string told;  ///< The state that `progress` was told last.
    std::optional<result<job>> outcome;
    bool read_whole = false;  ///< The outcome is a response about the job itself, not an entry of a list.

    waiter() = default;
};

// Keeps a wait in the list for as long as it lasts.
class job_waiting::entry_in_list {
public:
    entry_in_list(job_waiting& in, waiter& who) : in_(&in), at_(in.waiters_.insert(in.waiters_.end(), &who)) {
        in.plan_.watch(who.id, who.began);
        in.line_.wake_first();  // What it asks for next may have changed.
    }
    entry_in_list(const entry_in_list&) = delete;
    entry_in_list& operator=(const entry_in_list&) = delete;
    ~entry_in_list() {
        const std::string id = (*at_)->id;
        in_->waiters_.erase(at_);
        if (!in_->is_waited_for(id)) {
            in_->plan_.forget(id);
        }
    }

private:
    job_waiting* in_;
    std::list<waiter*>::iterator at_;
};

job_waiting::job_waiting(asio::any_io_executor executor, std::shared_ptr<endpoints> api)
    : api_(std::move(api)), env_(api_->through()->env()), line_(std::move(executor), env_) {}

bool job_waiting::is_waited_for(const std::string& id) const noexcept {
    return std::ranges::any_of(waiters_, [&id](const waiter* one) { return one->id == id; });
}

call_budget job_waiting::budget() const {
    constexpr std::uint64_t without_limit = 1'000'000;
    const quota_use hour = api_->through()->gate()->statistics().quota.calls_hour;
    const std::uint64_t left = hour.limit ? *hour.limit - std::min(*hour.limit, hour.used) : without_limit;
    return {left, submissions_to_come_};
}

void job_waiting::tell(const job& seen, bool whole) {
    for (waiter* one : waiters_) {
        if (one->id != seen.id || one->outcome) {
            continue;
        }
        if (one->progress && one->told != seen.state_text) {
            one->told = seen.state_text;
            try {
                one->progress(seen);
            } catch (...) {
                one->outcome.emplace(thrown_failure("the progress callback"));
                continue;
            }
        }
        if (is_terminal(seen.state)) {
            one->read_whole = whole;
            one->outcome.emplace(seen.state == job_state::completed ? result<job>(seen) : outcome_error(seen));
        }
    }
}

void job_waiting::fail(const std::string& id, const error& why) {
    for (waiter* one : waiters_) {
        if (one->id == id && !one->outcome) {
            one->outcome.emplace(why);
        }
    }
}

void job_waiting::fail_all(const error& why) {
    for (waiter* one : waiters_) {
        if (!one->outcome) {
            error f = why;
            f.job_id = one->id;
            one->outcome.emplace(std::move(f));
        }
    }
}

void job_waiting::took_page(const result<job_page>& page) {
    if (!page) {
        plan_.not_read(env_->now());
        return ends_all(page.error()) ? fail_all(page.error()) : void();
    }
    (void)plan_.page_read(*page, env_->now());
    for (const job& one : page->jobs) {
        tell(one, false);
    }
}

void job_waiting::took_job(const std::string& id, const result<job>& read) {
    const monotonic_time now = env_->now();
    if (read) {
        (void)plan_.job_read(*read, now);
        return tell(*read, true);
    }
    plan_.not_read(now);
    const error& f = read.error();
    if (ends_all(f)) {
        return fail_all(f);
    }
    // A job that was submitted just now may not be visible yet.
    const auto young = [&](const waiter* one) { return now - one->began < assumed::list_stale_max; };
    if (f.kind == errc::not_found &&
        std::ranges::none_of(waiters_, [&](const waiter* one) { return one->id == id && young(one); })) {
        fail(id, f);
    }
}

asio::awaitable<void> job_waiting::ask(poll_step step, monotonic_time deadline) {
    if (step.what == poll_step::kind::job) {
        const result<job> read = co_await api_->poll_job(step.id, deadline);
        took_job(step.id, read);
        co_return;
    }
    list_query query;
    query.offset = step.offset;
    const result<job_page> page = co_await api_->get_page(std::move(query), admission::call_rank::poll, deadline);
    took_page(page);
}

asio::awaitable<result<job>> job_waiting::wait_for(std::string id, job_progress progress, bool* whole,
                                                   monotonic_time deadline) {
    if (const result<std::string> usable = job_target(id); !usable) {
        co_return usable.error();
    }
    waiter self;
    self.id = std::move(id);
    self.progress = std::move(progress);
    self.began = env_->now();
    const entry_in_list entry(*this, self);
    runtime::wait_queue::place place(line_);
    const auto end = [&self](errc kind, const std::string& why) {
        error f(kind, why);
        f.job_id = self.id;
        return f;
    };
    while (!self.outcome) {
        const poll_step step = place.first() ? plan_.next(budget()) : poll_step();
        const bool asks = place.first() && step.what != poll_step::kind::idle;
        if (asks && step.at <= env_->now() && env_->now() < deadline) {
            co_await ask(step, deadline);
            line_.wake_all();
            const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
            if (!self.outcome && state.cancelled() != asio::cancellation_type::none) {
                co_return end(errc::cancelled, "the wait for the job was cancelled; the job goes on");
            }
            continue;
        }
        const monotonic_time until = asks ? std::min(step.at, deadline) : deadline;
        const wait_outcome waited = co_await place.wait_until(until);
        if (self.outcome) {
            break;
        }
        if (waited == wait_outcome::cancelled) {
            co_return end(errc::cancelled, "the wait for the job was cancelled; the job goes on");
        }
        if (env_->now() >= deadline) {
            co_return end(errc::timeout, "the deadline passed before the job ended; the job goes on");
        }
    }
    *whole = self.read_whole;
    co_return std::move(*self.outcome);
}

asio::awaitable<result<job>> job_waiting::wait(std::string id, job_progress progress, monotonic_time deadline) {
    bool whole = false;
    co_return co_await wait_for(std::move(id), std::move(progress), &whole, deadline);
}

asio::awaitable<result<job>> job_waiting::wait_and_read(std::string id, job_progress progress,
                                                        monotonic_time deadline) {
    bool whole = false;
    result<job> ended = co_await wait_for(id, std::move(progress), &whole, deadline);
    if (!ended || whole) {
        co_return ended;
    }
    const result<job> read = co_await api_->get_job(id, deadline);
    if (read && !is_terminal(read->state)) {
        co_return ended;  // A status may be older than the list; the first final state counts.
    }
    if (!read || read->state == job_state::completed) {
        co_return read;
    }
    co_return outcome_error(*read);
}

}  // namespace vembed::aitbc
