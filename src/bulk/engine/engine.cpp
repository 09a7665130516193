// The engine's frame: what it begins with, its workers, and what all of its parts use.

#include "bulk/engine/engine.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "core/thrown.hpp"

namespace vembed::bulk {
namespace {

// What is asked of an async source ahead of need.
constexpr std::size_t feed_rows = 256;
// What is read at once of one that blocks, and how long a run may take to hear anything meanwhile.
constexpr std::size_t part_rows = 4096;
constexpr std::chrono::milliseconds part_time{50};
constexpr std::uint64_t feed_bytes = 1 << 20;
// What is read for others who wait to read.
constexpr std::uint64_t read_ahead_bytes = 1 << 20;

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

reader_parts parts_of(feed* from, row_sink* sink, const bulk_options& options, saved_rows* saved) {
    reader_parts parts;
    parts.source = from;
    parts.fed_by = from;
    parts.sink = sink;
    parts.journal = options.journal;
    parts.saved = options.cache != nullptr ? saved : nullptr;
    parts.on_error = options.on_error;
    return parts;
}

}  // namespace

engine::engine(asio::any_io_executor executor, std::shared_ptr<environment> env, job_backend* backend,
               corpus_source source, row_sink* sink, std::shared_ptr<bulk_options> options, monotonic_time deadline)
    : executor_(std::move(executor)),
      env_(std::move(env)),
      backend_(backend),
      source_(source),
      sink_(sink),
      options_(std::move(options)),
      journal_(options_->journal),
      deadline_(deadline),
      began_(env_->now()),
      disk_(env_, sink_, journal_),
      reader_(parts_of(&feed_, sink, *options_, &saved_)),
      in_flight_(executor_, env_, std::max<std::uint32_t>(options_->jobs_in_flight, 1)),
      reading_(executor_, env_),
      first_job_(executor_, env_),
      budget_(executor_, env_),
      quota_(executor_, env_),
      outage_(executor_, env_),
      asking_(executor_, env_),
      suspicion_(executor_, env_),
      rows_total_(source.size_hint()) {}

void engine::wake_all() {
    first_job_.wake_all();
    budget_.wake_all();
    quota_.wake_all();
    outage_.wake_all();
    asking_.wake_all();
    suspicion_.wake_all();
}

void engine::stop(stop_reason reason, std::string why, std::optional<std::chrono::seconds> resume_after) {
    if (stopping()) {
        return;
    }
    stopped_ = true;
    report_.reason = reason;
    report_.resume_after = resume_after;
    stop_message_ = std::move(why);
    backend_->stop_submitting();
    wake_all();
}

void engine::give_up(const failure& f) {
    if (!fatal_) {
        fatal_ = f;
        backend_->stop_submitting();
        wake_all();
    }
}

asio::awaitable<bool> engine::on_disk(disk_work what) {
    reader_counts counted;
    what.work = [this, &counted, inner = std::move(what.work)] {
        result<void> done = inner ? inner() : result<void>();
        counted = reader_.counts();
        return done;
    };
    const result<void> done = co_await disk_.run(std::move(what));
    counted_ = counted;
    if (!done) {
        give_up(done.error());
    }
    co_return done.has_value();
}

void engine::note_facts(std::vector<journal_change>& changes) {
    if (backend_->rows_per_chunk() > 0) {
        facts_.rows_per_chunk = backend_->rows_per_chunk();
    }
    if (journal_ != nullptr && facts_ != recorded_facts_) {
        changes.push_back(journal_change::remember(facts_));
        recorded_facts_ = facts_;
    }
}

asio::awaitable<bool> engine::record(journal_change change) {
    if (journal_ == nullptr) {
        co_return true;
    }
    disk_work what;
    what.changes.push_back(std::move(change));
    note_facts(what.changes);
    co_return co_await on_disk(std::move(what));
}

asio::awaitable<bool> engine::forget(const batch* item, std::uint64_t chunks_charged) {
    leaves_journal(*item);
    journal_change change = journal_change::forget(item->number, chunks_charged);
    co_return co_await record(std::move(change));
}

asio::awaitable<void> engine::learn_limits_into(result<void>* outcome) {
    *outcome = co_await learn_limits();
}

// Nothing is under way yet, so a stop need not wait for a service that may not even be found.
asio::awaitable<result<void>> engine::learn_limits_until_stopped() {
    result<void> outcome = failure(errc::cancelled, "stopped while the account's limits were read");
    const auto asking = std::make_shared<runtime::task_group>(executor_, env_);
    asking->spawn(learn_limits_into(&outcome));
    std::optional<stop_listener> listener;
    if (!options_->stop.stop_requested()) {
        // The listener's call may come when this has ended.
        std::function<void()> give_up = [weak = std::weak_ptr(asking)] {
            if (const auto still = weak.lock()) {
                still->cancel();
            }
        };
        listener.emplace(options_->stop, executor_, std::move(give_up));
    }
    const bool undisturbed = co_await asking->join();
    if (!undisturbed) {
        co_return failure(errc::cancelled, "cancelled while the account's limits were read");
    }
    co_return outcome;
}

asio::awaitable<result<bulk_report>> engine::run() {
    const std::shared_ptr<engine> self = shared_from_this();
    if (options_->job_timeout <= std::chrono::seconds(0)) {
        co_return failure(errc::invalid_argument, "job_timeout must be longer than nothing");
    }
    if (options_->jobs_in_flight > bulk_options::jobs_in_flight_max) {
        co_return failure(errc::invalid_argument, "jobs_in_flight is 10,000 at most");
    }
    backend_->describe_gate(gate_before_);
    const result<void> prepared = co_await prepare();
    if (!prepared) {
        co_return prepared.error();
    }
    std::function<void()> on_stop = [weak = weak_from_this()] {
        if (const std::shared_ptr<engine> alive = weak.lock()) {
            alive->stop(stop_reason::stopped, "stopped as asked");
        }
    };
    const stop_listener listener(options_->stop, executor_, std::move(on_stop));
    if (options_->stop.stop_requested()) {
        stop(stop_reason::stopped, "stopped as asked");  // Nothing is begun before the listener is heard.
    }
    rate_.note(env_->now(), 0);
    runtime::task_group teller(executor_, env_);
    teller.spawn(tell_progress());
    co_await run_workers();
    teller.cancel();
    co_await teller.join();
    co_return co_await conclude();
}

// A source that is waited for knows nothing of the run's deadline.
asio::awaitable<void> engine::watch_deadline(runtime::task_group* workers) {
    const wait_outcome outcome = co_await sleep_until(env_, deadline_);
    if (outcome == wait_outcome::expired) {
        give_up(failure(errc::timeout, "the deadline passed while the corpus was read"));
        workers->cancel();
    }
}

asio::awaitable<void> engine::run_workers() {
    runtime::task_group workers(executor_, env_);
    runtime::task_group watch(executor_, env_);
    if (deadline_ != no_deadline) {
        watch.spawn(watch_deadline(&workers));
    }
    const std::uint64_t count = std::max<std::uint32_t>(options_->jobs_in_flight, 1) + storing_at_once_;
    for (std::uint64_t i = 0; i < count; ++i) {
        workers.spawn(work());
    }
    bool undisturbed = true;
    try {
        undisturbed = co_await workers.join();
        if (undisturbed && !report_.unknown.empty()) {
            workers.spawn(settle_unknown());
            undisturbed = co_await workers.join();
        }
    } catch (...) {
        // Memory ran out, for instance. The teller still refers to this engine and must end first.
        give_up(thrown_failure("a part of the run"));
    }
    watch.cancel();
    co_await watch.join();
    if (!undisturbed && !fatal_) {
        fatal_ = run_cancelled();
    }
}

asio::awaitable<void> engine::work() {
    // A context that is destroyed with runs under way ends their coroutines in any order.
    const std::shared_ptr<engine> self = shared_from_this();
    for (;;) {
        job_place place;
        // Read before there is a place for it: the place is not kept waiting for the disk.
        std::optional<batch> item = co_await take();
        if (!item) {
            co_return;
        }
        co_await see_through(std::move(*item), &place);
    }
}

failure engine::run_cancelled() {
    return {errc::cancelled, "the run was cancelled; what was done is kept"};
}

asio::awaitable<bool> engine::cancelled() {
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() == asio::cancellation_type::none) {
        co_return false;
    }
    give_up(run_cancelled());
    co_return true;
}

