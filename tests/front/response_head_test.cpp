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
    write_response_head(head, response, framing::length, false);
    EXPECT_EQ(head, "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3\r\nContent-Length: 5\r\n\r\n");
    write_response_head(head, response, framing::length, true);
    EXPECT_EQ(head,
              "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3\r\nContent-Length: 5\r\nConnection: close\r\n\r\n");
}

TEST(response_head, says_how_the_body_ends) {
    vembed::testing::service_response response;
    response.text = "begin";
    std::string head;
    write_response_head(head, response, framing::chunked, false);
    EXPECT_EQ(head, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    write_response_head(head, response, framing::close, true);
    EXPECT_EQ(head, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    response.length = 1'073'741'824;
    write_response_head(head, response, framing::length, false);
    EXPECT_EQ(head, "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n");
    response = {};
    response.status = 204;
    write_response_head(head, response, framing::length, false);
    EXPECT_EQ(head, "HTTP/1.1 204 No Content\r\n\r\n");
}

TEST(response_head, an_empty_chunk_would_be_the_last) {
    std::string out;
    append_chunk(out, "");
    EXPECT_EQ(out, "");
    append_chunk(out, std::string(26, 'x'));
    EXPECT_EQ(out, "1a\r\n" + std::string(26, 'x') + "\r\n");
}

TEST(response_head, knows_a_reason_for_every_status_the_service_gives) {
    for (const int status : {200, 201, 202, 204, 206, 302, 307, 400, 401, 402, 403, 404, 405, 406, 409,
                             410, 411, 412, 413, 416, 417, 422, 425, 429, 431, 500, 501, 502, 503, 504}) {
        EXPECT_FALSE(reason_of(status).empty()) << status;
    }
}

}  // namespace
}  // namespace vembed::service_front
