#include "cyberian/wire/error_table.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>

#include <boost/json/parse.hpp>

#include "cyberian/wire/response_author.hpp"
#include "policy/retry/post_outcome.hpp"
#include "policy/retry/retry_after.hpp"
#include "policy/retry/retry_class.hpp"
#include "text/json/json_fields.hpp"
#include "text/json/readable_json.hpp"
#include "text/text_format.hpp"
#include "text/words.hpp"

namespace vembed::cyberian {
namespace {

namespace json = boost::json;

// These defaults are documented for the 0.1.0 client; they apply if a response has no Retry-After.
constexpr std::chrono::seconds rate_limited_default{60};
constexpr std::chrono::seconds busy_default{30};
constexpr std::size_t message_max = 1000;

class error_body {
public:
    std::string code;
    std::string message;
    std::string job_id;
    std::optional<std::chrono::seconds> retry_after;
    bool may_be_json = true;

    error_body() = default;
};

std::string text_member(const json::object& from, std::string_view name) {
    return text::cut_text(text::text_of(from, name), message_max);
}

// True if the text is not JSON, and not only because it ends too early or exceeds the parser's limits.
bool breaks_json(const json::error_code& error) {
    return error && error != json::error::incomplete && error != json::error::too_deep &&
           error != json::error::exponent_overflow;
}

error_body read_body(std::string_view body) {
    error_body read;
    json::error_code error;
    json::parse_options options;
    options.max_depth = text::json_depth_max;
    json::value parsed;
    try {
        // A message that was cut within a character must not make the code beside it unreadable.
        parsed = json::parse(text::utf8_text(text::readable_json(body)), error, {}, options);
    } catch (const std::bad_alloc&) {
        return read;
    }
    read.may_be_json = policy::begins_like_json(body) && !breaks_json(error);
    if (error || !parsed.is_object()) {
        return read;
    }
    const json::object& object = parsed.get_object();
    read.code = text_member(object, "error");
    read.message = text_member(object, "message");
    if (read.message.empty()) {
        read.message = text_member(object, "reason");
    }
    read.job_id = text_member(object, "job_id");
    // A 0.1.0 service writes this member instead of the header.
    const json::value* after = object.if_contains("retry_after_sec");
    if (after != nullptr && after->is_number()) {
        const double seconds = after->to_number<double>();
        if (seconds >= 0 && seconds < 1e9) {
            read.retry_after = std::chrono::seconds(static_cast<std::int64_t>(std::ceil(seconds)));
        }
    }
    return read;
}

bool mentions(std::string_view text, std::string_view word) {
    const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
    return std::search(text.begin(), text.end(), word.begin(), word.end(), same) != text.end();
}

// A documented code decides; otherwise the status decides. A response without a code was written by a proxy: its status
// is trusted only if it is about a size or a rate.
errc kind_of(int status, std::string_view code) {
    const bool by_proxy = code.empty();
    switch (status) {
        case 400: return code == "unknown_model" ? errc::unknown_model : by_proxy ? errc::api : errc::invalid_request;
        case 401: return by_proxy ? errc::api : errc::unauthorized;
        case 403: return code == "unauthorized" ? errc::unauthorized : errc::api;
        case 402: return by_proxy ? errc::api : mentions(code, "trial") ? errc::trial_expired : errc::quota_exceeded;
        case 404: return by_proxy ? errc::api : errc::not_found;
        case 413: return errc::request_too_large;
        case 422:
            return code == "verification_failed" ? errc::verification_failed
                   : by_proxy                    ? errc::api
                                                 : errc::invalid_request;
        case 429:
            return code == "too_many_inflight" ? errc::too_many_inflight
                   : code == "quota_exceeded"  ? errc::quota_exceeded
                                               : errc::rate_limited;
        case 503: return errc::service_busy;
        case 504: return code == "verification_timeout" ? errc::verification_timeout : errc::api;
        default: return errc::api;
    }
}

std::string default_message(int status, errc kind, bool documented) {
    switch (kind) {
        case errc::unauthorized: return "the service does not accept the API key: check it, or make a new one";
        case errc::trial_expired: return "the account's trial is over: choose a tier to go on";
        case errc::quota_exceeded: return "the account's chunk quota is used up";
        case errc::not_found: return "not found (or it belongs to another account)";
        case errc::request_too_large: return "the request is over a limit of the account: send fewer inputs at once";
        case errc::rate_limited: return "too many requests";
        case errc::too_many_inflight: return "too many jobs in flight";
        case errc::service_busy: return "the service is busy";
        default: break;
    }
    if (!documented && (status == 401 || status == 403)) {
        return "a proxy or firewall refused the request (HTTP " + std::to_string(status) +
               "): it is not the service that answered, and the API key was not looked at";
    }
    return "the service answered HTTP " + std::to_string(status) +
           (documented ? "" : ", without the error body it documents; a proxy may have answered in its place");
}

}  // namespace

http::mapped_error map_error(const http::response& from, const http::call& /*asked*/, wall_time now) {
    const error_body body = read_body(from.body);
    const int status = from.head.status;
    http::mapped_error mapped;
    mapped.author = author_of(status, body.code, body.may_be_json);
    error& f = mapped.error;
    f.kind = kind_of(status, body.code);
    f.http_status = status;
    f.code = body.code;
    f.job_id = body.job_id;
    f.raw_body = from.body.substr(0, error::max_raw_body);
    f.message = body.message.empty() ? default_message(status, f.kind, !body.code.empty()) : body.message;
    if (status >= 300 && status < 400) {
        f.message = "the service answered with a redirect (HTTP " + std::to_string(status) +
                    "), which is not followed: check the base URL";
    }
    const std::optional<std::string_view> header = from.head.find("Retry-After");
    if (header) {
        f.retry_after = policy::parse_retry_after(*header, policy::present_of(from.head.find("Date"), now));
    }
    if (!f.retry_after) {
        f.retry_after = body.retry_after;
    }
    if (!f.retry_after && (f.kind == errc::rate_limited || f.kind == errc::too_many_inflight)) {
        f.retry_after = rate_limited_default;
    }
    if (!f.retry_after && f.kind == errc::service_busy) {
        f.retry_after = busy_default;
    }
    if (f.kind == errc::rate_limited && *f.retry_after >= policy::quota_retry_after_min) {
        f.kind = errc::quota_exceeded;
    }
    if (f.kind == errc::quota_exceeded && f.retry_after && f.retry_after->count() == 0) {
        f.retry_after.reset();  // Zero does not tell when a quota is available again.
    }
    if (f.retry_after) {
        f.retry_after = policy::believed_retry_after(*f.retry_after, f.kind);
    }
    return mapped;
}

}  // namespace vembed::cyberian
