#pragma once
/// Classifies what became of a POST that must not be sent twice. The service knows no idempotency key and lists no
/// jobs. If a response is lost, nobody knows whether the job exists and was charged (wire contract, "Quotas").

#include <cstdint>
#include <string_view>

namespace vembed::policy {

enum class post_outcome : std::uint8_t {
    not_sent,  ///< No byte of the request left: sending it again is safe.
    accepted,  ///< A 2xx response was read whole.
    rejected,  ///< A refusal that the service documents, or that of a proxy in front of it: the request had no effect.
    /// Anything else: in doubt. A partly sent request is too, because a proxy may have passed on what it had.
    unknown,
};

/// Who wrote a response that is not 2xx, as far as its status and body show.
enum class response_author : std::uint8_t {
    uncertain,     ///< JSON that is no documented refusal: the service may have written it after it made the job.
    service,       ///< A refusal in a form that the service documents.
    intermediary,  ///< The body is not JSON, and the service writes nothing but JSON: a proxy in front of it wrote it.
};

/// True if the first character begins a JSON document. A body without brackets or quotation marks must be one of JSON's
/// words, or have a number's characters only. False if the body is empty.
bool begins_like_json(std::string_view body) noexcept;

/// What is known after one exchange.
struct post_evidence {
    std::uint64_t bytes_written = 0;
    bool response_complete = false;  ///< A final response was read whole.
    int status = 0;                  ///< Its status; 0 if there was none.
    response_author author = response_author::uncertain;
};

/// Classifies a POST by how far it got.
///
/// A refusal of the service counts only if it is documented: an error of any other form (500, 502, an undocumented
/// code) may come after the job was made and charged. A 3xx or 4xx of a proxy is a rejection, because proxies that send
/// it (413, 403, 429, 431) do so instead of passing the request on. 408, 499 and every 5xx are no rejections.
post_outcome classify_post(const post_evidence& evidence) noexcept;

}  // namespace vembed::policy
