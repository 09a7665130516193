#pragma once
/// An account: its keys, what it used, and whether another job is allowed.

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <vembed/core/time.hpp>

#include "service/account/quota_window.hpp"
#include "service/account/rate_bucket.hpp"
#include "service/account/tiers.hpp"
#include "service/endpoints/refusal.hpp"

namespace vembed::service {

class account_key {
public:
    std::string key_id;
    std::string label;
    wall_time created_at;
    std::optional<wall_time> last_used_at;
    std::optional<wall_time> revoked_at;

    account_key() = default;
};

/// The number of keys that an account may have in its lifetime, so that rotating keys cannot fill the memory.
inline constexpr std::size_t account_keys_max = 100;

/// Times must not go backwards. The caller has to charge a job after admit() allowed it.
class account {
public:
    account(std::string id, std::size_t number, const testing::service_options& options);

    /// The account is made (and its e-mail address verified) at its first use.
    void begin(monotonic_time now, wall_time wall);

    /// Returns nothing if a job of so many chunks and inputs may be submitted now; otherwise why not: 402
    /// trial_expired, 413 request_too_large, 429 too_many_inflight or rate_limited with Retry-After, 402
    /// quota_exceeded.
    std::optional<refusal> admit(std::uint64_t chunks, std::uint64_t inputs, monotonic_time now);

    /// Charges a job that is unsettled until `settles_at`. `refunded`: its chunks are given back at that time.
    void charge(std::uint64_t chunks, monotonic_time now, monotonic_time settles_at, bool refunded);

    /// Settles the jobs that are due, ends a trial that is over, and starts a new period if one has ended.
    void advance(monotonic_time now);

    /// The account as GET /account shows it, as of the last advance().
    [[nodiscard]] std::string to_json() const;

    [[nodiscard]] std::size_t number() const noexcept { return number_; }
    [[nodiscard]] std::uint64_t charged() const noexcept { return charged_; }
    [[nodiscard]] std::uint64_t consumed_in_period() const noexcept { return period_used_; }
    /// The most that was charged within any 60 s.
    [[nodiscard]] std::uint64_t charged_in_a_minute_max() const noexcept { return busiest_minute_; }
    [[nodiscard]] std::uint64_t unsettled_jobs(monotonic_time now);
    void set_max_inflight(std::uint32_t jobs) noexcept { max_inflight_ = jobs; }

    std::vector<account_key> keys;

private:
    struct unsettled_job {
        monotonic_time until;
        std::uint64_t refund = 0;
    };
    [[nodiscard]] wall_time wall_at(monotonic_time time) const;
    void end_trial(monotonic_time now);
    void write_limits(class json_writer& json) const;
    void watch_minute(std::uint64_t chunks, monotonic_time now);
    [[nodiscard]] std::optional<refusal> check_minute(std::uint64_t chunks, monotonic_time now);

    std::string id_;
    std::size_t number_;
    testing::tier tier_;
    tier_limits limits_;
    tier_limits limits_after_trial_;
    std::uint32_t max_inflight_;
    bool begun_ = false;
    monotonic_time since_{};
    wall_time since_wall_{};
    wall_time trial_since_wall_{};
    monotonic_time period_since_{};
    rate_bucket minute_;
    quota_window day_;
    std::uint64_t period_used_ = 0;
    std::uint64_t charged_ = 0;
    std::deque<std::pair<monotonic_time, std::uint64_t>> last_minute_;  // Exact charges, for busiest_minute_.
    std::uint64_t last_minute_used_ = 0;
    std::uint64_t busiest_minute_ = 0;
    std::deque<unsettled_job> unsettled_;  // Sorted by time: every job takes equally long.
};

}  // namespace vembed::service
