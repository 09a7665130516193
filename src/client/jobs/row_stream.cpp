#include <vembed/client/row_stream.hpp>

#include <chrono>
#include <deque>
#include <list>
#include <map>
#include <mutex>
#include <stop_token>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <vembed/bulk/sink.hpp>
#include <vembed/client/client.hpp>
#include <vembed/corpus/async_source.hpp>

#include "client/client_core.hpp"
#include "runtime/wait_queue.hpp"

namespace vembed {
namespace {

constexpr std::size_t block_rows = 64;
// The time limit of one read from a slow source; a stop is noticed between two reads.
constexpr std::chrono::milliseconds block_time{50};
// The number of rows that the engine reads ahead of the job that it packs.
constexpr std::uint64_t slack_rows = 512;

std::uint64_t window_of(const bulk_options& options) {
    return std::uint64_t{options.rows_per_job} * (std::uint64_t{options.jobs_in_flight} + 1) + slack_rows;
}

}  // namespace

/// The source and the sink of the run, and the rows between the sink and the consumer. The sink runs on the worker
/// thread, the source on the client's executor, the consumer on any executor; mutex_ guards what they share.
class row_stream::state final : public std::enable_shared_from_this<row_stream::state>,
                                public async_row_source,
                                public row_sink {
public:
    state(std::shared_ptr<detail::client_core> core, row_source* source, std::uint64_t window)
        : core_(std::move(core)), source_(source), window_(window), producer_(core_->executor, core_->env) {}

    // The consumer's side runs in the consumer's own coroutine, on its executor.

    // Only a call that was not cancelled takes a row, and it does not suspend between that check and its end.
    asio::awaitable<result<std::optional<streamed_row>>> take() {
        const std::shared_ptr<state> self = shared_from_this();
        const asio::any_io_executor here = co_await asio::this_coro::executor;
        const waiting_place place(*this, here);
        for (;;) {
            const asio::cancellation_state asked = co_await asio::this_coro::cancellation_state;
            if (asked.cancelled() != asio::cancellation_type::none) {
                co_return error(errc::cancelled, "cancelled while waiting for the next row");
            }
            taken next = pop();
            if (next.row) {
                if (next.producer_waits) {
                    tell_producer();
                }
                co_return std::move(next.row);
            }
            if (next.ended) {
                co_return *next.ended ? result<std::optional<streamed_row>>(std::optional<streamed_row>())
                                      : next.ended->error();
            }
            const wait_outcome outcome = co_await place.wait();
            if (outcome == wait_outcome::cancelled) {
                co_return error(errc::cancelled, "cancelled while waiting for the next row");
            }
        }
    }

    asio::awaitable<result<bulk_report>> wait_for_end() {
        const std::shared_ptr<state> self = shared_from_this();
        const asio::any_io_executor here = co_await asio::this_coro::executor;
        const waiting_place place(*this, here);
        for (;;) {
            std::optional<result<bulk_report>> ended = how_it_ended();
            if (ended) {
                co_return std::move(*ended);
            }
            const wait_outcome outcome = co_await place.wait();
            if (outcome == wait_outcome::cancelled) {
                co_return error(errc::cancelled, "cancelled while waiting for the run to end");
            }
        }
    }

    void end(result<bulk_report> how) {
        {
            const std::scoped_lock lock(mutex_);
            ended_ = std::move(how);
        }
        tell_consumer();
    }

    // The caller's source may be destroyed once this has returned: it is not used any more.
    void detach_source() {
        const std::scoped_lock lock(source_mutex_);
        source_ = nullptr;
    }

    void cancel() { cancelled_.request_stop(); }
    [[nodiscard]] std::stop_token cancellation() const { return cancelled_.get_token(); }

    // The run's source reads the caller's source, no further ahead than the window.

    asio::awaitable<result<std::optional<source_row>>> next() override {
        runtime::wait_queue::place place(producer_);
        while (!may_read_on()) {
            const wait_outcome outcome = co_await place.wait_until(no_deadline);
            if (outcome == wait_outcome::cancelled) {
                co_return error(errc::cancelled, "cancelled while waiting for the stream's consumer");
            }
        }
        if (block_.empty() && !source_ended_) {
            result<void> read;
            std::function<void()> work = [this, &read] { read = read_block(); };
            co_await core_->env->read_blocking(std::move(work));
            if (!read) {
                co_return read.error();
            }
        }
        if (block_.empty()) {
            co_return std::optional<source_row>();
        }
        std::optional<source_row> row = std::move(block_.front());
        block_.pop_front();
        ++given_;
        co_return row;
    }

    [[nodiscard]] std::optional<std::uint64_t> size_hint() const override {
        const std::scoped_lock lock(source_mutex_);
        return source_ != nullptr ? source_->size_hint() : std::nullopt;
    }

    // The functions of the run's sink.

    result<void> declare_row(std::uint64_t index, const source_row& row) override {
        if (!row.id.empty()) {
            const std::scoped_lock lock(mutex_);
            ids_.emplace(index, row.id);
        }
        return {};
    }

    result<void> write_receipt(const job_evidence&) override { return {}; }

    result<void> write(const row_batch& rows) override {
        {
            const std::scoped_lock lock(mutex_);
            for (std::size_t i = 0; i < rows.indices.size(); ++i) {
                const std::span<const float> values = rows.values.subspan(i * rows.dimensions, rows.dimensions);
                streamed_row& row = ready_[rows.indices[i]];
                row.values.assign(values.begin(), values.end());
                row.problem.reset();
            }
        }
        tell_consumer();
        return {};
    }

    result<void> fail(const failed_row& failed) override {
        {
            const std::scoped_lock lock(mutex_);
            ready_[failed.index].problem = failed.reason;
        }
        tell_consumer();
        return {};
    }

    void skip(std::span<const std::uint64_t> indices, const error& why) override {
        {
            const std::scoped_lock lock(mutex_);
            for (const std::uint64_t index : indices) {
                streamed_row& row = ready_[index];
                row.values.clear();  // The values may have been written and then withdrawn.
                row.problem = why;
            }
        }
        tell_consumer();
    }

    result<void> flush() override { return {}; }
    result<void> finish(std::uint64_t, std::uint64_t) override { return {}; }

private:
    // A waiting call of the consumer; the state knows it while it waits.
    class waiter {
    public:
        waiter(const asio::any_io_executor& on, environment& env) : executor(on), pause(env.make_timer(on)) {}
        asio::any_io_executor executor;
        std::unique_ptr<timer> pause;
    };

    class waiting_place {
    public:
        waiting_place(state& whose, const asio::any_io_executor& executor)
            : whose_(&whose), waiter_(std::make_shared<waiter>(asio::make_strand(executor), *whose.core_->env)) {
            const std::scoped_lock lock(whose_->mutex_);
            whose_->waiters_.push_back(waiter_);
        }
        waiting_place(const waiting_place&) = delete;
        waiting_place& operator=(const waiting_place&) = delete;
        ~waiting_place() {
            const std::scoped_lock lock(whose_->mutex_);
            whose_->waiters_.remove(waiter_);
        }
        // Waits on the waiter's own strand, so that the consumer may be a coroutine that several threads run in turn.
        [[nodiscard]] asio::awaitable<wait_outcome> wait() const {
            return asio::co_spawn(waiter_->executor, wait_for_word(waiter_), asio::use_awaitable);
        }

    private:
        state* whose_;
        std::shared_ptr<waiter> waiter_;
    };

    static asio::awaitable<wait_outcome> wait_for_word(std::shared_ptr<waiter> who) {
        co_await asio::this_coro::throw_if_cancelled(false);
        co_return co_await who->pause->wait_until(no_deadline);
    }

    class taken {
    public:
        std::optional<streamed_row> row;
        std::optional<result<bulk_report>> ended;  ///< Set only if there is no row.
        bool producer_waits = false;
        taken() = default;
    };

    void tell_consumer() {
        const std::scoped_lock lock(mutex_);
        for (const std::shared_ptr<waiter>& each : waiters_) {
            asio::post(each->executor, [each] { each->pause->wake(); });
        }
    }

    void tell_producer() {
        asio::post(core_->executor, [weak = weak_from_this()] {
            if (const std::shared_ptr<state> alive = weak.lock()) {
                alive->producer_.wake_all();
            }
        });
    }

    [[nodiscard]] bool may_read_on() {
        const std::scoped_lock lock(mutex_);
        producer_waits_ = given_ >= next_ + window_;
        return !producer_waits_;
    }

    [[nodiscard]] std::optional<result<bulk_report>> how_it_ended() {
        const std::scoped_lock lock(mutex_);
        return ended_;
    }

    // Takes the next row in order. Once the run has ended, gaps are skipped.
    taken pop() {
        const std::scoped_lock lock(mutex_);
        taken found;
        // These values came after the row was reported as left out.
        ready_.erase(ready_.begin(), ready_.lower_bound(next_));
        if (ready_.empty() || (ready_.begin()->first != next_ && !ended_)) {
            found.ended = ended_;
            return found;
        }
        std::optional<streamed_row>& row = found.row;
        row = std::move(ready_.begin()->second);
        row->index = ready_.begin()->first;
        ready_.erase(ready_.begin());
        if (auto id = ids_.extract(row->index)) {
            row->id = std::move(id.mapped());
        }
        next_ = row->index + 1;
        found.producer_waits = producer_waits_;
        return found;
    }

    result<void> read_block() {
        const monotonic_time until = deadline_after(core_->env->now(), block_time);
        while (block_.size() < block_rows && (block_.empty() || core_->env->now() < until)) {
            // The lock is held for one row only, so that detach_source() does not wait longer.
            const std::scoped_lock lock(source_mutex_);
            if (source_ == nullptr) {
                return error(errc::cancelled, "the stream was given up");
            }
            auto row = source_->next();
            if (!row) {
                return row.error();
            }
            if (!*row) {
                source_ended_ = true;
                break;
            }
            block_.push_back(std::move(**row));
        }
        return {};
    }

    std::shared_ptr<detail::client_core> core_;
    mutable std::mutex source_mutex_;
    row_source* source_;  ///< Null after detach_source().
    const std::uint64_t window_;
    std::uint64_t given_ = 0;
    std::deque<source_row> block_;
    bool source_ended_ = false;
    runtime::wait_queue producer_;
    std::stop_source cancelled_;

    std::mutex mutex_;
    std::optional<result<bulk_report>> ended_;
    std::list<std::shared_ptr<waiter>> waiters_;
    bool producer_waits_ = false;
    std::map<std::uint64_t, streamed_row> ready_;
    std::map<std::uint64_t, std::string> ids_;
    std::uint64_t next_ = 0;
};

row_stream& row_stream::operator=(row_stream&& other) noexcept {
    row_stream taken(std::move(other));  // Its destructor cancels the stream that this object held.
    std::swap(state_, taken.state_);
    return *this;
}

row_stream::~row_stream() {
    if (state_) {
        state_->cancel();
        state_->detach_source();
    }
}

asio::awaitable<result<std::optional<streamed_row>>> row_stream::next() {
    return state_->take();
}

asio::awaitable<result<bulk_report>> row_stream::close() {
    state_->cancel();  // This has no effect if the run has ended.
    return state_->wait_for_end();
}

result<row_stream> client::stream_corpus(row_source& source, bulk_options options) {
    if (options.journal != nullptr) {
        return error(errc::invalid_argument, "a stream keeps nothing, so it cannot be continued: give it no journal");
    }
    const auto run = std::make_shared<row_stream::state>(core_, &source, window_of(options));
    call_options call;
    call.stop = run->cancellation();
    embed_corpus(static_cast<async_row_source&>(*run), *run, std::move(options), std::move(call))
        .start([run](result<bulk_report> how) { run->end(std::move(how)); });
    return row_stream(run);
}

}  // namespace vembed
