#pragma once
/// Decides what an account may still do: chunks and requests in any sliding minute, chunks in a rolling day, chunks in
/// the period, jobs in flight, all calls in any sliding minute and hour, and what the service's refusals taught. A
/// value without clock or lock; the gate feeds it.
///
/// A reservation counts in every window from the moment it is made until its window has passed after it was settled.
/// The service counts a request when it arrives, which is later than it was sent and earlier than its response was
/// read. A window that ends a minute after the response therefore covers the service's own window, whatever the latency
/// is.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <vembed/core/error.hpp>
#include <vembed/core/quota.hpp>
#include <vembed/core/time.hpp>

#include "policy/quota/ledger_state.hpp"

namespace vembed::policy {

/// The limits in force. An empty one is not known.
class quota_limits {
public:
    std::optional<std::uint64_t> chunks_per_minute;
    std::optional<std::uint64_t> requests_per_minute;
    std::optional<std::uint64_t> chunks_per_day;  ///< Rolling 24 hours: the service has no daily counter [A].
    std::optional<std::uint64_t> chunks_per_period;
    std::optional<std::uint64_t> jobs_in_flight;
    std::optional<std::uint64_t> calls_per_minute;  ///< All requests, in any sliding minute.
    std::optional<std::uint64_t> calls_per_hour;    ///< All requests, in any sliding hour.

    [[nodiscard]] bool count_calls() const noexcept { return calls_per_minute || calls_per_hour; }

    quota_limits() = default;
    friend bool operator==(const quota_limits&, const quota_limits&) = default;
};

std::string_view to_string(quota_bound bound) noexcept;

/// The decision on one request for admission.
struct admission_decision {
    std::optional<std::uint64_t> reservation;  ///< The job is admitted under this number.
    quota_bound bound = quota_bound::none;     ///< The limit that holds the job back otherwise.
    /// When asking again makes sense: a time if a window will have moved on by then; no_deadline if a settlement, a
    /// release or the end of a job must come first; empty if nothing in this ledger will change the decision.
    std::optional<monotonic_time> retry_at;
};

/// The service's own count, from /account.
class period_count {
public:
    std::optional<std::uint64_t> chunks;  ///< Consumed in the period; empty if the service does not tell.
    std::string period;                   ///< Any text that differs between periods.
    std::optional<monotonic_time> ends;   ///< Empty if not known.
    monotonic_clock::duration length{0};  ///< 0: not known.

    period_count() = default;
};

class quota_ledger {
public:
    /// `owner` marks the reservations made here. It differs between all ledgers that share one account's state.
    explicit quota_ledger(quota_limits limits = {}, std::uint64_t owner = 0) : limits_(limits), owner_(owner) {}

    /// Admits a job of about `chunks` chunks, or says what the job waits for. A job larger than the minute's cap is
    /// admitted if the window is empty; after that the window is full until it has passed.
    admission_decision reserve(monotonic_time now, std::uint64_t chunks);

    /// Admits a plain request under the windows of all calls, or says what it waits for. It counts until end_call() and
    /// then until its windows have passed.
    admission_decision reserve_call(monotonic_time now);

    /// The response to an admitted call has ended, or will not come; `sent` is false if nothing of the request was
    /// sent.
    void end_call(std::uint64_t number, monotonic_time now, bool sent);

    /// Makes an accepted reservation for a job that an earlier process submitted. It counts as in flight only.
    std::uint64_t adopt(monotonic_time now, std::uint64_t chunks);

    /// Says that the response to the reserved request comes only when its work is done, unlike that to a submission.
    void answers_late(std::uint64_t number);

    /// Corrects the estimate: the service accepted the reserved job at `chunks` chunks. The job is now in flight.
    void settle(std::uint64_t number, std::uint64_t chunks, monotonic_time now);

    /// Ends a reservation whose job was certainly not accepted. If its request was sent, it still counts in the
    /// minute's window of requests.
    void release(std::uint64_t number, monotonic_time now, bool request_sent);

    /// Releases the reserved job because the service refused it, and learns from too_many_inflight, rate_limited and
    /// quota_exceeded. Other kinds teach nothing. The caller reports the refusal's pause separately, with pause().
    void refused(std::uint64_t number, const error& why, monotonic_time now);

    /// Counts a submission that is in doubt as accepted; it is no longer in flight.
    void hold(std::uint64_t number, monotonic_time now);

    /// A settled reservation's job has ended, or is given up. The call does nothing if the reservation is not settled.
    void job_ended(std::uint64_t number);

    /// The service asked for quiet until then. The latest time is kept; the result is true if it is this one.
    bool pause(monotonic_time until, errc because) { return pause_.extend(until, because); }
    [[nodiscard]] const shared_pause& paused() const noexcept { return pause_; }

