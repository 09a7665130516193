#include "service/account/account.hpp"

#include <algorithm>

#include "service/endpoints/json_text.hpp"

namespace vembed::service {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds inflight_retry_max{30};

// Whole seconds, rounded up, so that the request fits after a client waited that long.
std::string retry_after(monotonic_clock::duration delay) {
    return std::to_string(std::max<std::int64_t>(std::chrono::ceil<seconds>(delay).count(), 1));
}

refusal over_quota(std::string_view which, std::uint64_t cap) {
    return refusal(402, "quota_exceeded",
                   "the " + std::string(which) + " quota of " + std::to_string(cap) + " chunks is used up");
}

}  // namespace

account::account(std::string id, std::size_t number, const testing::service_options& options)
    : id_(std::move(id)),
      number_(number),
      tier_(options.account_tier),
      limits_(limits_of(tier_, options)),
      limits_after_trial_(limits_of(testing::tier::expired, options)),
      max_inflight_(options.max_inflight),
      minute_(options.bucket, limits_.chunks_per_minute),
      day_(limits_.chunks_per_day, hours(24), seconds(1)) {}

void account::begin(monotonic_time now, wall_time wall) {
    if (begun_) {
        return;
    }
    begun_ = true;
    since_ = now;
    since_wall_ = wall;
    const bool over = tier_ == testing::tier::free || tier_ == testing::tier::expired;
    trial_since_wall_ = over ? wall - days(trial_days + 1) : wall;
    period_since_ = now;
    for (account_key& key : keys) {
        key.created_at = wall;
    }
}

wall_time account::wall_at(monotonic_time time) const {
    return since_wall_ + std::chrono::floor<milliseconds>(time - since_);
}

// Limits follow the effective tier; a new period begins if the tier changes.
void account::end_trial(monotonic_time now) {
    if (tier_ == testing::tier::trial && now - since_ >= days(trial_days)) {
        tier_ = testing::tier::expired;
        limits_ = limits_after_trial_;
        period_since_ = since_ + days(trial_days);
        period_used_ = 0;
    }
}

void account::advance(monotonic_time now) {
    while (!unsettled_.empty() && unsettled_.front().until <= now) {
        const std::uint64_t refund = unsettled_.front().refund;
        period_used_ -= std::min(refund, period_used_);
        day_.refund(refund);
        unsettled_.pop_front();
    }
    end_trial(now);
    const monotonic_clock::duration length = days(limits_.period_length_days);
    if (now - period_since_ >= length) {
        period_since_ += length * ((now - period_since_) / length);
        period_used_ = 0;
    }
}

std::optional<refusal> account::check_minute(std::uint64_t chunks, monotonic_time now) {
    const std::uint64_t amount = limits_.minute_counts_requests ? 1 : chunks;
    const std::optional<monotonic_time> room = minute_.room_at(amount, now);
    if (room && *room <= now) {
        return std::nullopt;
    }
    refusal why(429, "rate_limited",
                "over " + std::to_string(minute_.cap()) + (limits_.minute_counts_requests ? " requests" : " chunks") +
                    " a minute");
    why.retry_after = retry_after(room.value_or(now + seconds(60)) - now);
    return why;
}

std::optional<refusal> account::admit(std::uint64_t chunks, std::uint64_t inputs, monotonic_time now) {
    advance(now);
    if (tier_ == testing::tier::expired) {
        return refusal(402, "trial_expired", "the trial of 14 days is over");
    }
    if (inputs > limits_.max_inputs) {
        return refusal(413, "request_too_large",
                       "at most " + std::to_string(limits_.max_inputs) + " inputs a request on this tier");
    }
    if (chunks > limits_.max_chunks_per_request) {
        return refusal(413, "request_too_large",
                       "at most " + std::to_string(limits_.max_chunks_per_request) + " chunks a request on this tier");
    }
    if (max_inflight_ != 0 && unsettled_.size() >= max_inflight_) {
        refusal why(429, "too_many_inflight", "at most " + std::to_string(max_inflight_) + " unsettled jobs");
        why.retry_after =
            retry_after(std::min<monotonic_clock::duration>(unsettled_.front().until - now, inflight_retry_max));
        return why;
    }
    if (std::optional<refusal> why = check_minute(chunks, now)) {
        return why;
    }
    if (!day_.fits(chunks, now)) {
        return over_quota("daily", day_.cap());
    }
    if (period_used_ > limits_.chunks_per_period || chunks > limits_.chunks_per_period - period_used_) {
        return over_quota("period's", limits_.chunks_per_period);
    }
    return std::nullopt;
}

void account::charge(std::uint64_t chunks, monotonic_time now, monotonic_time settles_at, bool refunded) {
    minute_.charge(limits_.minute_counts_requests ? 1 : chunks, now);
    watch_minute(chunks, now);
    day_.charge(chunks, now);
    period_used_ += chunks;
    charged_ += chunks;
    unsettled_.push_back(unsettled_job{settles_at, refunded ? chunks : 0});
}

void account::watch_minute(std::uint64_t chunks, monotonic_time now) {
    for (; !last_minute_.empty() && now - last_minute_.front().first >= seconds(60); last_minute_.pop_front()) {
        last_minute_used_ -= last_minute_.front().second;
    }
    last_minute_.emplace_back(now, chunks);
    last_minute_used_ += chunks;
    busiest_minute_ = std::max(busiest_minute_, last_minute_used_);
}

std::uint64_t account::unsettled_jobs(monotonic_time now) {
    advance(now);
    return unsettled_.size();
}

void account::write_limits(json_writer& json) const {
    json.begin_object("limits");
    json.field("chunks_per_period", limits_.chunks_per_period);
    json.field("period_length_days", limits_.period_length_days);
    json.field("chunks_per_day", limits_.chunks_per_day);
    json.field("chunks_per_minute", limits_.chunks_per_minute);
    json.field("max_chunks_per_request", limits_.max_chunks_per_request);
    json.field("max_inputs", limits_.max_inputs).field("max_input_texts", limits_.max_inputs);
    json.end_object();
}

std::string account::to_json() const {
    const tier_names names = names_of(tier_);
    std::string text;
    json_writer json(text);
    json.begin_object();
    json.field("account_id", id_).field("name", "Local account " + std::to_string(number_ + 1));
    json.field("email", "account" + std::to_string(number_ + 1) + "@localhost");
    json.field("username", "local" + std::to_string(number_ + 1));
    json.field("email_verified_at", std::optional(trial_since_wall_));
    json.field("tier", names.tier).field("effective_tier", names.effective);
    json.field("subscription_status", names.subscription);
    json.field("trial_started_at", std::optional(trial_since_wall_));
    json.field("trial_ends_at", std::optional<wall_time>(trial_since_wall_ + days(trial_days)));
    json.field("chunks_consumed_period", period_used_);
    json.field("chunks_period_started_at", std::optional(wall_at(period_since_)));
    write_limits(json);
    json.begin_array("keys");
    for (const account_key& key : keys) {
        json.begin_object();
        json.field("key_id", key.key_id).field("label", key.label);
        json.field("created_at", std::optional(key.created_at));
        json.field("last_used_at", key.last_used_at).field("revoked_at", key.revoked_at);
        json.end_object();
    }
    json.end_array().end_object();
    return text;
}

}  // namespace vembed::service
