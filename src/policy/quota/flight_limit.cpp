#include "policy/quota/flight_limit.hpp"

#include <algorithm>

namespace vembed::policy {
namespace {

constexpr double unanswered_most = 1 << 20;
// After a refusal, one more submission may be under way for each `caution` accepted ones, because all that are under
// way may be refused together.
constexpr std::uint64_t caution = 8;

}  // namespace

monotonic_time flight_limit::try_at() const noexcept {
    const auto pause = state_.accepted_since >= accepted_many     ? try_again_soon
                       : state_.accepted_since >= accepted_enough ? try_again
                                                                  : try_again_slowly;
    return deadline_after(state_.refused_at, pause);
}

std::optional<monotonic_time> flight_limit::wait(monotonic_time now, std::uint64_t borne,
                                                 std::uint64_t unanswered) const noexcept {
    if (static_cast<double>(unanswered + 1) > state_.unanswered_max) {
        return no_deadline;
    }
    if (!state_.cap || borne + unanswered < *state_.cap) {
        return std::nullopt;
    }
    const std::uint64_t above = borne + unanswered - *state_.cap;
    if (state_.climbing) {
        return above <= state_.climbed / caution ? std::nullopt : std::optional(no_deadline);
    }
    if (above > 0 || unanswered > 0) {
        return no_deadline;
    }
    const monotonic_time due = try_at();
    return now >= due ? std::nullopt : std::optional(due);
}

void flight_limit::accepted(monotonic_time now, std::uint64_t borne) noexcept {
    const double more = state_.cap ? 1.0 / static_cast<double>(caution) : 1.0;
    state_.unanswered_max = std::min(state_.unanswered_max + more, unanswered_most);
    ++state_.accepted_since;
    if (state_.cap && borne > *state_.cap) {
        // A submission that was under way together with a refused one does not count as a try.
        state_.climbing = now >= deadline_after(state_.refused_at, try_again_soon);
        state_.climbed += state_.climbing ? borne - *state_.cap : 0;
        state_.cap = borne;
    }
}

void flight_limit::refused(monotonic_time now, std::uint64_t borne) noexcept {
    state_.cap = std::max<std::uint64_t>(1, std::min(borne, state_.cap.value_or(borne)));
    state_.unanswered_max = 1;
    state_.refused_at = now;
    state_.accepted_since = 0;
    state_.climbed = 0;
    state_.climbing = false;
}

}  // namespace vembed::policy
