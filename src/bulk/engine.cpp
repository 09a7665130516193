#include "bulk/engine.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <vembed/verify/sha256.hpp>

#include "bulk/row_ranges.hpp"

namespace vembed::bulk {
namespace {

// Wakes the run when the caller asks it to stop, from whatever thread.
class stop_listener {
public:
    stop_listener(const std::stop_token& token, asio::any_io_executor executor, std::function<void()> on_stop)
        : callback_(token, poster{std::move(executor), std::move(on_stop)}) {}

private:
    struct poster {
        asio::any_io_executor executor;
        std::function<void()> on_stop;
        void operator()() const { asio::post(executor, on_stop); }
    };
    std::stop_callback<poster> callback_;
};

// The caller's source, sink or journal may throw.
result<void> guarded(const std::function<result<void>()>& work) {
    try {
        return work();
    } catch (const std::exception& e) {
        return failure(errc::callback_failed, std::string("the source, the sink or the journal threw: ") + e.what());
    } catch (...) {
        return failure(errc::callback_failed, "the source, the sink or the journal threw");
    }
}

// A wish to be told more often than that would leave no time for anything else.
constexpr std::chrono::milliseconds progress_interval_min{10};

// Rows a chunk, at least, as the jobs of an earlier process show: n rows in c chunks are ceil(n / c) or more to a
// chunk.
std::uint64_t chunk_size_at_least(const prior_run& prior) {
    std::uint64_t size = 1;
    for (const journalled_batch& known : prior.batches) {
        const bool charged = known.state == batch_state::accepted || known.state == batch_state::done;
        if (charged && known.chunks > 0) {
            std::uint64_t rows = 0;
            for (const auto& [first, last] : known.rows) {
                rows += last - first;
            }
            size = std::max(size, (rows + known.chunks - 1) / known.chunks);
        }
    }
    return size;
}

}  // namespace

engine::engine(asio::any_io_executor executor, std::shared_ptr<environment> env, job_backend* backend,
               row_source* source, row_sink* sink, std::shared_ptr<bulk_options> options, monotonic_time deadline)
    : executor_(std::move(executor)),
      env_(std::move(env)),
      backend_(backend),
      sink_(sink),
      options_(std::move(options)),
      journal_(options_->journal),
      deadline_(deadline),
      began_(env_->now()),
      reader_(source, sink, journal_, options_->on_error),
      reading_(executor_, env_),
      first_job_(executor_, env_),
      budget_(executor_, env_),
      rows_total_(source->size_hint()) {}

void engine::stop(stop_reason reason, std::string why, std::optional<std::chrono::seconds> resume_after) {
    if (stopping()) {
        return;
    }
    stopped_ = true;
    report_.reason = reason;
    report_.resume_after = resume_after;
    stop_message_ = std::move(why);
    backend_->stop_submitting();
    first_job_.wake_all();
    budget_.wake_all();
}

void engine::give_up(const failure& f) {
    if (!fatal_) {
        fatal_ = f;
        backend_->stop_submitting();
        first_job_.wake_all();
        budget_.wake_all();
    }
}

asio::awaitable<bool> engine::on_disk(std::function<result<void>()> work) {
    result<void> done;
    reader_counts counted;
    std::function<void()> on_worker = [this, &done, &counted, work = std::move(work)] {
        done = guarded(work);
        counted = reader_.counts();
    };
    co_await env_->run_blocking(std::move(on_worker));
    counted_ = counted;
    if (!done) {
        give_up(done.error());
    }
    co_return done.has_value();
}

bool engine::may_resubmit(std::uint64_t chunks) noexcept {
    if (options_->on_unknown != unknown_policy::resubmit ||
        chunks > options_->max_extra_chunks - std::min(report_.extra_chunks, options_->max_extra_chunks)) {
        return false;
    }
    report_.extra_chunks += chunks;
    return true;
}

asio::awaitable<result<void>> engine::open_journal() {
    if (journal_ == nullptr) {
        co_return result<void>();
    }
    if (options_->identity.model.empty() && options_->identity.spec_sha256.empty()) {
        options_->identity.model = options_->model;
        if (!options_->spec_yaml.empty()) {
            options_->identity.spec_sha256 = to_hex(sha256_of(options_->spec_yaml));
        }
    }
    prior_run prior;
    std::function<result<void>()> open = [this, &prior]() -> result<void> {
        auto opened = journal_->open(options_->identity);
        if (!opened) {
            return opened.error();
        }
        prior = std::move(*opened);
        return {};
    };
    const bool opened = co_await on_disk(std::move(open));
    if (!opened) {
        co_return *fatal_;
    }
    co_return co_await adopt(std::move(prior));
}

// Takes over what an earlier process left: rows that are done stay done, jobs that were accepted are taken up again,
// submissions without an answer are unknown.
asio::awaitable<result<void>> engine::adopt(prior_run prior) {
    std::vector<std::uint64_t> newly_unknown;
    std::vector<std::uint64_t> forgotten;
    const std::uint64_t chunk_size = chunk_size_at_least(prior);
    for (const journalled_batch& left : prior.batches) {
        next_batch_ = std::max(next_batch_, left.batch + 1);
        if (left.state == batch_state::done) {
            reader_.skip_done(left.rows);
            continue;
        }
        if (left.state == batch_state::accepted) {
            reader_.take_up(left);
            continue;
        }
        unknown_batch unknown;
        unknown.batch = left.batch;
        for (const auto& [first, last] : left.rows) {
            for (std::uint64_t row = first; row < last; ++row) {
                unknown.rows.push_back(row);
            }
        }
        unknown.chunks_estimated =
            std::min<std::uint64_t>(left.chunks, (unknown.rows.size() + chunk_size - 1) / chunk_size);
        unknown.reason = left.state == batch_state::intent ? "the process that sent it ended before it was answered"
                                                           : "sent by an earlier process and never answered";
        unknown.resubmitted = may_resubmit(unknown.chunks_estimated);
        if (unknown.resubmitted) {
            forgotten.push_back(left.batch);
        } else {
            rows_parked_ += unknown.rows.size();
            reader_.skip_parked(left.rows);
            if (left.state == batch_state::intent) {
                newly_unknown.push_back(left.batch);
            }
        }
        report_.unknown.push_back(std::move(unknown));
    }
    reader_.skip_failed(prior.failed_rows);
    std::function<result<void>()> record = [this, newly_unknown, forgotten]() -> result<void> {
        for (const std::uint64_t number : newly_unknown) {
            if (auto marked = journal_->mark_unknown(number); !marked) {
                return marked;
            }
        }
        for (const std::uint64_t number : forgotten) {
            if (auto removed = journal_->forget(number); !removed) {
                return removed;
            }
        }
        return {};
    };
    const bool recorded = co_await on_disk(std::move(record));
    if (!recorded) {
        co_return *fatal_;
    }
    co_return result<void>();
}

asio::awaitable<result<bulk_report>> engine::run() {
    const std::shared_ptr<engine> self = shared_from_this();
    if (options_->job_timeout <= std::chrono::seconds(0)) {
        co_return failure(errc::invalid_argument, "job_timeout must be longer than nothing");
    }
    backend_->describe_gate(gate_before_);
    const result<void> opened = co_await open_journal();
    if (!opened) {
        co_return opened.error();
    }
    const result<job_limits> allowed = co_await backend_->limits(deadline_);
    if (!allowed) {
        co_return allowed.error();
    }
    limits_.rows = std::clamp<std::uint64_t>(options_->rows_per_job, 1, allowed->max_inputs);
    limits_.bytes = std::max<std::uint64_t>(options_->max_job_bytes, 1);
    max_chunks_per_job_ = allowed->max_chunks_per_request;
    std::function<void()> on_stop = [weak = weak_from_this()] {
        if (const std::shared_ptr<engine> alive = weak.lock()) {
            alive->stop(stop_reason::stopped, "stopped as asked");
        }
    };
    const stop_listener listener(options_->stop, executor_, std::move(on_stop));
    if (options_->stop.stop_requested()) {
        stop(stop_reason::stopped, "stopped as asked");  // Nothing is begun before the listener is heard.
    }
    runtime::task_group teller(executor_, env_);
    runtime::task_group workers(executor_, env_);

    teller.spawn(tell_progress());
    for (std::uint32_t i = 0; i < std::max<std::uint32_t>(options_->jobs_in_flight, 1); ++i) {
        workers.spawn(work());
    }
    bool undisturbed = true;
    try {
        undisturbed = co_await workers.join();
        if (undisturbed && !set_aside_.empty()) {
            workers.spawn(reconsider_set_aside());
            undisturbed = co_await workers.join();
        }
    } catch (const std::exception& e) {
        // Memory ran out, for instance. The teller still refers to this engine and must end first.
        give_up(failure(errc::callback_failed, std::string("an exception ended the run: ") + e.what()));
    }
    teller.cancel();
    co_await teller.join();
    if (!undisturbed && !fatal_) {
        fatal_ = failure(errc::cancelled, "the run was cancelled; what was done is kept");
    }
    co_return co_await conclude();
}

asio::awaitable<void> engine::work() {
    // A context that is destroyed with runs under way ends their coroutines in any order.
    const std::shared_ptr<engine> self = shared_from_this();
    for (;;) {
        std::optional<batch> item = co_await take();
        if (!item) {
            co_return;
        }
        co_await see_through(std::move(*item));
    }
}

asio::awaitable<bool> engine::cancelled() {
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() == asio::cancellation_type::none) {
        co_return false;
    }
    give_up(failure(errc::cancelled, "the run was cancelled; what was done is kept"));
    co_return true;
}

