#pragma once
/// Uploads files by presigned URLs.

#include <cstdint>
#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "cyberun/io/endpoints.hpp"
#include "cyberun/io/file_store.hpp"

namespace vembed::cyberun {

class uploading {
public:
    uploading(std::shared_ptr<endpoints> api, std::shared_ptr<file_store> store)
        : api_(std::move(api)), store_(std::move(store)) {}

    /// See client::upload_file().
    asio::awaitable<result<std::string>> upload(std::string path, std::string content_type, monotonic_time deadline);

private:
    class put_result;
    class file_body;

    asio::awaitable<put_result> put(const presigned_upload* to, std::shared_ptr<file_body> body,
                                    monotonic_time deadline);

    std::shared_ptr<endpoints> api_;
    std::shared_ptr<file_store> store_;
};

/// The headers of an upload besides Host and Content-Length, which the transport writes. protocol if one of these has
/// another value than the transport's, if a header would change how the message is read, or if one is no header.
result<std::vector<header_field>> upload_headers_of(const presigned_upload& to, const download_url& at,
                                                    std::uint64_t size);

}  // namespace vembed::cyberun
