#pragma once
/// @file
/// SHA-256: the hash behind every commitment, root and receipt hash.

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace vembed {

/// A SHA-256 value.
using digest = std::array<std::byte, 32>;

/// A running SHA-256. Its context is allocated once and serves any number of messages, one after the other.
///
/// Movable; a moved-from object may only be assigned to or destroyed. One thread at a time.
class sha256 {
public:
    /// Throws std::runtime_error if the crypto library has no SHA-256, std::bad_alloc if it has no memory.
    sha256();
    sha256(sha256&&) noexcept = default;
    sha256& operator=(sha256&&) noexcept = default;
    ~sha256() = default;

    /// Appends bytes to the message. Pieces of any size, also empty ones.
    void update(std::span<const std::byte> bytes);

    /// The hash of all bytes since construction or the last finish(), which also starts the next message.
    digest finish();

private:
    struct deleter {
        void operator()(evp_md_ctx_st* context) const noexcept;
    };
    std::unique_ptr<evp_md_ctx_st, deleter> context_;
};

/// The hash of one message.
digest sha256_of(std::span<const std::byte> bytes);
digest sha256_of(std::string_view text);

/// 64 lower-case hex digits.
std::string to_hex(const digest& value);

/// Reads 64 hex digits of either case; nothing for any other text.
std::optional<digest> digest_from_hex(std::string_view hex) noexcept;

}  // namespace vembed
