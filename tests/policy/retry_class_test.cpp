#include "policy/retry/retry_class.hpp"

#include <gtest/gtest.h>

namespace vembed::policy {
namespace {

retry_class classify(errc kind, int status = 0) {
    error f(kind, "text");
    f.http_status = status;
    return classify_retry(f);
}

TEST(retry_class, every_kind) {
    for (int i = 0; i <= static_cast<int>(errc::out_of_memory); ++i) {
        const auto kind = static_cast<errc>(i);
        retry_class wanted = retry_class::final;
        switch (kind) {
            case errc::network:
            case errc::protocol: wanted = retry_class::backoff; break;
            case errc::rate_limited:
            case errc::too_many_inflight:
            case errc::service_busy: wanted = retry_class::retry_after; break;
            default: break;
        }
        EXPECT_EQ(classify(kind), wanted) << to_string(kind);
    }
}

TEST(retry_class, a_lasting_fault_is_final) {
    error f(errc::network, "the certificate was refused");
    f.lasting = true;
    EXPECT_EQ(classify_retry(f), retry_class::final);
}

TEST(retry_class, a_response_nobody_documented_is_a_fault_where_the_server_is_to_blame) {
    for (const int status : {408, 500, 501, 502, 504, 520, 599}) {
        EXPECT_EQ(classify(errc::api, status), retry_class::backoff) << status;
    }
    for (const int status : {301, 400, 404, 405, 410, 418, 499}) {
        EXPECT_EQ(classify(errc::api, status), retry_class::final) << status;
    }
}

}  // namespace
}  // namespace vembed::policy
