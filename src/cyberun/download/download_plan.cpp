#include "cyberun/download/download_plan.hpp"

#include <algorithm>
#include <utility>

#include "cyberun/download/content_range.hpp"
#include "cyberun/wire/assumptions.hpp"
#include "policy/retry/backoff.hpp"
#include "policy/retry/retry_after.hpp"
#include "text/text_format.hpp"

namespace vembed::cyberun {
namespace {

using step_kind = download_step::kind;

constexpr std::size_t etag_bytes_max = 256;

download_step step_of(step_kind what) {
    download_step made;
    made.what = what;
    return made;
}

download_step failing(error why, step_kind what = step_kind::fail) {
    download_step made = step_of(what);
    made.failure = std::move(why);
    return made;
}

error store_error(errc kind, int status, std::string what) {
    error made(kind, std::move(what));
    made.http_status = status;
    return made;
}

error too_large(std::uint64_t bytes_max) {
    return {errc::response_too_large,
            "the file is larger than the limit of " + text::grouped(bytes_max) + " bytes: raise the limit to have it"};
}

bool says_expired(std::string_view body) {
    return body.find("ExpiredToken") != std::string_view::npos ||
           body.find("Request has expired") != std::string_view::npos;
}

}  // namespace

bool is_strong_etag(std::string_view etag) noexcept {
    return etag.size() > 2 && etag.size() <= etag_bytes_max && etag.front() == '"' && etag.back() == '"' &&
           std::ranges::all_of(etag.substr(1, etag.size() - 2),
                               [](char c) { return c > 0x20 && c < 0x7f && c != '"'; });
}

download_plan::download_plan(download_state before, std::uint64_t bytes_max)
    : state_(std::move(before)), bytes_max_(bytes_max), furthest_(state_.have) {
    if (!is_strong_etag(state_.etag)) {
        state_.etag.clear();
    }
}

download_request download_plan::request() const {
    download_request made;
    if (state_.have > 0 && !state_.etag.empty()) {
        made.from = state_.have;
        made.if_range = state_.etag;
    }
    return made;
}

download_step download_plan::head_read(const download_response& head, wall_time now, std::uint64_t random_bits) {
    const int status = head.status;
    const std::string code = "HTTP " + std::to_string(status);
    switch (status) {
        case 200: return take_whole(head);
        case 206: return take_part(head);
        case 301:
        case 302:
        case 303:
        case 307:
        case 308: return step_of(step_kind::redirect);
        case 403: return refresh(head);
        case 404:
        case 410:
            return failing(store_error(errc::not_found, status,
                                       "the file is no longer kept (" + code +
                                           "): outputs are deleted some days after their task has ended"),
                           step_kind::gone);
        case 416: return not_satisfiable(head);
        default: break;
    }
    if (status == 400 && says_expired(head.body)) {
        return refresh(head);
    }
    if (status == 408 || status == 429 || status >= 500) {
        std::optional<std::chrono::seconds> asked;
        if (head.retry_after) {
            asked = policy::parse_retry_after(*head.retry_after, policy::present_of(head.date, now));
        }
        return try_again(asked, store_error(errc::api, status, "the store answered " + code), random_bits);
    }
    return failing(store_error(errc::api, status, "the store refuses to hand out the file (" + code + ")"));
}

download_step download_plan::take_from(std::uint64_t from) {
    if (end_ && *end_ > bytes_max_) {
        return failing(too_large(bytes_max_));
    }
    state_.have = from;
    furthest_asked_ = furthest_;
    download_step made = step_of(step_kind::take);
    made.from = from;
    return made;
}

download_step download_plan::take_whole(const download_response& head) {
    state_.etag = is_strong_etag(head.etag) ? std::string(head.etag) : std::string();
    state_.total = head.content_length;
    end_ = head.content_length;
    return take_from(0);
}

download_step download_plan::take_part(const download_response& head) {
    const std::uint64_t from = request().from;
    const auto range = parse_content_range(head.content_range);
    const bool fits = from > 0 && range && range->first == from && (head.etag.empty() || head.etag == state_.etag) &&
                      (!state_.total || !range->total || *state_.total == *range->total);
    // A length that is not the part's is a part that is not whole.
    const bool is_whole = fits && (!head.content_length || *head.content_length - 1 == *range->last - *range->first);
    if (!is_whole) {
        return start_over();
    }
    state_.total = range->total ? range->total : state_.total;
    end_ = *range->last + 1;
    if (state_.total && *state_.total > bytes_max_) {
        return failing(too_large(bytes_max_));
    }
    return take_from(from);
}

download_step download_plan::not_satisfiable(const download_response& head) {
    const auto range = parse_content_range(head.content_range);
    const bool is_whole = request().from > 0 && range && !range->first && range->total == state_.have;
    if (is_whole && (!state_.total || *state_.total == state_.have)) {
        state_.total = state_.have;
        return step_of(step_kind::done);
    }
    return start_over();
}

download_step download_plan::start_over() {
    if (++failures_ >= assumed::download_tries_max) {
        return failing(error(errc::protocol, "the store answers requests for parts of the file with other parts"));
    }
    state_ = download_state();
    return step_of(step_kind::ask);
}

download_step download_plan::refresh(const download_response& head) {
    if (++refreshes_ > assumed::refreshes_max) {
        return failing(store_error(errc::api, head.status,
                                   "the store refuses the file (HTTP " + std::to_string(head.status) +
                                       ") with links that were just made: check this machine's clock and network"));
    }
    return step_of(step_kind::refresh);
}

result<void> download_plan::bytes_taken(std::uint64_t count) {
    if (count > bytes_max_ - std::min(state_.have, bytes_max_)) {
        return too_large(bytes_max_);
    }
    if (end_ && count > *end_ - std::min(state_.have, *end_)) {
        return error(errc::protocol, "the store sent more bytes than it announced");
    }
    state_.have += count;
    if (state_.have > furthest_) {
        furthest_ = state_.have;
        refreshes_ = 0;
        failures_ = 0;
    }
    return {};
}

download_step download_plan::body_ended(bool whole, std::uint64_t random_bits) {
    const bool is_all = state_.total ? state_.have == *state_.total : !end_ || state_.have == *end_;
    if (whole && is_all) {
        state_.total = state_.have;
        return step_of(step_kind::done);
    }
    // A link that breaks now and then loses no time.
    if (furthest_ > furthest_asked_) {
        return step_of(step_kind::ask);
    }
    return try_again(std::nullopt, error(errc::network, "the download breaks off again and again at the same point"),
                     random_bits);
}

download_step download_plan::not_reached(const error& why, std::uint64_t random_bits) {
    return why.lasting ? failing(why) : try_again(std::nullopt, why, random_bits);
}

download_step download_plan::try_again(std::optional<std::chrono::seconds> asked, const error& why,
                                       std::uint64_t random_bits) {
    policy::backoff_options pace;
    pace.delay_ms_first = assumed::backoff_first;
    pace.delay_ms_max = assumed::backoff_most;
    pace.tries_max = assumed::download_tries_max;
    auto delay = policy::backoff_delay(pace, ++failures_, 0);
    if (!delay) {
        return failing(why);
    }
    if (asked) {
        delay = std::max(policy::believed_retry_after(*asked, errc::rate_limited), policy::retry_after_least);
    }
    download_step made = step_of(step_kind::back_off);
    made.delay = policy::with_positive_jitter(*delay, random_bits);
    return made;
}

}  // namespace vembed::cyberun
