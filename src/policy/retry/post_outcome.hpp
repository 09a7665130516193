#pragma once
/// What became of a POST that must not be sent twice. The service knows no idempotency key and lists no jobs, so a
/// reply that is lost leaves it unknown whether the job exists and was charged (wire contract, "Quotas").

#include <cstdint>
#include <string_view>

namespace vembed::policy {

enum class post_outcome : std::uint8_t {
    not_sent,  ///< No byte of the request left: sending it again is safe.
    accepted,  ///< A 2xx reply was read whole.
    rejected,  ///< A refusal that the service documents, or that of a proxy in front of it: the request had no effect.
    unknown,   ///< Anything else. Partly sent counts as unknown: a proxy may have passed on what it had.
};

/// Who wrote a reply that is not 2xx, as far as its status and body show.
enum class reply_author : std::uint8_t {
    uncertain,     ///< JSON that is no documented refusal: the service may have written it after it made the job.
    service,       ///< A documented status with its documented code, of those that refuse a request.
    intermediary,  ///< Its body is not JSON, and the service writes nothing but JSON: a proxy in front of it.
};

/// Judges by the documented table of refusals (wire contract, "Errors"): 400 `invalid_request` and `unknown_model`, 401
/// and 403 `unauthorized`, 402 `quota_exceeded` and any code with "trial" in it, 404 `not_found`, 413
/// `request_too_large`, 422 `verification_failed`, 429 `rate_limited`, `too_many_inflight` and `quota_exceeded`, 503
/// `service_busy`. `code` is the body's "error", empty if it has none. `may_be_json`: the body is JSON, or the
/// beginning of JSON that was cut off; the caller has a parser to tell.
reply_author author_of(int status, std::string_view code, bool may_be_json) noexcept;

/// Whether the first character is one that JSON begins with, and a body without brackets or quotation marks is one of
/// JSON's words or has a number's characters only. False for an empty body.
bool begins_like_json(std::string_view body) noexcept;

/// What is known after one exchange.
struct post_evidence {
    std::uint64_t bytes_written = 0;
    bool reply_complete = false;  ///< A final reply was read whole.
    int status = 0;               ///< Its status; 0 if there was none.
    reply_author author = reply_author::uncertain;
};

/// Classifies a POST by how far it got.
///
/// A refusal of the service's own counts only as it is documented: an error of any other form (500, 502, an
/// undocumented code) may come after the job was made and charged. A 3xx or 4xx of a proxy is a rejection, because
/// proxies that answer so (413, 403, 429, 431) do it instead of passing the request on; 408 and 499 are not, and no 5xx
/// is.
post_outcome classify_post(const post_evidence& evidence) noexcept;

}  // namespace vembed::policy
