/// Requests that are no plain GET or POST with a bearer key: other methods, another header for the key, long bodies.

#include <algorithm>
#include <cstring>
#include <string>

#include <gtest/gtest.h>

#include "http/exchange_support.hpp"

namespace vembed::http {
namespace {

// Bytes that follow from their place. It can end early, as a file does that somebody cuts meanwhile.
class counted_bytes final : public body_source {
public:
    explicit counted_bytes(std::uint64_t size, std::uint64_t cut_at = std::uint64_t(-1)) : size_(size), cut_(cut_at) {}

    [[nodiscard]] std::uint64_t size() const noexcept override { return size_; }

    asio::awaitable<result<std::size_t>> read(std::uint64_t at, std::span<std::byte> into) override {
        const std::uint64_t end = std::min(size_, cut_);
        const std::size_t size =
            static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), end - std::min(at, end)));
        for (std::size_t i = 0; i < size; ++i) {
            into[i] = std::byte(letter(at + i));
        }
        co_return size;
    }

    static char letter(std::uint64_t at) { return static_cast<char>('a' + at % 23); }

private:
    std::uint64_t size_;
    std::uint64_t cut_;
};

std::shared_ptr<transport_request> put(std::uint64_t size, std::uint64_t cut_at = std::uint64_t(-1)) {
    auto request = get("/b/k?sig=1");
    request->method = http_method::put;
    request->headers = {header_field("If-None-Match", "*")};
    request->long_body = std::make_shared<counted_bytes>(size, cut_at);
    return request;
}

TEST(request_forms, a_delete_has_no_body_and_no_length) {
    asio::io_context context;
    loopback_server server(context, always(answer_all, response_text("204 No Content", "")));
    connected_client client(context, server);
    auto request = get("/jobs/j1");
    request->method = http_method::delete_;
    ASSERT_TRUE(succeeded(client.exchange(request)));
    const std::string& seen = server.peers.at(0)->seen;
    EXPECT_TRUE(seen.starts_with("DELETE /jobs/j1 HTTP/1.1\r\n")) << seen;
    EXPECT_EQ(seen.find("Content-Length"), std::string::npos);
}

TEST(request_forms, the_key_stands_where_the_api_wants_it) {
    asio::io_context context;
    loopback_server server(context, always(answer_all, response_text("200 OK", "")));
    connected_client client(context, server);
    auto request = get("/jobs");
    request->key = secret::from_key("a-key-of-any-form", "").value();
    request->key_in = std::make_shared<const key_header>("X-Api-Key", "");
    ASSERT_TRUE(succeeded(client.exchange(request)));
    const std::string& seen = server.peers.at(0)->seen;
    EXPECT_TRUE(seen.ends_with("\r\nX-Api-Key: a-key-of-any-form\r\n\r\n")) << seen;
    EXPECT_EQ(seen.find("Authorization"), std::string::npos);
}

TEST(request_forms, a_long_body_arrives_whole) {
    for (const std::uint64_t size :
         {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{256} << 10, (std::uint64_t{3} << 20) + 17}) {
        asio::io_context context;
        loopback_server server(context, always(answer_all, response_text("200 OK", "")));
        connected_client client(context, server);
        const exchange_outcome outcome = client.exchange(put(size));
        ASSERT_TRUE(succeeded(outcome)) << size;
        const std::string& seen = server.peers.at(0)->seen;
        EXPECT_EQ(outcome.bytes_written, seen.size());
        EXPECT_NE(seen.find("\r\nContent-Length: " + std::to_string(size) + "\r\n"), std::string::npos);
        const std::string body = seen.substr(seen.find("\r\n\r\n") + 4);
        ASSERT_EQ(body.size(), size);
        for (std::uint64_t i = 0; i < size; ++i) {
            ASSERT_EQ(body[i], counted_bytes::letter(i)) << i;
        }
    }
}

TEST(request_forms, a_long_body_that_ends_early_is_an_error) {
    asio::io_context context;
    loopback_server server(context, always(answer_all, response_text("200 OK", "")));
    connected_client client(context, server);
    const exchange_outcome outcome = client.exchange(put(1 << 20, 300'000));
    EXPECT_TRUE(failed_with(outcome, errc::io));
    EXPECT_FALSE(outcome.request_written);
    EXPECT_GE(outcome.bytes_written, 300'000u);
}

// 64 MiB do not fit into the buffers on the way.
TEST(request_forms, a_refusal_ends_a_long_body) {
    asio::io_context context;
    loopback_server server(context, always(answer_early, response_text("403 Forbidden", "<Error/>")));
    connected_client client(context, server);
    const exchange_outcome outcome = client.exchange(put(std::uint64_t{64} << 20));
    ASSERT_FALSE(outcome.error) << *outcome.error;
    EXPECT_EQ(outcome.head->status, 403);
    EXPECT_FALSE(outcome.request_written);
    EXPECT_EQ(client.sink.body, "<Error/>");
}

}  // namespace
}  // namespace vembed::http
