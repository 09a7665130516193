#pragma once
/// The account's gate: everything that an account sends passes here, in order, when the quota ledger and the service's
/// own Retry-After allow it. One gate per account, shared by all callers of it on one executor.

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <vembed/core/result.hpp>
#include <vembed/runtime/environment.hpp>

#include "policy/quota_ledger.hpp"
#include "runtime/wait_queue.hpp"

namespace vembed::admission {

/// Who goes first: an interactive call is let in ahead of a bulk run's next batch.
enum class priority : std::uint8_t { interactive, bulk };

/// Lets a whole run withdraw its applications that still wait.
class withdrawal {
public:
    bool requested = false;

    withdrawal() = default;
};

class applicant {
public:
    priority who = priority::interactive;
    std::shared_ptr<const withdrawal> run;  ///< May be null.

    applicant() = default;
    applicant(priority first_or_last, std::shared_ptr<const withdrawal> of) : who(first_or_last), run(std::move(of)) {}
};

class gate;

/// An admitted job's share of the quota. Tell it what became of the job; destroyed without a word it assumes the worst
/// that its state allows: before sent() nothing was used, after sent() the outcome is unknown and the share is spent.
class lease {
public:
    lease() = default;
    lease(std::shared_ptr<gate> from, std::uint64_t reservation);
    lease(lease&& other) noexcept;
    lease& operator=(lease&& other) noexcept;
    ~lease();

    /// The request is about to be written.
    void sent() noexcept { sent_ = true; }
    /// The service accepted the job at that many chunks. It counts as in flight until end().
    void settle(std::uint64_t chunks);
    /// The service certainly did not accept the job.
    void release();
    /// The job reached a final state, or is not watched any longer.
    void end();

private:
    enum class state : std::uint8_t { empty, reserved, settled };
    void abandon() noexcept;

    std::shared_ptr<gate> gate_;
    std::uint64_t reservation_ = 0;
    state state_ = state::empty;
    bool sent_ = false;
};

/// What the gate has seen, for progress and reports.
class gate_statistics {
public:
    std::uint64_t pauses = 0;
    std::chrono::milliseconds paused{0};
    std::string limited_by;  ///< What the first in line waits for now; empty where nothing waits.

    gate_statistics() = default;
};

class gate : public std::enable_shared_from_this<gate> {
public:
    gate(asio::any_io_executor executor, std::shared_ptr<environment> env, policy::quota_limits limits);

    /// Waits for its turn and for room, then reserves `chunks`. Failures: quota_exceeded where the day's or the
    /// period's quota is used up (with retry_after where known); at once, what closed the gate (rate_limited,
    /// too_many_inflight, service_busy) where it stays closed past the deadline; timeout; cancelled, also when the
    /// applicant's run withdrew.
    asio::awaitable<result<lease>> enter(std::uint64_t chunks, applicant from, monotonic_time deadline);

    /// Whether pass() would return at once.
    [[nodiscard]] bool is_open() const { return env_->now() >= open_at_; }

    /// Waits only while the gate is closed by the service: for requests that cost no quota. Fails as enter().
    asio::awaitable<result<void>> pass(monotonic_time deadline);

    /// The service asked for quiet, in `why`, for `delay`: nothing passes until then, plus a little jitter. The longest
    /// wish wins.
    void pause(std::chrono::seconds delay, const failure& why);

    /// Lets everyone who waits look at their withdrawal.
    void recheck() noexcept;

    /// The service answered too_many_inflight.
    void inflight_refused();

    void resync(const policy::quota_limits& limits, std::optional<std::uint64_t> chunks_consumed_period,
                std::string period);

    [[nodiscard]] gate_statistics statistics() const;
    [[nodiscard]] std::uint64_t jobs_in_flight() const noexcept { return ledger_.jobs_in_flight(); }

private:
    friend class lease;
    class departure;

    runtime::wait_queue& line(priority who) noexcept { return who == priority::interactive ? interactive_ : bulk_; }
    [[nodiscard]] bool leads(const runtime::wait_queue::place& place, priority who) const noexcept;
    void wake_leader() noexcept;
    [[nodiscard]] failure closed_past_deadline() const;

    std::shared_ptr<environment> env_;
    policy::quota_ledger ledger_;
    runtime::wait_queue interactive_;
    runtime::wait_queue bulk_;
    monotonic_time open_at_{};
    failure closed_by_;
    std::uint64_t pauses_ = 0;
    monotonic_clock::duration paused_{0};
    policy::quota_bound bound_ = policy::quota_bound::none;
};

}  // namespace vembed::admission
