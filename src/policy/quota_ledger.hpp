#pragma once
/// What an account may still do: chunks and requests in any sliding minute, chunks in a rolling day, chunks in the
/// period, and jobs in flight. A value without clock or lock; the gate feeds it.
///
/// A reservation counts in every window from the moment it is made until its window has passed after it was settled:
/// the service counts a request when it arrives, which is later than it was sent and earlier than its reply was read,
/// so a window that ends a minute after the reply covers the service's own whatever the latency.

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <vembed/core/time.hpp>

namespace vembed::policy {

/// The limits in force; empty: none known.
class quota_limits {
public:
    std::optional<std::uint64_t> chunks_per_minute;
    std::optional<std::uint64_t> requests_per_minute;
    std::optional<std::uint64_t> chunks_per_day;  ///< Rolling 24 hours: the service has no daily counter [A].
    std::optional<std::uint64_t> chunks_per_period;
    std::optional<std::uint64_t> jobs_in_flight;

    quota_limits() = default;
};

/// Which limit an admission waits for, or is refused by.
enum class quota_bound : std::uint8_t {
    none,
    chunks_per_minute,
    requests_per_minute,
    chunks_per_day,
    chunks_per_period,
    jobs_in_flight
};

std::string_view to_string(quota_bound bound) noexcept;

/// The answer to one request for admission.
struct admission_decision {
    std::optional<std::uint64_t> reservation;  ///< Admitted, under this number.
    quota_bound bound = quota_bound::none;     ///< Otherwise: by what it is held back…
    /// …and when asking again makes sense: a time where a window moves on by then; no_deadline where a settlement, a
    /// release or the end of a job must come first; empty where nothing in this ledger will change the answer.
    std::optional<monotonic_time> retry_at;
};

class quota_ledger {
public:
    explicit quota_ledger(quota_limits limits = {}) : limits_(limits) {}

    /// Admits a job of about `chunks` chunks, or says what it waits for. A job larger than the minute's cap is
    /// admitted when the window is empty, and then owed: the window is full until it has passed.
    admission_decision reserve(monotonic_time now, std::uint64_t chunks);

    /// The service accepted the reserved job at `chunks` chunks: corrects the estimate. The job is now in flight.
    void settle(std::uint64_t reservation, std::uint64_t chunks, monotonic_time now);

    /// The reserved job was certainly not accepted. Where its request was sent, that request still counts in the
    /// minute's window of requests.
    void release(std::uint64_t reservation, monotonic_time now, bool request_sent);

    /// The outcome is unknown: it counts as if accepted, and is no longer in flight.
    void hold(std::uint64_t reservation, monotonic_time now);

    /// A settled reservation's job has ended, or is given up. Nothing happens to one that is not settled.
    void job_ended(std::uint64_t reservation);

    /// The service answered too_many_inflight: fewer from now on, growing again as jobs end well.
    void inflight_refused();

    /// Takes the account's limits and its own count of chunks in the period named by `period` (any text that differs
    /// between periods). Within a period the larger count is believed; a new period starts from the service's count.
    void resync(const quota_limits& limits, std::optional<std::uint64_t> chunks_consumed_period, std::string period);

    [[nodiscard]] std::uint64_t jobs_in_flight() const noexcept { return in_flight_; }
    [[nodiscard]] std::optional<std::uint64_t> in_flight_cap() const noexcept;
    [[nodiscard]] std::uint64_t chunks_in_minute(monotonic_time now);
    [[nodiscard]] const quota_limits& limits() const noexcept { return limits_; }

private:
    struct entry {
        std::uint64_t chunks = 0;
        bool closed = false;  ///< Its moment at the service is past: settled, held or released.
    };
    struct closed_entry {
        monotonic_time at;
        std::uint64_t chunks = 0;
        std::uint64_t requests = 0;
    };
    struct window {
        std::deque<closed_entry> log;
        std::uint64_t chunks = 0;
        std::uint64_t requests = 0;

        void add(monotonic_time at, std::uint64_t chunks_added, std::uint64_t requests_added);
        void expire(monotonic_time now, monotonic_clock::duration length);
        [[nodiscard]] std::optional<monotonic_time> room_at(std::uint64_t chunks_over, std::uint64_t requests_over,
                                                            monotonic_clock::duration length) const;
    };

    void expire(monotonic_time now);
    void close(std::uint64_t reservation, std::uint64_t chunks, std::uint64_t requests, monotonic_time now);
    bool leave_flight(std::uint64_t reservation);
    [[nodiscard]] admission_decision check_totals(std::uint64_t chunks) const;
    [[nodiscard]] admission_decision check_in_flight() const;
    [[nodiscard]] admission_decision check_minute(std::uint64_t chunks) const;

    quota_limits limits_;
    std::map<std::uint64_t, entry> open_;  ///< By reservation.
    window minute_;
    window day_;
    std::uint64_t open_chunks_ = 0;  ///< Of reservations not closed.
    std::uint64_t open_requests_ = 0;
    std::uint64_t in_flight_ = 0;
    std::uint64_t period_chunks_ = 0;
    std::string period_;
    std::optional<std::uint64_t> learned_cap_;
    std::uint64_t ended_since_refusal_ = 0;
    std::uint64_t next_reservation_ = 1;
};

}  // namespace vembed::policy
