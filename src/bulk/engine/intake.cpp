#include "bulk/engine/intake.hpp"

#include <utility>

#include "core/thrown.hpp"

namespace vembed::bulk {
namespace {

// Rows that an async source is asked for ahead of need.
constexpr std::size_t feed_rows = 256;
// Limits of one read from a blocking source: rows, and the time for which a run may notice nothing.
constexpr std::size_t part_rows = 4096;
constexpr std::chrono::milliseconds part_time{50};
constexpr std::uint64_t feed_bytes = 1 << 20;
// Bytes of text that are read for others who wait to read.
constexpr std::uint64_t read_ahead_bytes = 1 << 20;

}  // namespace

asio::awaitable<std::optional<batch>> corpus_intake::take() {
    runtime::wait_queue::place place(reading_);
    while (!place.first()) {
        const wait_outcome outcome = co_await place.wait_until(no_deadline);
        if (outcome == wait_outcome::cancelled) {
            co_return std::nullopt;
        }
    }
    if (run_->first.holds_others()) {
        std::function<bool()> held = [run = run_] { return run->first.holds_others() && !run->end.stopping(); };
        co_await run_->wait_in(&run_->lines.first_job, std::move(held));
    }
    if (read_.empty() && !all_read_) {
        co_await read_ahead();
    }
    const bool ended = co_await run_->end.cancelled();
    if (ended || run_->end.stopping() || read_.empty()) {
        co_return std::nullopt;
    }
    batch taken = std::move(read_.front());
    read_.pop_front();
    if (taken.job_id.empty()) {
        run_->first.begin();
    }
    co_return taken;
}

// Reads a batch for each of those who wait for one, so that they need not wait for the disk one after the other.
asio::awaitable<void> corpus_intake::read_ahead() {
    bool hungry = true;
    while (hungry) {
        const step fed = co_await fill_feed();
        const bool ended = co_await run_->end.cancelled();
        if (fed == step::over || ended || run_->end.stopping()) {
            co_return;
        }
        const step read = co_await read_batches(&hungry);
        if (read == step::over) {
            co_return;
        }
    }
}

asio::awaitable<step> corpus_intake::read_batches(bool* hungry) {
    const std::size_t wanted = run_->first.batches_to_read(reading_.size());
    std::uint64_t bytes_read = 0;
    disk_work reading;
    reading.work = [this, wanted, hungry, &bytes_read, limits = run_->packing()]() -> result<void> {
        while (read_.size() < wanted && bytes_read < read_ahead_bytes) {
            auto next = run_->reader.next(limits);
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
        *hungry = read_.empty() && run_->reader.is_hungry();
        return {};
    };
    const step done = co_await run_->on_disk(std::move(reading));
    if (done == step::over) {
        co_return step::over;
    }
    if (run_->counted.ended) {
        run_->rows_total = run_->counted.rows_read;
        all_read_ = read_.size() < wanted && bytes_read < read_ahead_bytes;
    }
    // Cached rows and the rows that jobs bring must be of one model, whichever came first.
    if (const auto other = run_->model.admit_cached(run_->counted.spec_hash_of_cached)) {
        run_->end.give_up(*other);
    }
    co_return step::go_on;
}

// Reads a part of a corpus whose source blocks. It runs on a thread for sources; nobody reads the feed meanwhile.
result<void> corpus_intake::read_part(monotonic_time until) {
    do {
        result<std::optional<source_row>> next = run_->parts.source.rows->next();
        if (!next) {
            return next.error();
        }
        if (!*next) {
            run_->fed.end();
            return {};
        }
        run_->fed.push(std::move(**next));
    } while (run_->fed.rows() < part_rows && run_->fed.bytes() < feed_bytes && run_->parts.now() < until);
    return {};
}

asio::awaitable<step> corpus_intake::fill_from_rows() {
    while (run_->fed.hungry() && !run_->end.stopping()) {
        result<void> read;
        std::function<void()> part = [this, &read, until = deadline_after(run_->parts.now(), part_time)] {
            read = read_part(until);
        };
        try {
            co_await run_->parts.env->read_blocking(std::move(part));
        } catch (...) {
            read = thrown_failure("the source");
        }
        if (!read) {
            run_->end.give_up(read.error());
            co_return step::over;
        }
    }
    co_return step::go_on;
}

asio::awaitable<step> corpus_intake::fill_feed() {
    if (run_->parts.source.rows != nullptr) {
        co_return co_await fill_from_rows();
    }
    feed& fed = run_->fed;
    while (!fed.ended() && !run_->end.stopping() && fed.rows() < feed_rows && fed.bytes() < feed_bytes) {
        result<std::optional<source_row>> next = std::optional<source_row>();
        try {
            next = co_await run_->parts.source.async->next();
        } catch (...) {
            next = thrown_failure("the source");
        }
        // What a source returns or throws is not its fault if the run was cancelled.
        const bool ended = co_await run_->end.cancelled();
        if (!next && !ended) {
            run_->end.give_up(next.error());
        }
        if (!next || ended) {
            co_return step::over;
        }
        if (*next) {
            fed.push(std::move(**next));
        } else {
            fed.end();
        }
    }
    co_return step::go_on;
}

}  // namespace vembed::bulk
