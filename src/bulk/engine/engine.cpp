#include "bulk/engine/engine.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/thrown.hpp"

namespace vembed::bulk {

engine::engine(run_parts parts)
    : run_(std::move(parts)),
      in_doubt_(&run_),
      disputes_(&run_),
      preparation_(&run_, &disputes_),
      intake_(&run_),
      submitter_(&run_, &in_doubt_, &disputes_),
      settler_(&run_, &in_doubt_, &disputes_),
      reporter_(&run_),
      in_flight_(run_.parts.executor, run_.parts.env, slots_in_flight()) {}

std::uint64_t engine::slots_in_flight() const {
    return std::max<std::uint32_t>(run_.parts.options->jobs_in_flight, 1);
}

asio::awaitable<result<bulk_report>> engine::run() {
    const std::shared_ptr<engine> self = shared_from_this();
    const bulk_options& options = *run_.parts.options;
    if (options.job_timeout <= std::chrono::seconds(0)) {
        co_return error(errc::invalid_argument, "job_timeout must be longer than nothing");
    }
    if (options.jobs_in_flight > bulk_options::jobs_in_flight_max) {
        co_return error(errc::invalid_argument, "jobs_in_flight is 10,000 at most");
    }
    reporter_.begin();
    const result<void> prepared = co_await preparation_.prepare();
    if (!prepared) {
        co_return prepared.error();
    }
    if (run_.storing_at_once > 0) {
        settler_.open_slots(run_.storing_at_once);
    }
    std::function<void()> on_stop = [weak = weak_from_this()] {
        if (const std::shared_ptr<engine> alive = weak.lock()) {
            alive->run_.end.stop(stop_reason::stopped, "stopped as asked");
        }
    };
    const stop_listener listener(options.stop, run_.parts.executor, std::move(on_stop));
    if (options.stop.stop_requested()) {
        run_.end.stop(stop_reason::stopped, "stopped as asked");  // Nothing is begun before the listener is heard.
    }
    reporter_.note_start();
    runtime::task_group teller(run_.parts.executor, run_.parts.env);
    teller.spawn(reporter_.tell_progress());
    co_await run_workers();
    teller.cancel();
    co_await teller.join();
    co_return co_await reporter_.conclude();
}

// A source that a run waits for knows nothing of the run's deadline.
asio::awaitable<void> engine::watch_deadline(runtime::task_group* workers) {
    const wait_outcome outcome = co_await sleep_until(run_.parts.env, run_.parts.deadline);
    if (outcome == wait_outcome::expired) {
        run_.end.give_up(error(errc::timeout, "the deadline passed while the corpus was read"));
        workers->cancel();
    }
}

asio::awaitable<void> engine::run_workers() {
    runtime::task_group workers(run_.parts.executor, run_.parts.env);
    runtime::task_group watch(run_.parts.executor, run_.parts.env);
    if (run_.parts.deadline != no_deadline) {
        watch.spawn(watch_deadline(&workers));
    }
    const std::uint64_t count = slots_in_flight() + run_.storing_at_once;
    for (std::uint64_t i = 0; i < count; ++i) {
        workers.spawn(work());
    }
    bool undisturbed = true;
    try {
        undisturbed = co_await workers.join();
        if (undisturbed && !run_.in_doubt.entries().empty()) {
            workers.spawn(settle_in_doubt());
            undisturbed = co_await workers.join();
        }
    } catch (...) {
        // Memory ran out, for instance. The teller still refers to this engine and must end first.
        run_.end.give_up(thrown_failure("a part of the run"));
    }
    watch.cancel();
    co_await watch.join();
    if (!undisturbed) {
        run_.end.give_up(run_cancelled());
    }
}

asio::awaitable<void> engine::work() {
    // A context that is destroyed with runs under way ends their coroutines in any order.
    const std::shared_ptr<engine> self = shared_from_this();
    for (;;) {
        batch_task task;
        // The batch is read before there is a slot for it, so that the slot does not wait for the disk.
        std::optional<batch> next = co_await intake_.take();
        if (!next) {
            co_return;
        }
        task.again.push_back(std::move(*next));
        co_await see_through(&task);
    }
}

// Resubmits and decides batches in doubt if everything else is done.
asio::awaitable<void> engine::settle_in_doubt() {
    const std::shared_ptr<engine> self = shared_from_this();  // It keeps the engine alive, as in work().
    co_await in_doubt_.decide();
    for (;;) {
        batch_task task;
        std::optional<batch> next = co_await in_doubt_.next();
        if (!next) {
            co_return;
        }
        task.again.push_back(std::move(*next));
        co_await see_through(&task);
    }
}

asio::awaitable<void> engine::see_through(batch_task* task) {
    bool submitted = false;
    while (!task->again.empty()) {
        task->item = std::move(task->again.front());
        task->again.pop_front();
        if (task->item.job_id.empty() && run_.end.stopping()) {
            continue;  // Its rows are read again by the run that continues this one.
        }
        submitted = submitted || task->item.job_id.empty();
        co_await in_flight_.acquire(&task->in_flight);  // If this wait is cancelled, what follows reports it.
        co_await see_through_one(task);
        task->storing.release();
    }
    if (submitted) {
        run_.first_job_shown();  // No job will show it any more.
    }
}

asio::awaitable<void> engine::see_through_one(batch_task* task) {
    if (task->item.job_id.empty()) {
        const step submitted = co_await submitter_.submit(task);
        if (submitted == step::over) {
            co_return;
        }
    }
    co_await settler_.settle(task);
}

}  // namespace vembed::bulk
