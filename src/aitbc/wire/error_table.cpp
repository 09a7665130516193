#include "aitbc/wire/error_table.hpp"

#include <algorithm>

#include "aitbc/wire/assumptions.hpp"
#include "aitbc/wire/redact_receipts.hpp"
#include "policy/retry/error_body.hpp"
#include "policy/retry/retry_after.hpp"
#include "text/words.hpp"

namespace vembed::aitbc {
namespace {

using text::same_word;

// The member that only the other dialect's body must have.
bool lacks_other_dialect(const policy::error_body& body, dialect asked_in) {
    const auto names = [](const policy::refused_field& one, std::string_view member) {
        const std::size_t dot = one.field.rfind('.');
        return same_word(one.field.substr(dot == std::string::npos ? 0 : dot + 1), member);
    };
    return std::ranges::any_of(body.fields, [&](const policy::refused_field& one) {
        // "payload.model" is a fault within a payload and not a body without one.
        return asked_in == dialect::docs
                   ? names(one, "payload")
                   : (names(one, "model") || names(one, "input")) && one.field.find("payload") == std::string::npos;
    });
}

refusal meaning_of(const failed_response& from, const policy::error_body& body) {
    switch (from.status) {
        case 400:
        case 422:
            return from.submits && lacks_other_dialect(body, from.asked_in) ? refusal::other_dialect : refusal::request;
        case 413: return refusal::request;
        case 401:
        case 402:
        case 403: return refusal::caller;
        // The text of the framework's own 404; a route that exists says what was not found.
        case 404:
            return !body.is_known || same_word(body.message, "Not Found") ? refusal::route_absent
                                                                          : refusal::job_unknown;
        case 405: return refusal::method_absent;
        case 409: return refusal::conflict;
        case 425: return refusal::not_ready;
        case 429: return refusal::rate;
        default: return refusal::service;
    }
}

errc kind_of(const failed_response& from, const policy::error_body& body, bool has_delay) {
    switch (from.status) {
        case 400:
        case 422: return body.is_known ? errc::invalid_request : errc::api;
        // A page of a proxy says nothing of the key.
        case 401:
        case 403: return body.is_known ? errc::unauthorized : errc::api;
        case 402: return body.is_known ? errc::quota_exceeded : errc::api;
        case 404: return errc::not_found;
        case 413: return errc::request_too_large;
        case 429: return errc::rate_limited;
        case 503: return has_delay ? errc::service_busy : errc::api;
        default: return errc::api;
    }
}

std::string advice_for(const failed_response& from, refusal what, bool is_known) {
    const std::string status = "HTTP " + std::to_string(from.status);
    switch (what) {
        case refusal::other_dialect:
            return "the service takes the other form of requests: set the option `dialect` to " +
                   std::string(to_string(from.asked_in == dialect::docs ? dialect::coordinator : dialect::docs));
        case refusal::caller:
            if (!is_known) {
                return "a proxy or firewall refused the request (" + status + "): the service was not reached";
            }
            return from.status == 401   ? "the service does not accept the API key or token: check it or renew it"
                   : from.status == 402 ? "the service asks for a payment: check the account's balance"
                                        : "the key's role may not do this: use a key of the role client";
        case refusal::job_unknown: return "no such job, or it belongs to another client";
        case refusal::route_absent: return "the service has no such route: check the base URL and the option `dialect`";
        case refusal::method_absent: return "the service has this route in another form only";
        case refusal::conflict: return "the job's state does not allow it";
        case refusal::not_ready: return "the job has no result yet";
        case refusal::rate: return "too many requests";
        case refusal::request:
            return from.status == 413 ? "the request is larger than the service takes: make its input smaller"
                                      : "the service refuses the request as written";
        case refusal::service: break;
    }
    if (from.status == 500 && from.submits && from.asked_in == dialect::docs) {
        return "the service failed (HTTP 500); an older one answers so to a request of the other form: if it stays so, "
               "set the option `dialect` to coordinator";
    }
    return "the service answered " + status +
           (is_known ? "" : ", without an error body that it writes; a proxy may have answered in its place");
}

std::string message_of(const failed_response& from, refusal what, const policy::error_body& body) {
    std::string told = body.message;
    for (const policy::refused_field& one : body.fields) {
        const std::string text = one.field + (one.field.empty() || one.message.empty() ? "" : ": ") + one.message;
        told += (told.empty() ? "" : "; ") + text;
    }
    const std::string advice = advice_for(from, what, body.is_known);
    return text::cut_text(told.empty() ? advice : advice + " (" + told + ")", 2000);
}

policy::response_author author_of(int status, const policy::error_body& body) {
    constexpr int rejections[] = {400, 401, 402, 403, 404, 405, 409, 413, 422, 429};
    if (!body.is_json) {
        return policy::response_author::intermediary;
    }
    return body.is_known && std::ranges::find(rejections, status) != std::end(rejections)
               ? policy::response_author::service
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
    std::optional<std::chrono::seconds> delay;
    if (from.retry_after) {
        delay = policy::parse_retry_after(*from.retry_after, policy::present_of(from.date, now));
    }
    delay = delay ? delay : body.retry_after;
    mapped_refusal mapped;
    mapped.what = meaning_of(from, body);
    mapped.author = author_of(from.status, body);
    error& f = mapped.error;
    f.kind = kind_of(from, body, delay.has_value());
    f.http_status = from.status;
    f.code = body.code;
    if (f.kind == errc::rate_limited) {
        f.retry_after = delay.value_or(assumed::rate_limited_default);
    } else if (f.kind == errc::service_busy) {
        f.retry_after = delay;
    }
    if (f.retry_after) {
        f.retry_after = policy::believed_retry_after(*f.retry_after, f.kind);
    }
    f.message = message_of(from, mapped.what, body);
    if (from.status >= 300 && from.status < 400) {
        f.message = "the service answered with a redirect (HTTP " + std::to_string(from.status) +
                    "), which is not followed: check the base URL, which has no slash at its end";
    }
    f.raw_body = reportable_start(clean);
    return mapped;
}

}  // namespace vembed::aitbc
