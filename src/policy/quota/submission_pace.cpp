#include "policy/quota/submission_pace.hpp"

#include <algorithm>

namespace vembed::policy {
namespace {

// A wait that ended late by at most that much is made up for, because late timers would cost rate. A later one is not:
// a bucket that holds only one job would refuse the next.
constexpr std::chrono::milliseconds lateness_max{10};
// Time without submissions teaches nothing about the rate.
constexpr std::chrono::seconds recovery_step_max{5};
constexpr double rate_min = 1.0 / 60;
constexpr double rate_max = 1e9;
// Growth of the rate in a second: a fraction of the known limit, so that 0.3 of it come back in a minute, or a fraction
// of the rate itself if no limit is known.
constexpr double recovery_of_limit = 0.005;
constexpr double recovery_of_rate = 0.01;

double in_seconds(monotonic_clock::duration length) noexcept {
    return std::chrono::duration<double>(length).count();
}

std::optional<double> ceiling(std::optional<std::uint64_t> limit) noexcept {
    return limit ? std::optional(submission_pace::margin * static_cast<double>(*limit) / 60) : std::nullopt;
}

// The accepted chunks over the time they took plus the time after which the service says it accepts more.
double borne_rate(std::uint64_t chunks, monotonic_clock::duration took,
                  monotonic_clock::duration retry_after) noexcept {
    return static_cast<double>(chunks) / std::max(in_seconds(took) + std::max(in_seconds(retry_after), 1.0), 1.0);
}

}  // namespace

monotonic_time submission_pace::next(monotonic_time now) const noexcept {
    return state_.rate > 0 ? std::max(now, state_.next) : now;
}

std::optional<double> submission_pace::rate() const noexcept {
    return state_.rate > 0 ? std::optional(state_.rate) : std::nullopt;
}

monotonic_clock::duration submission_pace::time_of(std::uint64_t chunks) const noexcept {
    const double length = std::min(static_cast<double>(chunks) / state_.rate, 3600.0) * 1e9;
    return monotonic_clock::duration(static_cast<monotonic_clock::rep>(length));
}

void submission_pace::recover(monotonic_time now, std::optional<std::uint64_t> limit) noexcept {
    const double passed =
        in_seconds(std::clamp<monotonic_clock::duration>(now - state_.changed_at, {}, recovery_step_max));
    const std::optional<double> most = ceiling(limit);
    // If no limit is known, a longer time without a refusal means that the limit may be further away.
    const double boldness = 1 + in_seconds(now - state_.refused_at) / 30;
    const double more = most ? *most * recovery_of_limit : state_.rate * recovery_of_rate * boldness;
    state_.rate = std::min(state_.rate + more * passed, most.value_or(rate_max));
    state_.changed_at = now;
}

void submission_pace::sent(monotonic_time now, std::uint64_t chunks, std::optional<std::uint64_t> limit) noexcept {
    if (state_.rate <= 0) {
        return;
    }
    if (now >= deadline_after(state_.refused_at, forgotten_after)) {
        state_ = pace_state();
        return;
    }
    recover(now, limit);
    const monotonic_time from = now - state_.next > lateness_max ? now : state_.next;
    state_.next = deadline_after(from, time_of(chunks));
}

void submission_pace::taken_back(std::uint64_t chunks) noexcept {
    if (state_.rate > 0) {
        state_.next -= time_of(chunks);
    }
}

void submission_pace::refused(const rate_refusal& what, std::optional<std::uint64_t> limit) noexcept {
    if (state_.rate > 0 && what.sent_at <= state_.refused_at) {
        return;  // The request was sent before the last refusal was known, so that its refusal teaches nothing new.
    }
    const std::optional<double> most = ceiling(limit);
    double rate = 0;
    if (state_.rate <= 0) {
        // If nothing was accepted yet, the refused chunks count: they will be accepted after retry_after.
        rate = most.value_or(
            borne_rate(std::max(what.borne_in_minute, what.chunks), what.now - what.borne_since, what.retry_after));
    } else {
        rate = state_.rate * lowered;
        if (!most) {
            const double borne = borne_rate(state_.borne, what.now - state_.refused_at, what.retry_after);
            rate = std::clamp(borne, state_.rate / 16, rate);
        }
    }
    state_.rate = std::clamp(rate, rate_min, most.value_or(rate_max));
    state_.next = what.now;
    state_.changed_at = what.now;
    state_.refused_at = what.now;
    state_.borne = 0;
}

}  // namespace vembed::policy
