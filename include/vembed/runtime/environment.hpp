#pragma once
/// @file
/// Time, randomness, blocking work and the log, as one interface. Everything outside this module that waits, measures
/// or draws random numbers goes through it, so the same code runs on the machine's clocks or on a simulated one.

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <vembed/core/time.hpp>
#include <vembed/runtime/log.hpp>

namespace vembed {

namespace asio = boost::asio;

/// How a wait ended.
enum class wait_outcome : std::uint8_t { woken, expired, cancelled };

/// The one thing coroutines suspend on besides sockets: waits until it is woken or a deadline passes.
///
/// At most one waiter at a time. All calls are made on the executor the timer was made for.
class timer {
public:
    timer() = default;
    timer(const timer&) = delete;
    timer& operator=(const timer&) = delete;
    virtual ~timer() = default;

    /// Suspends until wake() (woken), `deadline` (expired) or a cancellation of the awaiting coroutine (cancelled).
    /// A wake() that came before is not lost: the next wait returns at once.
    virtual asio::awaitable<wait_outcome> wait_until(monotonic_time deadline) = 0;

    /// Ends the wait under way, or the next one.
    virtual void wake() noexcept = 0;
};

/// The world as vembed sees it. Implementations: system_environment (below) and testing::simulated_environment.
class environment {
public:
    environment() = default;
    environment(const environment&) = delete;
    environment& operator=(const environment&) = delete;
    virtual ~environment() = default;

    [[nodiscard]] virtual monotonic_time now() const = 0;
    [[nodiscard]] virtual wall_time wall_now() const = 0;

    /// 64 evenly distributed bits, for jitter and identifiers of no cryptographic weight.
    [[nodiscard]] virtual std::uint64_t random() = 0;

    [[nodiscard]] virtual std::unique_ptr<timer> make_timer(const asio::any_io_executor& executor) = 0;

    /// Runs `work` on a thread that may block (files, SQLite) and resumes on the caller's executor. Calls run one at a
    /// time in the order made. An exception from `work` is rethrown to the awaiting coroutine. It cannot be cancelled:
    /// work once begun is finished.
    virtual asio::awaitable<void> run_blocking(std::function<void()> work) = 0;

    /// Like run_blocking(), but for reading a caller's source, which may wait for its rows as long as it likes: no work
    /// of run_blocking() waits behind it. Calls run one at a time in the order made, at the same time as
    /// run_blocking()'s.
    virtual asio::awaitable<void> read_blocking(std::function<void()> work) { return run_blocking(std::move(work)); }

    /// Whether records of that level go anywhere. If they do not, their fields need not be made.
    [[nodiscard]] virtual bool logs(log_level level) const noexcept {
        static_cast<void>(level);
        return true;
    }

    /// Passes a record to the hook, if there is one.
    virtual void log(log_level level, std::string_view event, std::initializer_list<log_field> fields) = 0;
};

/// The machine's own clocks, a seeded generator and two worker threads (started at first use), one of which only
/// reads sources. Thread-safe; may be shared by several clients. Records below `level` are dropped before their fields
/// are looked at.
std::shared_ptr<environment> make_system_environment(log_hook hook = {}, log_level level = log_level::info);

/// Sleeps until `deadline`. Returns expired, or cancelled if the awaiting coroutine was cancelled.
asio::awaitable<wait_outcome> sleep_until(std::shared_ptr<environment> env, monotonic_time deadline);

}  // namespace vembed
