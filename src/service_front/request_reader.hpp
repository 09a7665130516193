#pragma once
/// Reads one HTTP/1.1 request from bytes as they arrive, with Beast's parser.

#include <cstddef>
#include <cstdint>
#include <string>

#include <boost/beast/http/basic_parser.hpp>
#include <vembed/testing/local_service.hpp>

namespace vembed::service_front {

namespace http = boost::beast::http;

/// Fields that decide what the service is asked. They are kept across a connection's requests to reuse their memory.
class request_storage {
public:
    testing::service_request request;  ///< Its `body` is set to `body` when the request is complete.
    std::string body;

    request_storage() = default;
};

/// Reads one request. It fails with an error code for what Beast refuses, and for more header lines than allowed,
/// HTTP/1.1 without exactly one Host, a repeated Authorization or Content-Type, and a transfer encoding other than
/// chunked.
class request_reader final : public http::basic_parser<true> {
public:
    using error_code = boost::system::error_code;
    using view = boost::beast::string_view;

    /// `storage` must outlive this; its content is overwritten.
    request_reader(request_storage& storage, std::uint32_t header_count_max);

    /// Whether the client waits for 100 Continue before it sends the body.
    [[nodiscard]] bool expects_continue() const noexcept { return expects_continue_; }

    /// Whether the client's version has no chunks.
    [[nodiscard]] bool is_http_10() const noexcept { return version_ < 11; }

private:
    void keep(view name, view value);

    void on_request_impl(http::verb method, view method_text, view target, int version, error_code& ec) override;
    void on_response_impl(int code, view reason, int version, error_code& ec) override;
    void on_field_impl(http::field name, view name_text, view value, error_code& ec) override;
    void on_header_impl(error_code& ec) override;
    void on_body_init_impl(const boost::optional<std::uint64_t>& content_length, error_code& ec) override;
    std::size_t on_body_impl(view part, error_code& ec) override;
    void on_chunk_header_impl(std::uint64_t size, view extensions, error_code& ec) override;
    std::size_t on_chunk_body_impl(std::uint64_t remain, view part, error_code& ec) override;
    void on_finish_impl(error_code& ec) override;

    request_storage& storage_;
    std::uint32_t header_count_max_;
    std::uint32_t header_count_ = 0;
    std::size_t headers_kept_ = 0;  // Those of `storage_` that are this request's; the others are a former one's.
    std::uint32_t hosts_ = 0;
    bool has_authorization_ = false;
    bool has_content_type_ = false;
    bool expects_continue_ = false;
    bool header_done_ = false;
    int version_ = 11;
};

}  // namespace vembed::service_front
