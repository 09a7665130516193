#include "service_front/response_head.hpp"

#include <gtest/gtest.h>

namespace vembed::service_front {
namespace {

TEST(response_head, has_status_headers_and_length) {
    vembed::testing::service_response response;
    response.status = 429;
    response.headers.emplace_back("Retry-After", "3");
    response.text = "12345";
    std::string head = "what was there before";
    write_response_head(head, response, false);
    EXPECT_EQ(head, "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3\r\nContent-Length: 5\r\n\r\n");
    write_response_head(head, response, true);
    EXPECT_EQ(head,
              "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3\r\nContent-Length: 5\r\nConnection: close\r\n\r\n");
}

TEST(response_head, knows_a_reason_for_every_status_the_service_gives) {
    for (const int status : {200, 201, 400, 401, 402, 404, 405, 409, 413, 422, 429, 431, 500, 502, 503, 504}) {
        EXPECT_FALSE(reason_of(status).empty()) << status;
    }
}

}  // namespace
}  // namespace vembed::service_front
