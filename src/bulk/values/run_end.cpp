#include "bulk/values/run_end.hpp"

#include <utility>

#include "runtime/blocking_work.hpp"

namespace vembed::bulk {

run_lines::run_lines(const asio::any_io_executor& executor, const std::shared_ptr<environment>& env)
    : first_job(executor, env),
      budget(executor, env),
      quota(executor, env),
      outage(executor, env),
      asking(executor, env),
      suspicion(executor, env) {}

void run_lines::wake_all() {
    for (runtime::wait_queue* const line : {&first_job, &budget, &quota, &outage, &asking, &suspicion}) {
        line->wake_all();
    }
}

void run_end::stop(stop_reason reason, std::string why, std::optional<std::chrono::seconds> resume_after) {
    if (stopping()) {
        return;
    }
    stopped_ = true;
    reason_ = reason;
    resume_after_ = resume_after;
    message_ = std::move(why);
    backend_->stop_submitting();
    lines_->wake_all();
}

void run_end::give_up(const error& f) {
    if (!fatal_) {
        fatal_ = f;
        backend_->stop_submitting();
        lines_->wake_all();
    }
}

error run_cancelled() {
    return {errc::cancelled, "the run was cancelled; what was done is kept"};
}

asio::awaitable<bool> run_end::cancelled() {
    const bool asked = co_await runtime::is_cancelled();
    if (asked) {
        give_up(run_cancelled());
    }
    co_return asked;
}

}  // namespace vembed::bulk
