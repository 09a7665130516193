#include "policy/retry/retry_class.hpp"

namespace vembed::policy {

retry_class classify_retry(const error& f) noexcept {
    switch (f.kind) {
        case errc::network: return f.lasting ? retry_class::final : retry_class::backoff;
        case errc::protocol: return retry_class::backoff;
        case errc::rate_limited:
        case errc::too_many_inflight:
        case errc::service_busy: return retry_class::retry_after;
        case errc::api: return f.http_status >= 500 || f.http_status == 408 ? retry_class::backoff : retry_class::final;
        default: return retry_class::final;
    }
}

}  // namespace vembed::policy
