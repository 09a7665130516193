#pragma once
/// The account's gate: every request of an account passes it, in order, when the quota ledger and the service's own
/// Retry-After allow it. One gate per account, shared by all its callers on one executor.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <vembed/core/quota.hpp>
#include <vembed/core/result.hpp>
#include <vembed/runtime/environment.hpp>

#include "admission/ledger_access.hpp"
#include "policy/quota/quota_ledger.hpp"
#include "runtime/wait_queue.hpp"

namespace vembed::admission {

/// Which of two waiters goes first: an interactive call is admitted before a bulk run's next batch.
enum class priority : std::uint8_t { interactive, bulk };

/// Lets a whole run withdraw its applications that still wait.
class withdrawal {
public:
    bool requested = false;

    withdrawal() = default;
};

/// Keeps a record of a job's tries that outlives the process. It is called for each try between the gate and the
/// request.
class send_record {
public:
    send_record() = default;
    send_record(const send_record&) = delete;
    send_record& operator=(const send_record&) = delete;
    virtual ~send_record() = default;

    /// The gate admitted the job; it is sent when this returns. An error prevents the request and is the application's
    /// result.
    virtual asio::awaitable<result<void>> about_to_send() = 0;

    /// The last try certainly had no effect, and the job is about to wait for another. An error prevents the other try.
    virtual asio::awaitable<result<void>> to_be_sent_again() = 0;
};

class applicant {
public:
    priority who = priority::interactive;
    std::shared_ptr<const withdrawal> run;  ///< May be null.
    send_record* record = nullptr;          ///< May be null; must outlive the application.

    applicant() = default;
    applicant(priority first_or_last, std::shared_ptr<const withdrawal> of) : who(first_or_last), run(std::move(of)) {}
};

/// The number of chunks a job will take: a number, or a function that is called when it is the job's turn, because
/// earlier jobs may have shown more by then.
class chunk_estimate {
public:
    chunk_estimate(std::uint64_t chunks) : chunks_(chunks) {}  // NOLINT(google-explicit-constructor)
    explicit chunk_estimate(std::function<std::uint64_t()> ask) : ask_(std::move(ask)) {}

    [[nodiscard]] std::uint64_t now() const { return ask_ ? ask_() : chunks_; }

private:
    std::uint64_t chunks_ = 0;
    std::function<std::uint64_t()> ask_;
};

class gate;

/// An admitted job's share of the quota. Its owner reports what became of the job. If the lease is destroyed before
/// that, it assumes the worst: before sent() the reservation is released; after sent() the job is in doubt and the
/// share counts as spent.
class lease {
public:
    lease() = default;
    /// `accepted`: the reservation belongs to a job that is already in flight.
    lease(std::shared_ptr<gate> from, std::uint64_t reservation, bool accepted);
    lease(lease&& other) noexcept;
    lease& operator=(lease&& other) noexcept;
    ~lease();

    /// The request is about to be written.
    void sent() noexcept { sent_ = true; }
    /// The service accepted the job and charges `chunks`. The job counts as in flight until end().
    void settle(std::uint64_t chunks);
    /// The service certainly did not accept the job.
    void release();
    /// The service refused the job with `why`: does what release() does and takes over what `why` says about the
    /// limits.
    void refused(const error& why);
    /// Unlike a submission, the request gets its response only when its work is done.
    void answers_late();
    /// The job reached a final state, or is no longer watched.
    void end();

private:
    enum class state : std::uint8_t { empty, reserved, settled };
    void abandon() noexcept;
    void tell(ledger_operation what);

    std::shared_ptr<gate> gate_;
    std::uint64_t reservation_ = 0;
    state state_ = state::empty;
    bool sent_ = false;
};

/// An admitted plain request's share of the windows of all calls. If it is destroyed, the response has ended: the call
/// counts from then until its windows have passed.
class call_lease {
public:
    call_lease() = default;
    call_lease(std::shared_ptr<gate> from, std::uint64_t number) noexcept : gate_(std::move(from)), number_(number) {}
    call_lease(call_lease&& other) noexcept = default;
    call_lease& operator=(call_lease&& other) noexcept;
    ~call_lease() { end(true); }

    /// Nothing of the request was sent: the call does not count.
    void not_sent() noexcept { end(false); }

private:
    void end(bool sent) noexcept;

    std::shared_ptr<gate> gate_;
    std::uint64_t number_ = 0;
};

/// Which of two plain requests goes first: one that somebody waits for, or a poll.
enum class call_rank : std::uint8_t { interactive, poll };

/// The gate's counts, for progress and reports.
class gate_statistics {
public:
    std::uint64_t pauses = 0;
    std::chrono::milliseconds paused{0};
    std::string limited_by;  ///< What the first in line waits for now; empty if nothing waits.
    quota_state quota;

    gate_statistics() = default;
};

/// The longest that a pause holds back requests that cost no quota, from when this gate first heard of the pause. They
/// are not held longer because they fetch what is already paid.
inline constexpr std::chrono::seconds held_at_most{120};
/// A bulk applicant does not stay in line if a pause lasts longer: its run ends and says when to come back.
inline constexpr std::chrono::minutes waited_in_line_at_most{15};

class gate : public std::enable_shared_from_this<gate> {
public:
    gate(asio::any_io_executor executor, std::shared_ptr<environment> env, policy::quota_limits limits);