    /// Lets a request that costs no quota through. Returns when to send it: `now`, or later after a pause.
    monotonic_time pass(monotonic_time now);

    /// Takes the account's limits and the service's count. Within a period the larger count is kept; a new period
    /// starts from the service's count. New limits or a new period end what the service said about used up quota.
    void resync(monotonic_time now, const quota_limits& limits, const period_count& counted);

    void set_limits(const quota_limits& limits) { limits_ = limits; }

    /// Everything that it knows besides its limits and owner.
    [[nodiscard]] ledger_state snapshot() const;
    /// A snapshot whose windows hold only what was used since the snapshot `then`.
    [[nodiscard]] ledger_state snapshot_since(const ledger_state& then) const;
    void restore(const ledger_state& state);

    /// Adds what another ledger of the same account did, including the same owner's reservations.
    void merge(const ledger_state& other);

    /// Handles an owner that ended without closing its reservations: the open ones count as spent, and its jobs are no
    /// longer in flight.
    void drop_owner(std::uint64_t owner, monotonic_time now);
    /// The owners of all reservations, each once.
    [[nodiscard]] std::vector<std::uint64_t> owners() const;
    [[nodiscard]] std::uint64_t owner() const noexcept { return owner_; }

    [[nodiscard]] std::uint64_t jobs_in_flight() const noexcept { return reservations_.size(); }
    [[nodiscard]] std::optional<std::uint64_t> in_flight_cap() const noexcept;
    [[nodiscard]] std::uint64_t chunks_in_minute(monotonic_time now);
    [[nodiscard]] const quota_limits& limits() const noexcept { return limits_; }
    [[nodiscard]] std::optional<monotonic_time> synchronised_at() const noexcept { return synchronised_at_; }
    /// The use of every window, open reservations included.
    [[nodiscard]] quota_state use(monotonic_time now);

private:
    using key = std::pair<std::uint64_t, std::uint64_t>;  // Owner and number.
    using reservations = std::map<key, reservation>;

    void expire(monotonic_time now);
    void start_periods(monotonic_time now);
    void count_reservations();
    [[nodiscard]] std::uint64_t borne() const noexcept { return reservations_.size() - unanswered_.size(); }
    [[nodiscard]] reservations::iterator mine(std::uint64_t number) { return reservations_.find({owner_, number}); }
    std::uint64_t insert(reservation made);
    void close(reservations::iterator which, std::uint64_t chunks, std::uint64_t requests, monotonic_time now);
    void leave_flight(reservations::iterator which);
    void quota_refused(monotonic_time now, std::optional<std::chrono::seconds> retry_after);
    void rate_refused(const reservation& which, monotonic_time now, std::optional<std::chrono::seconds> retry_after);
    [[nodiscard]] double share() const noexcept;
    [[nodiscard]] admission_decision check_totals(monotonic_time now, std::uint64_t chunks) const;
    [[nodiscard]] admission_decision check_in_flight(monotonic_time now) const;
    [[nodiscard]] std::optional<monotonic_time> wait_for_flight(monotonic_time now) const;
    [[nodiscard]] admission_decision check_minute(std::uint64_t chunks) const;
    [[nodiscard]] admission_decision check_pace(monotonic_time now) const;
    [[nodiscard]] admission_decision check_calls() const;
    void count_call(monotonic_time now);
    [[nodiscard]] std::uint64_t open_calls() const noexcept { return open_requests_ + calls_.size(); }

    quota_limits limits_;
    std::uint64_t owner_;
    std::uint64_t next_number_ = 1;
    reservations reservations_;
    std::map<key, monotonic_time> unanswered_;  ///< The reservations without a response, and when they were made.
    usage_window minute_{std::chrono::seconds(60), std::chrono::milliseconds(250)};
    usage_window day_{std::chrono::hours(24), std::chrono::minutes(1)};
    usage_window calls_minute_{std::chrono::seconds(60), std::chrono::milliseconds(250)};
    usage_window calls_hour_{std::chrono::hours(1), std::chrono::seconds(10)};
    std::set<open_call> calls_;        ///< The plain requests without a response.
    std::uint64_t open_chunks_ = 0;    ///< Chunks of the reservations that are not closed.
    std::uint64_t open_requests_ = 0;  ///< Number of the reservations that are not closed.
    std::uint64_t period_chunks_ = 0;
    std::string period_;
    std::optional<monotonic_time> period_ends_;
    monotonic_clock::duration period_length_{0};
    bool period_started_here_ = false;  ///< The clock started the period, not the service.
    quota_bound refused_by_ = quota_bound::none;
    monotonic_time refused_until_{};
    std::optional<monotonic_time> synchronised_at_;
    shared_pause pause_;
    submission_pace pace_;
    flight_limit flight_;
};

}  // namespace vembed::policy
