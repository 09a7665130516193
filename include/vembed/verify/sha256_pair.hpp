#pragma once
/// @file
/// Two SHA-256 side by side.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include <vembed/verify/sha256.hpp>

namespace vembed {

/// Two running SHA-256 of messages that have nothing to do with each other. Each round of a SHA-256 waits for the one
/// before it; if the processor has SHA instructions (x86-64), the rounds of the other message fill that time, and both
/// together take about 2/3 of the time that they take one after the other. On other processors the two are hashed by
/// the crypto library, one after the other.
///
/// Movable; a moved-from object may only be assigned to or destroyed. One thread at a time.
class sha256_pair {
public:
    /// Whether this processor hashes two messages side by side.
    [[nodiscard]] static bool supported() noexcept;

    /// `side_by_side` must not be set if the processor is not supported(). Throws as sha256 does.
    explicit sha256_pair(bool side_by_side = supported());

    /// Appends to both messages: pieces of any size, also empty ones. Only the length that both pieces have in common
    /// is hashed side by side.
    void update(std::span<const std::byte> first, std::span<const std::byte> second);

    /// The hash of message 0 or 1 since construction or its last finish, which also starts its next message. The other
    /// one goes on.
    digest finish(std::size_t which);

    /// Finishes both messages.
    std::array<digest, 2> finish();

private:
    class lane {
    public:
        std::array<std::uint32_t, 8> state;
        std::array<std::byte, 64> begun{};  // The bytes of a block that is not whole yet.
        std::uint64_t bytes = 0;            // The message's length so far.

        lane();
        /// Fills the block that was begun and returns what is left of `piece`.
        std::span<const std::byte> fill(std::span<const std::byte> piece);
        void append(std::span<const std::byte> piece);
        digest finish();
    };

    std::array<lane, 2> lanes_;
    std::unique_ptr<std::array<sha256, 2>> apart_;  // Replaces the lanes if not side by side.
};

/// The hashes of two messages.
std::array<digest, 2> sha256_of_both(std::span<const std::byte> first, std::span<const std::byte> second);

}  // namespace vembed