    /// Waits for its turn and for free quota, then reserves `chunks`. Errors: quota_exceeded if the day's or the
    /// period's quota is used up (with retry_after if it is known); at once, the error that closed the gate
    /// (rate_limited, too_many_inflight, service_busy) if it stays closed past the deadline, or for a bulk applicant
    /// longer than waited_in_line_at_most; timeout; cancelled, also if the applicant's run withdrew.
    asio::awaitable<result<lease>> enter(chunk_estimate chunks, applicant from, monotonic_time deadline);

    /// A lease, already settled, for a job that an earlier process submitted and that is still in flight. It only
    /// counts as in flight: its chunks were counted when it was submitted.
    [[nodiscard]] lease adopt(std::uint64_t chunks);

    /// Whether pass() would return at once: no pause is on, and nobody is held back after one.
    [[nodiscard]] bool is_open();

    /// Whether the service asked for a pause that has not ended.
    [[nodiscard]] bool is_closed() const { return open_at_ > env_->now(); }

    /// For requests that cost no quota: waits while a pause of the service lasts, but at most held_at_most, and after
    /// it for its turn among those who come back. Errors are those of enter().
    asio::awaitable<result<void>> pass(monotonic_time deadline);

    /// Whether the service limits all calls: then every plain request enters by enter_call() instead of pass().
    [[nodiscard]] bool counts_calls() const noexcept { return counts_calls_; }

    /// For plain requests under the windows of all calls: waits for its turn, behind a pause of the service, and for
    /// room in both windows. A poll goes after interactive requests, and after submissions that wait for a window of
    /// calls or for a pause; an interactive request goes after interactive submissions that do. Errors are those of
    /// enter().
    asio::awaitable<result<call_lease>> enter_call(call_rank rank, monotonic_time deadline);

    /// Call it if the service asked for a pause of `delay`, in the error `why`: nothing enters until then, plus a
    /// little jitter, and after it callers come back one after the other. The longest of several pauses counts.
    void pause(std::chrono::seconds delay, const error& why);

    /// Wakes all who wait so that they look at their withdrawal.
    void recheck() noexcept;

    /// Takes over the account's limits and the service's own count.
    void resync(const policy::quota_limits& limits, const policy::period_count& counted);

    /// `call` is made when the service's own count should be requested: if the service says that a quota is used up,
    /// and for a bulk applicant if the last resync() was ten minutes ago. It is made at most once a minute, from within
    /// enter() or a lease.
    void on_resync_due(std::function<void()> call) { resync_due_ = std::move(call); }

    /// Uses `there` as the ledger from now on and adds the present ledger's state to it. `there` was made for owner().
    void move_ledger(std::shared_ptr<ledger_access> there);
    /// The number that marks this gate's reservations among those of others.
    [[nodiscard]] std::uint64_t owner() const noexcept { return owner_; }

    [[nodiscard]] gate_statistics statistics() const;
    [[nodiscard]] std::uint64_t jobs_in_flight() const;

private:
    friend class lease;
    friend class call_lease;
    class departure;

    runtime::wait_queue& line(priority who) noexcept { return who == priority::interactive ? interactive_ : bulk_; }
    [[nodiscard]] bool leads(const runtime::wait_queue::place& place, priority who) const noexcept;
    void wake_leader() noexcept;
    [[nodiscard]] error closed_until(monotonic_time until) const;
    /// The time until which the present pause holds back requests that cost no quota.
    [[nodiscard]] monotonic_time holds_until() const noexcept;
    void with_ledger(ledger_operation what);
    void look() {
        with_ledger([](const policy::quota_ledger&) {});
    }
    [[nodiscard]] bool leads(const runtime::wait_queue::place& place, call_rank rank) const noexcept;
    void wake_calls() noexcept;
    /// Whether the last submission that looked at the ledger waits for what plain requests use up.
    [[nodiscard]] bool submission_goes_first() const noexcept;
    [[nodiscard]] policy::admission_decision reserve_call(monotonic_time now);
    [[nodiscard]] policy::admission_decision reserve(monotonic_time now, std::uint64_t chunks, priority who);
    [[nodiscard]] monotonic_time look_again(monotonic_time now, monotonic_time at) const noexcept;
    /// Waits until it may be the turn of `place`, at the latest until `again`. An error if the deadline has passed, or
    /// if the gate stays closed past it.
    asio::awaitable<std::optional<error>> wait_in_line(runtime::wait_queue::place* place, monotonic_time now,
                                                       monotonic_time again, monotonic_time deadline);
    void ask_for_resync(monotonic_time now);

    std::shared_ptr<environment> env_;
    std::uint64_t owner_;
    std::shared_ptr<ledger_access> ledger_;
    runtime::wait_queue interactive_;
    runtime::wait_queue bulk_;
    runtime::wait_queue prompt_calls_;  ///< The plain requests that somebody waits for.
    runtime::wait_queue polls_;
    bool counts_calls_;
    monotonic_time asked_until_{};      ///< When the pause of own_pause_until_ ends without its jitter.
    monotonic_time own_pause_until_{};  ///< The end of the last pause that a response to this gate began.
    monotonic_time open_at_{};          ///< When the ledger's pause ends, as last read.
    monotonic_time heard_of_it_at_{};   ///< When this gate first saw that end.
    monotonic_time calm_at_{};          ///< When that pause no longer holds anybody back.
    monotonic_time seen_at_{};          ///< When the ledger was last read.
    error closed_by_;
    std::uint64_t pauses_ = 0;
    monotonic_clock::duration paused_{0};
    policy::quota_bound bound_ = policy::quota_bound::none;
    std::function<void()> resync_due_;
    std::optional<monotonic_time> resync_asked_at_;
};

}  // namespace vembed::admission
