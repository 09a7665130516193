#pragma once
/// What a store tells of a file's content, and whether the bytes agree (wire contract, section 2, "Presigned URLs").

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <vembed/core/message.hpp>
#include <vembed/verify/sha256.hpp>

struct evp_md_ctx_st;

namespace vembed::cyberun {

using md5_digest = std::array<std::byte, 16>;

enum class digest_basis : std::uint8_t {
    none,         ///< Nothing was sent that the content can be checked with.
    repr_digest,  ///< Repr-Digest (RFC 9530), sha-256 or md5.
    content_md5,  ///< Content-MD5 of a 200.
    etag,         ///< An ETag that is the MD5 of the content.
};

std::string_view to_string(digest_basis basis) noexcept;

/// The digest that the whole file must have, from the best of what was sent.
class expected_digest {
public:
    digest_basis basis = digest_basis::none;
    std::optional<digest> sha256;
    std::optional<md5_digest> md5;

    expected_digest() = default;
};

/// Reads the headers of a 200 or 206. Content-MD5 counts in a 200 only, since in a 206 it is that of the part. An ETag
/// counts only if it is strong, 32 hex digits and no `-` (which parts of an upload leave), and the store does not say
/// that it encrypts with a key of its own, which makes the ETag something else. What cannot be read does not count.
expected_digest read_digests(int status, std::span<const header_field> headers);

enum class integrity : std::uint8_t { verified, failed, not_checkable };

/// The digests of bytes, in the order of the file. Somebody who resumes feeds the bytes on the disk first.
class content_hasher {
public:
    /// Hashes only what `expected` can be compared with. `can_check()` is false if that is nothing, or if this
    /// machine's crypto library refuses MD5.
    explicit content_hasher(const expected_digest& expected);

    [[nodiscard]] bool can_check() const noexcept { return context_ != nullptr; }
    void update(std::span<const std::byte> bytes);
    /// Ends the file. The next file needs another hasher.
    integrity finish();

private:
    struct deleter {
        void operator()(evp_md_ctx_st* context) const noexcept;
    };
    std::vector<std::byte> expected_;
    std::unique_ptr<evp_md_ctx_st, deleter> context_;
};

}  // namespace vembed::cyberun