// Reading is one at a time; the first batch goes alone until its reply has shown what a job costs.
asio::awaitable<std::optional<batch>> engine::take() {
    runtime::wait_queue::place place(reading_);
    while (!place.first()) {
        const wait_outcome outcome = co_await place.wait_until(no_deadline);
        if (outcome == wait_outcome::cancelled) {
            co_return std::nullopt;
        }
    }
    if (first_job_under_way_ && !first_job_done_) {
        runtime::wait_queue::place behind(first_job_);
        while (!first_job_done_ && !stopping()) {
            const wait_outcome outcome = co_await behind.wait_until(no_deadline);
            if (outcome == wait_outcome::cancelled) {
                co_return std::nullopt;
            }
        }
    }
    const bool ended = co_await cancelled();
    if (ended || stopping() || counted_.ended) {
        co_return std::nullopt;
    }
    std::optional<batch> taken;
    batch_limits limits = limits_;
    limits.rows = rows_in_a_job(limits.rows);
    std::function<result<void>()> read = [this, &taken, limits]() -> result<void> {
        auto next = reader_.next(limits);
        if (!next) {
            return next.error();
        }
        taken = std::move(*next);
        return {};
    };
    const bool good = co_await on_disk(std::move(read));
    if (!good) {
        co_return std::nullopt;
    }
    if (counted_.ended) {
        rows_total_ = counted_.rows_read;
    }
    first_job_under_way_ = first_job_under_way_ || (taken && taken->job_id.empty());
    co_return taken;
}

