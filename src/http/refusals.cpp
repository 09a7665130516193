#include "http/refusals.hpp"

namespace vembed::http {
namespace {

// Whether the request may be sent again because the refused one had no effect.
bool worth_resending(const post_result& sent) noexcept {
    if (sent.outcome == policy::post_outcome::not_sent) {
        return sent.error->kind == errc::network && !sent.error->lasting;
    }
    const errc kind = sent.error->kind;
    return kind == errc::rate_limited || kind == errc::too_many_inflight || kind == errc::service_busy;
}

}  // namespace

std::optional<monotonic_time> refusals::next_try(const post_result& last, admission::priority who,
                                                 const pipeline& through, monotonic_time deadline) {
    if (!worth_resending(last)) {
        return std::nullopt;
    }
    const monotonic_time now = through.env()->now();
    if (last.outcome == policy::post_outcome::rejected) {
        // The gate knows of the refusal: it delays the next try, or returns an error if the deadline comes first.
        return are_enough(now, who) ? std::nullopt : std::optional(now);
    }
    const auto delay = policy::backoff_delay(through.backoff(), ++faults_, through.env()->random());
    const monotonic_time again = deadline_after(now, delay.value_or(std::chrono::milliseconds(0)));
    return delay && again < deadline ? std::optional(again) : std::nullopt;
}

// A bulk run has no deadline that would end it if the service refuses everything permanently.
bool refusals::are_enough(monotonic_time now, admission::priority who) noexcept {
    first_ = count_++ == 0 ? now : first_;
    return who == admission::priority::bulk && count_ >= least && now - first_ >= patience;
}

}  // namespace vembed::http
