#pragma once
/// Computes SHA-256 with the processor's own instructions, block by block.

#include <array>
#include <cstddef>
#include <cstdint>

namespace vembed::verify {

/// The state a to h that a SHA-256 carries from block to block (FIPS 180-4, section 5.3.3).
using sha256_state = std::array<std::uint32_t, 8>;

inline constexpr std::size_t sha256_block_bytes = 64;

class sha_instructions {
public:
    /// Hashes `blocks` blocks.
    void (*one)(sha256_state& state, const std::byte* from, std::size_t blocks);

    /// Hashes `blocks` blocks of each of two messages side by side.
    void (*both)(sha256_state& first, const std::byte* first_from, sha256_state& second, const std::byte* second_from,
                 std::size_t blocks);
};

/// Null if the processor has no such instructions, or none that are known here.
const sha_instructions* find_sha_instructions() noexcept;

}  // namespace vembed::verify