asio::awaitable<void> engine::see_through(batch first) {
    std::deque<batch> todo;
    todo.push_back(std::move(first));
    bool submitted = false;
    while (!todo.empty()) {
        batch item = std::move(todo.front());
        todo.pop_front();
        if (item.job_id.empty() && stopping()) {
            continue;  // Its rows are read again by the run that continues this one.
        }
        submitted = submitted || item.job_id.empty();
        co_await see_through_one(&item, &todo);
    }
    if (submitted) {
        first_job_shown();  // Or it never will be.
    }
}

void engine::first_job_shown() {
    if (!first_job_done_) {
        first_job_done_ = true;
        first_job_.wake_all();
    }
}

asio::awaitable<void> engine::see_through_one(batch* item, std::deque<batch>* todo) {
    if (item->job_id.empty()) {
        const bool in_flight = co_await submit(item, todo);
        if (!in_flight) {
            co_return;
        }
    }
    ++jobs_in_flight_;
    co_await settle_and_store(item, todo);
    --jobs_in_flight_;
}

progress engine::measure() {
    progress seen;
    const monotonic_time now = env_->now();
    seen.rows_done = counted_.rows_done_before + rows_done_now_;
    seen.rows_failed = counted_.rows_failed;
    seen.rows_read = counted_.rows_read;
    seen.rows_total = rows_total_;
    seen.jobs_in_flight = jobs_in_flight_;
    seen.jobs_done = report_.jobs;
    seen.batches_unknown = report_.unknown.size();
    seen.chunks_used = report_.chunks_used;
    seen.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - began_);
    rate_.note(now, rows_done_now_);
    seen.rows_per_second = rate_.rows_per_second();
    backend_->describe_gate(seen);
    seen.pauses -= gate_before_.pauses;
    seen.paused -= gate_before_.paused;
    return seen;
}

