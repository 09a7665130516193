#pragma once
/// The account's gate: everything that an account sends passes here, in order, when the quota ledger and the service's
/// own Retry-After allow it. One gate per account, shared by all callers of it on one executor.

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

/// Who goes first: an interactive call is let in ahead of a bulk run's next batch.
enum class priority : std::uint8_t { interactive, bulk };

/// Lets a whole run withdraw its applications that still wait.
class withdrawal {
public:
    bool requested = false;

    withdrawal() = default;
};

/// Keeps a record of a job's tries that outlives the process: told of each between the gate and the request.
class send_record {
public:
    send_record() = default;
    send_record(const send_record&) = delete;
    send_record& operator=(const send_record&) = delete;
    virtual ~send_record() = default;

    /// The gate let the job in; it is sent when this returns. A failure keeps it from being sent, and is what becomes
    /// of the application.
    virtual asio::awaitable<result<void>> about_to_send() = 0;

    /// That try certainly had no effect, and the job is about to wait for another. A failure keeps it from that.
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

/// How many chunks a job will take: a number, or what to ask when it is the job's turn, because those ahead of it may
/// have shown more by then.
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

/// An admitted job's share of the quota. Tell it what became of the job; destroyed without a word it assumes the worst
/// that its state allows: before sent() nothing was used, after sent() the outcome is unknown and the share is spent.
class lease {
public:
    lease() = default;
    /// `accepted`: the reservation is of a job that is in flight already.
    lease(std::shared_ptr<gate> from, std::uint64_t reservation, bool accepted);
    lease(lease&& other) noexcept;
    lease& operator=(lease&& other) noexcept;
    ~lease();

    /// The request is about to be written.
    void sent() noexcept { sent_ = true; }
    /// The service accepted the job at that many chunks. It counts as in flight until end().
    void settle(std::uint64_t chunks);
    /// The service certainly did not accept the job.
    void release();
    /// It answered with this refusal: as release(), and what it says about the account's limits is believed.
    void refused(const failure& why);
    /// The request is answered only when its work is done, unlike a submission.
    void answers_late();
    /// The job reached a final state, or is not watched any longer.
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

/// What the gate has seen, for progress and reports.
class gate_statistics {
public:
    std::uint64_t pauses = 0;
    std::chrono::milliseconds paused{0};
    std::string limited_by;  ///< What the first in line waits for now; empty where nothing waits.
    quota_state quota;

    gate_statistics() = default;
};

/// A pause holds back requests that cost no quota no longer than that, from when this gate first heard of it: they ask
/// for what is paid.
inline constexpr std::chrono::seconds held_at_most{120};
/// A bulk applicant does not stay in line for a pause that lasts longer: its run ends and says when to come back.
inline constexpr std::chrono::minutes waited_in_line_at_most{15};

class gate : public std::enable_shared_from_this<gate> {
public:
    gate(asio::any_io_executor executor, std::shared_ptr<environment> env, policy::quota_limits limits);

    /// Waits for its turn and for room, then reserves `chunks`. Failures: quota_exceeded where the day's or the
    /// period's quota is used up (with retry_after where known); at once, what closed the gate (rate_limited,
    /// too_many_inflight, service_busy) where it stays closed past the deadline, or for a bulk applicant longer than
    /// waited_in_line_at_most; timeout; cancelled, also when the applicant's run withdrew.
    asio::awaitable<result<lease>> enter(chunk_estimate chunks, applicant from, monotonic_time deadline);

    /// A lease, settled already, for a job that an earlier process submitted and that is still in flight. It only
    /// counts as in flight: its chunks were counted when it was submitted.
    [[nodiscard]] lease adopt(std::uint64_t chunks);

    /// Whether pass() would return at once: nobody asked for quiet lately.
    [[nodiscard]] bool is_open();

    /// Whether the service asked for quiet until later than now.
    [[nodiscard]] bool is_closed() const { return open_at_ > env_->now(); }

    /// For requests that cost no quota: waits while the gate is closed by the service, held_at_most at the longest, and
    /// after that for its place among those who come back. Fails as enter().
    asio::awaitable<result<void>> pass(monotonic_time deadline);

    /// The service asked for quiet, in `why`, for `delay`: nothing enters until then, plus a little jitter, and after
    /// it callers come back one after the other. The longest wish wins.
    void pause(std::chrono::seconds delay, const failure& why);

    /// Lets everyone who waits look at their withdrawal.
    void recheck() noexcept;

    /// Takes the account's limits and the service's own count.
    void resync(const policy::quota_limits& limits, const policy::period_count& counted);

    /// `call` is made where the service's own count should be asked for: when it says that a quota is used up, and for
    /// a bulk applicant where the last resync() was ten minutes ago. At most once a minute, from within enter() or a
    /// lease.
    void on_resync_due(std::function<void()> call) { resync_due_ = std::move(call); }

    /// From now on the ledger is elsewhere: what this one knows is added to it. `there` was made for owner().
    void move_ledger(std::shared_ptr<ledger_access> there);
    /// What marks this gate's reservations among those of others.
    [[nodiscard]] std::uint64_t owner() const noexcept { return owner_; }

    [[nodiscard]] gate_statistics statistics() const;
    [[nodiscard]] std::uint64_t jobs_in_flight() const;

private:
    friend class lease;
    class departure;

    runtime::wait_queue& line(priority who) noexcept { return who == priority::interactive ? interactive_ : bulk_; }
    [[nodiscard]] bool leads(const runtime::wait_queue::place& place, priority who) const noexcept;
    void wake_leader() noexcept;
    [[nodiscard]] failure closed_until(monotonic_time until) const;
    /// Until when the present pause holds back requests that cost no quota.
    [[nodiscard]] monotonic_time holds_until() const noexcept;
    void with_ledger(ledger_operation what);
    void look() {
        with_ledger([](const policy::quota_ledger&) {});
    }
    [[nodiscard]] policy::admission_decision reserve(monotonic_time now, std::uint64_t chunks, priority who);
    [[nodiscard]] monotonic_time look_again(monotonic_time now, monotonic_time at) const noexcept;
    void ask_for_resync(monotonic_time now);

    std::shared_ptr<environment> env_;
    std::uint64_t owner_;
    std::shared_ptr<ledger_access> ledger_;
    runtime::wait_queue interactive_;
    runtime::wait_queue bulk_;
    monotonic_time asked_until_{};      ///< What the refusal behind own_pause_until_ asked for.
    monotonic_time own_pause_until_{};  ///< The last pause that a refusal of ours made.
    monotonic_time open_at_{};          ///< As the ledger last said…
    monotonic_time heard_of_it_at_{};   ///< …and when that became known here…
    monotonic_time calm_at_{};          ///< …and when nobody is held back by that pause any longer…
    monotonic_time seen_at_{};          ///< …which was then.
    failure closed_by_;
    std::uint64_t pauses_ = 0;
    monotonic_clock::duration paused_{0};
    policy::quota_bound bound_ = policy::quota_bound::none;
    std::function<void()> resync_due_;
    std::optional<monotonic_time> resync_asked_at_;
};

}  // namespace vembed::admission
