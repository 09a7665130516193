#include "policy/quota/forecast.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace vembed::policy {
namespace {

constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();
constexpr double day_s = 86'400;
constexpr std::uint32_t days_max = 36'525;  // A hundred years.
constexpr double minute_s = 60;

std::uint64_t left_of(const quota_use& use) {
    return use.limit ? *use.limit - std::min(use.used, *use.limit) : unlimited;
}

/// How fast chunks can be bought while no quota is used up.
struct pace {
    double per_second = 0;    ///< 0 means that all can be bought at once.
    std::uint64_t burst = 0;  ///< Chunks that can be bought at once after a pause.
};

/// The limits that one forecast counts with.
struct market {
    pace speed;
    std::uint64_t first_burst = 0;
    std::uint64_t day_left = unlimited;  ///< Chunks left in the first 24 hours.
    std::uint64_t a_day = unlimited;
    std::uint64_t period_left = unlimited;
    std::uint64_t a_period = unlimited;
    std::optional<double> period_ends_s;
    std::optional<double> period_length_s;
    double ends_s = days_max * day_s;
};

struct purchase {
    std::uint64_t bought = 0;
    double last_s = 0;  ///< The time at which the last chunk was bought.
    std::vector<forecast_days> days;
};

void note_day(std::vector<forecast_days>& days, std::uint32_t day, std::uint64_t chunks) {
    if (chunks == 0) {
        return;
    }
    if (!days.empty() && days.back().chunks_a_day == chunks && days.back().last_day + 1 == day) {
        days.back().last_day = day;
        return;
    }
    if (days.size() < forecast_days_max) {
        forecast_days& one = days.emplace_back();
        one.first_day = one.last_day = day;
        one.chunks_a_day = chunks;
    }
}

/// Buys in steps; each step ends at the end of a day, of the period or of the tier.
class buyer {
public:
    buyer(const market& in, std::uint64_t wanted)
        : in_(in),
          wanted_(wanted),
          burst_(in.first_burst),
          period_left_(in.period_left),
          period_ends_s_(in.period_ends_s) {}

    purchase run() {
        for (std::uint32_t day = 0; day < days_max && out_.bought < wanted_ && now_s_ < in_.ends_s; ++day) {
            const std::uint64_t before = out_.bought;
            buy_until(std::min((day + 1) * day_s, in_.ends_s), day == 0 ? in_.day_left : in_.a_day);
            note_day(out_.days, day + 1, out_.bought - before);
            if (never_again()) {
                break;
            }
        }
        return std::move(out_);
    }

private:
    void buy_until(double end_s, std::uint64_t day_left) {
        while (now_s_ < end_s && out_.bought < wanted_) {
            const double step_s = period_ends_s_ ? std::min(end_s, *period_ends_s_) : end_s;
            const std::uint64_t bought = buy(step_s, std::min({day_left, period_left_, wanted_ - out_.bought}));
            day_left -= day_left == unlimited ? 0 : bought;
            period_left_ -= period_left_ == unlimited ? 0 : bought;
            now_s_ = step_s;
            if (period_ends_s_ && now_s_ >= *period_ends_s_) {
                next_period();
            }
        }
    }

    /// Buys `most` chunks from now on, or as many as the pace allows until `end_s`. Returns the number bought.
    std::uint64_t buy(double end_s, std::uint64_t most) {
        if (in_.speed.per_second <= 0) {
            return take(most, now_s_);
        }
        const double paced = (end_s - now_s_) * in_.speed.per_second + begun_;
        const double possible = std::floor(paced + 1e-9) + static_cast<double>(burst_);
        if (possible >= static_cast<double>(most)) {
            const double after_burst = static_cast<double>(most - std::min(most, burst_));
            // The next purchase comes after a pause.
            const double took_s = std::max(0.0, (after_burst - begun_) / in_.speed.per_second);
            burst_ = in_.speed.burst;
            begun_ = 0;
            return take(most, now_s_ + took_s);
        }
        burst_ = 0;
        begun_ = paced - std::floor(paced + 1e-9);
        return take(static_cast<std::uint64_t>(possible), end_s);
    }

    std::uint64_t take(std::uint64_t chunks, double at_s) {
        out_.bought += chunks;
        out_.last_s = chunks > 0 ? at_s : out_.last_s;
        return chunks;
    }

    void next_period() {
        period_left_ = in_.a_period;
        period_ends_s_ = in_.period_length_s ? std::optional(*period_ends_s_ + *in_.period_length_s) : std::nullopt;
    }

    [[nodiscard]] bool never_again() const { return (period_left_ == 0 && !period_ends_s_) || in_.a_day == 0; }