// The first batch goes alone until its reply has shown what a job costs.
asio::awaitable<void> engine::await_reading_turn() {
    if (!first_job_under_way_ || first_job_done_) {
        co_return;
    }
    runtime::wait_queue::place behind(first_job_);
    while (!first_job_done_ && !stopping()) {
        const wait_outcome outcome = co_await behind.wait_until(no_deadline);
        if (outcome == wait_outcome::cancelled) {
            co_return;
        }
    }
}

// Reading is one at a time.
asio::awaitable<std::optional<batch>> engine::take() {
    runtime::wait_queue::place place(reading_);
    while (!place.first()) {
        const wait_outcome outcome = co_await place.wait_until(no_deadline);
        if (outcome == wait_outcome::cancelled) {
            co_return std::nullopt;
        }
    }
    co_await await_reading_turn();
    if (read_.empty() && !all_read_) {
        co_await read_ahead();
    }
    const bool ended = co_await cancelled();
    if (ended || stopping() || read_.empty()) {
        co_return std::nullopt;
    }
    batch taken = std::move(read_.front());
    read_.pop_front();
    first_job_under_way_ = first_job_under_way_ || taken.job_id.empty();
    co_return taken;
}

// Reads a batch for each of those who wait for one, so that they need not wait for the disk one after the other.
asio::awaitable<void> engine::read_ahead() {
    bool hungry = true;
    while (hungry) {
        const bool fed = co_await fill_feed();
        const bool ended = co_await cancelled();
        if (!fed || ended || stopping()) {
            co_return;
        }
        const std::size_t wanted = first_job_done_ ? reading_.size() : 1;
        std::uint64_t bytes_read = 0;
        disk_work reading;
        reading.work = [this, wanted, &hungry, &bytes_read, limits = packing()]() -> result<void> {
            while (read_.size() < wanted && bytes_read < read_ahead_bytes) {
                auto next = reader_.next(limits);
                if (!next) {
                    return next.error();
                }
                if (!*next) {
                    break;
                }
                for (const std::string& text : *(*next)->texts) {
                    bytes_read += text.size();
                }
                read_.push_back(std::move(**next));
            }
            hungry = read_.empty() && reader_.is_hungry();
            return {};
        };
        const bool good = co_await on_disk(std::move(reading));
        if (!good) {
            co_return;
        }
        if (counted_.ended) {
            rows_total_ = counted_.rows_read;
            all_read_ = read_.size() < wanted && bytes_read < read_ahead_bytes;
        }
        pin_cached();
    }
}

