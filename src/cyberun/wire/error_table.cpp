#include "cyberun/wire/error_table.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "cyberun/wire/assumptions.hpp"
#include "policy/input/body_text.hpp"
#include "policy/retry/backoff.hpp"
#include "policy/retry/error_body.hpp"
#include "policy/retry/retry_after.hpp"
#include "text/text_format.hpp"
#include "text/words.hpp"

namespace vembed::cyberun {
namespace {

bool is_html(std::string_view body) {
    return policy::body_text(body).starts_with('<');
}

refusal meaning_of(int status) {
    switch (status) {
        case 401: return refusal::key;
        case 403: return refusal::forbidden;
        case 404: return refusal::unknown;
        case 409:
        case 412: return refusal::conflict;
        case 429:
        case 503: return refusal::rate;
        case 408: return refusal::service;
        default: return status >= 400 && status < 500 ? refusal::request : refusal::service;
    }
}

errc error_kind_of(int status, bool by_proxy) {
    switch (status) {
        case 400:
        case 422: return by_proxy ? errc::api : errc::invalid_request;
        case 401: return by_proxy ? errc::api : errc::unauthorized;
        case 404: return errc::not_found;
        case 413: return errc::request_too_large;
        case 429: return errc::rate_limited;
        case 503: return errc::service_busy;
        default: return errc::api;
    }
}

std::string_view advice_on_unknown(subject about) {
    switch (about) {
        case subject::workflow:
            return "no such workflow or version, or it belongs to another team: check the slug or id";
        case subject::task: return "no such task, or it belongs to another team";
        case subject::upload:
        case subject::other: break;
    }
    return "the service has no such route: check the base URL";
}

std::string_view advice_on_conflict(subject about) {
    switch (about) {
        case subject::workflow: return "the workflow cannot be run now: it may be disabled";
        case subject::upload: return "the key of the upload exists already: ask for another upload URL";
        case subject::task:
        case subject::other: break;
    }
    return "the service refuses the request in the present state of what it names";
}

std::string advice_on(const failed_response& from, refusal what, bool by_proxy) {
    const std::string status = "HTTP " + std::to_string(from.status);
    if (by_proxy && (what == refusal::key || what == refusal::forbidden || what == refusal::request)) {
        return "a proxy or firewall refused the request (" + status + "): the service was not reached";
    }
    switch (what) {
        case refusal::key:
            return "the service does not accept the API key: it may be wrong, expired or revoked; make a new one";
        case refusal::forbidden:
            return "the service does not allow this, though it knows the key: a feature may not be licensed, the key's "
                   "role may not do it, or a quota may be used up";
        case refusal::unknown: return std::string(advice_on_unknown(from.about));
        case refusal::conflict: return std::string(advice_on_conflict(from.about));
        case refusal::rate: return from.status == 429 ? "too many requests" : "the service is busy";
        case refusal::request:
            return from.status == 413 ? "the request or file is larger than the service takes"
                                      : "the service refuses the request as written (" + status + ")";
        case refusal::service:
        case refusal::unreached: break;
    }
    if (from.status >= 300 && from.status < 400) {
        return "the service answered with a redirect (" + status + "), which is not followed: check the base URL";
    }
    return "the service answered " + status + (by_proxy ? "; a proxy may have answered in its place" : "");
}

// Nothing is told of an HTML page: it was written for a browser.
std::string told_by(const policy::error_body& body, std::string_view text, bool by_proxy) {
    std::string told = body.message;
    for (const policy::refused_field& one : body.fields) {
        told += (told.empty() ? "" : "; ") + one.field + (one.field.empty() || one.message.empty() ? "" : ": ") +
                one.message;
    }
    if (told.empty() && body.code.empty() && !by_proxy) {
        told = text::utf8_text(text::cut_text(policy::body_text(text), assumed::error_text_bytes_max));
    }
    return text::cut_text(told, assumed::error_text_bytes_max);
}

// A body's form is not documented, so that any JSON is the service's. 5xx tell nothing of a run.
policy::response_author author_of(int status, const policy::error_body& body) {
    if (!body.is_json) {
        return policy::response_author::intermediary;
    }
    return status >= 400 && status < 500 && status != 408 && status != 499 ? policy::response_author::service
                                                                           : policy::response_author::uncertain;
}

}  // namespace

mapped_refusal map_error(const failed_response& from, wall_time now) {
    // The key is taken out before any text is cut, so that no part of it stays.
    std::string clean(from.body);
    if (!from.secret.empty()) {
        text::replace_all(clean, from.secret, "…");
    }
    const policy::error_body body = policy::read_error_body(clean);
    const bool by_proxy = is_html(clean);
    mapped_refusal mapped;
    mapped.what = meaning_of(from.status);
    mapped.author = author_of(from.status, body);
    error& f = mapped.error;
    f.kind = error_kind_of(from.status, by_proxy);
    f.http_status = from.status;
    f.code = body.code;
    if (from.retry_after) {
        mapped.asked_delay = policy::parse_retry_after(*from.retry_after, policy::present_of(from.date, now));
    }
    mapped.asked_delay = mapped.asked_delay ? mapped.asked_delay : body.retry_after;
    if (mapped.asked_delay) {
        mapped.asked_delay = policy::believed_retry_after(*mapped.asked_delay, f.kind);
    }
    if (mapped.what == refusal::rate) {
        f.retry_after = mapped.asked_delay.value_or(assumed::backoff_first);
    }
    const std::string told = told_by(body, clean, by_proxy);
    f.message = advice_on(from, mapped.what, by_proxy) + (told.empty() ? "" : " (" + told + ")");
    f.raw_body = text::cut_text(clean, error::max_raw_body);
    return mapped;
}

mapped_refusal unreached(error why) {
    mapped_refusal made;
    made.error = std::move(why);
    made.what = refusal::unreached;
    return made;
}

std::optional<std::chrono::milliseconds> retry_delay(const mapped_refusal& refused, const attempts& so_far,
                                                     std::uint64_t random_bits) {
    policy::backoff_options pace;
    pace.delay_ms_first = assumed::backoff_first;
    pace.delay_ms_max = assumed::backoff_most;
    pace.tries_max = std::numeric_limits<std::uint32_t>::max();
    switch (refused.what) {
        case refusal::unknown:
            if (!so_far.since_accepted || *so_far.since_accepted >= assumed::new_task_window) {
                return std::nullopt;
            }
            pace.delay_ms_first = assumed::new_task_delay;
            pace.tries_max = assumed::new_task_tries;
            break;
        case refusal::rate:
        case refusal::service: break;
        case refusal::unreached:
            if (refused.error.lasting) {
                return std::nullopt;
            }
            break;
        case refusal::request:
        case refusal::key:
        case refusal::forbidden:
        case refusal::conflict: return std::nullopt;
    }
    // Without random bits it is the whole delay: nobody comes back before it has passed.
    auto delay = policy::backoff_delay(pace, so_far.made, 0);
    if (delay && refused.what != refusal::unknown && refused.asked_delay) {
        delay = std::max(*refused.asked_delay, policy::retry_after_least);
    }
    return delay ? std::optional(policy::with_positive_jitter(*delay, random_bits)) : std::nullopt;
}

}  // namespace vembed::cyberun
