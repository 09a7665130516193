#pragma once
/// What became of a POST that must not be sent twice. The service knows no idempotency key and lists no jobs, so a
/// reply that is lost leaves it unknown whether the job exists and was charged (wire contract, "Quotas").

#include <cstdint>

namespace vembed::policy {

enum class post_outcome : std::uint8_t {
    not_sent,  ///< No byte of the request left: sending it again is safe.
    accepted,  ///< A 2xx reply was read whole.
    rejected,  ///< The service's own documented error was read: the request had no effect.
    unknown,   ///< Anything else. Partly sent counts as unknown: a proxy may have passed on what it had.
};

/// What is known after one exchange.
struct post_evidence {
    std::uint64_t bytes_written = 0;
    bool reply_complete = false;         ///< A final reply was read whole.
    int status = 0;                      ///< Its status; 0 where there was none.
    bool documented_error_body = false;  ///< Its body is {"error":"<code>"…}: written by the service, not by a proxy.
};

/// Classifies a POST by how far it got.
///
/// A 4xx is a rejection whoever wrote it: proxies that answer 4xx do so instead of passing the request on (413, 408,
/// 421, 431) or the service itself did. 408 alone is unknown: it may be answered after the request was passed on. A
/// 5xx is a rejection only with the documented body and not 504, which says that the work had begun. A redirect
/// is a rejection: it was not acted on.
post_outcome classify_post(const post_evidence& evidence) noexcept;

}  // namespace vembed::policy
