#pragma once
/// The store's files and the links to them.

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <vembed/core/message.hpp>
#include <vembed/core/time.hpp>

namespace vembed::cyberun_service {

/// What a file holds: a text, or bytes that are drawn from a seed wherever they are read.
class file_content {
public:
    std::string text;
    std::optional<std::uint64_t> drawn_bytes;  ///< Set: the length of the drawn bytes; `text` is not used.
    std::uint64_t seed = 0;

    file_content() = default;

    [[nodiscard]] std::uint64_t size() const noexcept { return drawn_bytes.value_or(text.size()); }
    /// `size` bytes from `at` on, which must be inside.
    [[nodiscard]] std::string read(std::uint64_t at, std::size_t size) const;
    /// A strong ETag with its quotes. It is no MD5.
    [[nodiscard]] std::string etag() const;
};

/// An upload that was presigned, and what came of it. The bytes are not kept.
class upload {
public:
    std::uint64_t size = 0;
    std::vector<header_field> signed_headers;
    std::optional<std::string> sha256;  ///< Set once the bytes came.

    upload() = default;
};

/// Uploads by key; beyond the bound the oldest is forgotten.
class upload_list {
public:
    explicit upload_list(std::uint64_t files_max) : files_max_(files_max) {}
    void add(const std::string& key, upload made);
    upload* find(const std::string& key);

private:
    std::uint64_t files_max_;
    std::unordered_map<std::string, upload> uploads_;
    std::deque<std::string> order_;
};

/// The path and query of a presigned URL: the key's slashes are written as %2F, so that who re-encodes it breaks it.
std::string presigned_target(std::uint64_t seed, std::string_view method, std::string_view key, wall_time wall,
                             std::uint32_t ttl_s);

/// Why a target is refused, or the key that it leads to.
class opened_link {
public:
    std::string key;
    bool signature_is_right = false;
    bool expired = false;

    opened_link() = default;
};
opened_link open_link(std::uint64_t seed, std::string_view method, std::string_view target, wall_time wall);

}  // namespace vembed::cyberun_service