// A part of a corpus whose source blocks. On a thread for sources, while nobody reads the feed.
result<void> engine::read_part(monotonic_time until) {
    do {
        result<std::optional<source_row>> next = source_.rows->next();
        if (!next) {
            return next.error();
        }
        if (!*next) {
            feed_.end();
            return {};
        }
        feed_.push(std::move(**next));
    } while (feed_.rows() < part_rows && feed_.bytes() < feed_bytes && env_->now() < until);
    return {};
}

// False if the source failed or the run was cancelled.
asio::awaitable<bool> engine::fill_from_rows() {
    while (feed_.hungry() && !stopping()) {
        result<void> read;
        std::function<void()> part = [this, &read, until = deadline_after(env_->now(), part_time)] {
            read = read_part(until);
        };
        try {
            co_await env_->read_blocking(std::move(part));
        } catch (...) {
            read = thrown_failure("the source");
        }
        if (!read) {
            give_up(read.error());
            co_return false;
        }
    }
    co_return true;
}

// False where the source failed.
asio::awaitable<bool> engine::fill_feed() {
    if (source_.rows != nullptr) {
        co_return co_await fill_from_rows();
    }
    while (!feed_.ended() && !stopping() && feed_.rows() < feed_rows && feed_.bytes() < feed_bytes) {
        result<std::optional<source_row>> next = std::optional<source_row>();
        try {
            next = co_await source_.async->next();
        } catch (...) {
            next = thrown_failure("the source");
        }
        // What a source says or throws because the run was cancelled is no fault of it.
        const bool ended = co_await cancelled();
        if (!next && !ended) {
            give_up(next.error());
        }
        if (!next || ended) {
            co_return false;
        }
        if (*next) {
            feed_.push(std::move(**next));
        } else {
            feed_.end();
        }
    }
    co_return true;
}

asio::awaitable<void> engine::see_through(batch first, job_place* place) {
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
        co_await in_flight_.acquire(&place->in_flight);  // Who is cancelled here is told so by what follows.
        co_await see_through_one(&item, &todo, place);
        place->storing.release();
    }
    if (submitted) {
        first_job_shown();  // Or it never will be.
    }
}

asio::awaitable<void> engine::see_through_one(batch* item, std::deque<batch>* todo, job_place* place) {
    if (item->job_id.empty()) {
        const bool in_flight = co_await submit(item, todo);
        if (!in_flight) {
            co_return;
        }
    }
    co_await settle_and_store(item, todo, place);
}

}  // namespace vembed::bulk