asio::awaitable<void> engine::tell_progress() {
    if (!options_->on_progress) {
        co_return;
    }
    for (;;) {
        const auto interval = std::max(options_->progress_interval, progress_interval_min);
        const monotonic_time next = deadline_after(env_->now(), interval);
        const wait_outcome outcome = co_await sleep_until(env_, next);
        try {
            options_->on_progress(measure());
        } catch (const std::exception& e) {
            give_up(failure(errc::callback_failed, std::string("on_progress threw: ") + e.what()));
            co_return;
        } catch (...) {
            give_up(failure(errc::callback_failed, "on_progress threw"));
            co_return;
        }
        if (outcome == wait_outcome::cancelled) {
            co_return;  // After a last word.
        }
    }
}

void engine::explain() {
    std::string& message = report_.message;
    switch (report_.reason) {
        case stop_reason::complete:
            message = report_.rows_failed == 0
                          ? "every row was embedded"
                          : std::to_string(report_.rows_failed) + " rows failed, all others were embedded";
            return;
        case stop_reason::parked_batches:
            message = std::to_string(rows_parked_) +
                      " rows are in batches that were sent and never answered: they may exist and be charged";
            return;
        default: message = stop_message_; return;
    }
}

asio::awaitable<result<bulk_report>> engine::conclude() {
    std::function<result<void>()> flush = [this] { return sink_->flush(); };
    const bool flushed = co_await on_disk(std::move(flush));
    if (fatal_ || !flushed) {
        if (!report_.unknown.empty()) {
            fatal_->message += "; " + std::to_string(report_.unknown.size()) +
                               " batches were sent and never answered: they may exist and be charged";
        }
        co_return *fatal_;
    }
    const progress last = measure();
    report_.rows_total = last.rows_read;
    report_.rows_done_before = counted_.rows_done_before;
    report_.rows_done = last.rows_done;
    report_.rows_failed = last.rows_failed;
    report_.elapsed = last.elapsed;
    report_.pauses = last.pauses;
    report_.paused = last.paused;
    const bool all = counted_.ended && report_.rows_done + report_.rows_failed == report_.rows_total;
    if (all) {
        report_.reason = stop_reason::complete;
        std::function<result<void>()> finish = [this] { return sink_->finish(report_.rows_total, report_.dimensions); };
        const bool finished = co_await on_disk(std::move(finish));
        if (!finished) {
            co_return *fatal_;
        }
    } else if (!stopped_ && jobs_left_ > 0) {
        report_.reason = stop_reason::service_busy;
        stop_message_ =
            std::to_string(jobs_left_) + " jobs were accepted and had not settled; the next run takes them up";
    } else if (!stopped_) {
        report_.reason = stop_reason::parked_batches;
    }
    if (!counted_.ended && rows_total_) {
        report_.rows_total = std::max(report_.rows_total, *rows_total_);
    }
    explain();
    co_return report_;
}

}  // namespace vembed::bulk