    const market& in_;
    std::uint64_t wanted_;
    std::uint64_t burst_;
    std::uint64_t period_left_;
    std::optional<double> period_ends_s_;
    double now_s_ = 0;
    double begun_ = 0;  ///< The fraction of a chunk that the pace had allowed when the last step ended.
    purchase out_;
};

/// A rate and the rest of its burst.
struct known_pace {
    finish_bound bound = finish_bound::none;
    pace speed;
    std::uint64_t first_burst = 0;
};

known_pace minute_pace(finish_bound bound, const quota_use& use, std::uint64_t chunks_each) {
    known_pace out;
    out.bound = bound;
    out.speed.burst = *use.limit * chunks_each;
    out.speed.per_second = static_cast<double>(out.speed.burst) / minute_s;
    out.first_burst = left_of(use) * chunks_each;
    return out;
}

std::vector<known_pace> paces_of(const forecast_input& input) {
    std::vector<known_pace> out;
    if (input.chunks_per_second > 0) {
        known_pace& one = out.emplace_back();
        one.bound = finish_bound::service_speed;
        one.speed.per_second = input.chunks_per_second;
    }
    // A job larger than the minute's limit is admitted on an empty window, so a limit of 0 counts as no limit.
    if (input.quota.chunks_minute.limit.value_or(0) > 0) {
        out.push_back(minute_pace(finish_bound::chunks_minute, input.quota.chunks_minute, 1));
    }
    if (input.quota.requests_minute.limit.value_or(0) > 0 && input.chunks_per_job > 0) {
        out.push_back(minute_pace(finish_bound::requests_minute, input.quota.requests_minute, input.chunks_per_job));
    }
    return out;
}

void set_day(market& into, const forecast_input& input) {
    into.day_left = left_of(input.quota.chunks_day);
    into.a_day = input.quota.chunks_day.limit.value_or(unlimited);
}

double seconds_of(std::chrono::seconds duration) {
    return static_cast<double>(duration.count());
}

void set_period(market& into, const forecast_input& input) {
    into.period_left = left_of(input.quota.chunks_period);
    into.a_period = input.quota.chunks_period.limit.value_or(unlimited);
    if (input.quota.period_left && into.a_period != unlimited) {
        into.period_ends_s = std::max(0.0, seconds_of(*input.quota.period_left));
    }
    if (input.period_length && input.period_length->count() > 0) {
        into.period_length_s = seconds_of(*input.period_length);
    }
}

void set_pace(market& into, const known_pace& with) {
    into.speed = with.speed;
    into.first_burst = with.first_burst;
}

std::chrono::seconds rounded_up(double seconds) {
    return std::chrono::seconds(static_cast<std::int64_t>(std::ceil(seconds - 1e-6)));
}

forecast_limit alone(finish_bound bound, const market& in, std::uint64_t chunks) {
    const purchase made = buyer(in, chunks).run();
    forecast_limit out;
    out.bound = bound;
    out.bought = made.bought;
    if (made.bought == chunks) {
        out.time_left = rounded_up(made.last_s);
    }
    return out;
}

/// True if `a` delays a run more than `b` does.
bool binds_more(const forecast_limit& a, const forecast_limit& b) {
    if (a.time_left.has_value() != b.time_left.has_value()) {
        return !a.time_left;
    }
    return a.time_left ? *a.time_left > *b.time_left : a.bought < b.bought;
}

std::vector<forecast_limit> each_alone(const forecast_input& input, const std::vector<known_pace>& paces) {
    std::vector<forecast_limit> out;
    for (const known_pace& one : paces) {
        market in;
        set_pace(in, one);
        out.push_back(alone(one.bound, in, input.chunks));
    }
    if (input.quota.chunks_day.limit) {
        market in;
        set_day(in, input);
        out.push_back(alone(finish_bound::chunks_day, in, input.chunks));
    }
    if (input.quota.chunks_period.limit) {
        market in;
        set_period(in, input);
        out.push_back(alone(finish_bound::chunks_period, in, input.chunks));
    }
    if (input.tier_ends && *input.tier_ends <= input.now) {
        forecast_limit& ended = out.emplace_back();
        ended.bound = finish_bound::tier_end;
    }
    return out;
}

finish_bound binding(const std::vector<forecast_limit>& limits) {
    const forecast_limit* most = nullptr;
    for (const forecast_limit& one : limits) {
        const bool holds = !one.time_left || one.time_left->count() > 0;
        if (holds && (most == nullptr || binds_more(one, *most) || one.bound == finish_bound::tier_end)) {
            most = &one;
        }
    }
    return most == nullptr ? finish_bound::none : most->bound;
}

market everything(const forecast_input& input, const std::vector<known_pace>& paces) {
    market in;
    set_day(in, input);
    set_period(in, input);
    const auto slowest = std::min_element(paces.begin(), paces.end(), [](const known_pace& a, const known_pace& b) {
        return a.speed.per_second < b.speed.per_second;
    });
    if (slowest != paces.end()) {
        set_pace(in, *slowest);
    }
    if (input.tier_ends) {
        const double left_s = std::chrono::duration<double>(*input.tier_ends - input.now).count();
        in.ends_s = std::clamp(left_s, 0.0, in.ends_s);
    }
    return in;
}

}  // namespace

finish_forecast forecast(const forecast_input& input) {
    const std::vector<known_pace> paces = paces_of(input);
    finish_forecast out;
    out.limits = each_alone(input, paces);
    out.bound = binding(out.limits);
    const market in = everything(input, paces);
    purchase made = buyer(in, input.chunks).run();
    out.bought = made.bought;
    out.unbought = input.chunks - made.bought;
    out.days = std::move(made.days);
    const bool anything_known = !out.limits.empty();
    if (input.chunks == 0 || (made.bought > 0 && anything_known)) {
        out.time_left = rounded_up(made.last_s);
    }
    return out;
}

}  // namespace vembed::policy

namespace vembed {

std::string_view to_string(finish_bound bound) noexcept {
    switch (bound) {
        case finish_bound::none: return "";
        case finish_bound::service_speed: return "service speed";
        case finish_bound::chunks_minute: return "chunks a minute";
        case finish_bound::requests_minute: return "requests a minute";
        case finish_bound::chunks_day: return "day quota";
        case finish_bound::chunks_period: return "period quota";
        case finish_bound::tier_end: return "end of the tier";
    }
    return "";
}

}  // namespace vembed
