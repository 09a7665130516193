#include <vembed/verify/sha256_pair.hpp>

#include <algorithm>

#include "verify/hash/sha_instructions.hpp"

namespace vembed {
namespace {

using verify::sha256_block_bytes;

// FIPS 180-4, section 5.3.3.
constexpr verify::sha256_state initial_state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                                0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

// Called only if lanes are in use, which requires that the instructions exist.
const verify::sha_instructions& instructions() noexcept {
    return *verify::find_sha_instructions();
}

std::span<const std::byte> whole_blocks(std::span<const std::byte> bytes) {
    return bytes.first(bytes.size() - bytes.size() % sha256_block_bytes);
}

}  // namespace

sha256_pair::lane::lane() : state(initial_state) {}

std::span<const std::byte> sha256_pair::lane::fill(std::span<const std::byte> piece) {
    const std::size_t there = bytes % sha256_block_bytes;
    if (there == 0) {
        return piece;
    }
    const auto taken = piece.first(std::min(piece.size(), sha256_block_bytes - there));
    std::ranges::copy(taken, begun.begin() + static_cast<std::ptrdiff_t>(there));
    bytes += taken.size();
    if (bytes % sha256_block_bytes == 0) {
        instructions().one(state, begun.data(), 1);
    }
    return piece.subspan(taken.size());
}

void sha256_pair::lane::append(std::span<const std::byte> piece) {
    piece = fill(piece);
    const auto blocks = whole_blocks(piece);
    instructions().one(state, blocks.data(), blocks.size() / sha256_block_bytes);
    const auto rest = piece.subspan(blocks.size());
    std::ranges::copy(rest, begun.begin());
    bytes += piece.size();
}

digest sha256_pair::lane::finish() {
    // The padding is a one bit, zeros up to the last eight bytes of a block, and the length in bits (FIPS 180-4,
    // section 5.1.1).
    std::array<std::byte, sha256_block_bytes + 8> padding{std::byte{0x80}};
    const std::uint64_t bits = bytes * 8;
    const std::size_t used = (bytes + 1 + 8) % sha256_block_bytes;
    const std::size_t zeros = used == 0 ? 0 : sha256_block_bytes - used;
    for (std::size_t i = 0; i < 8; ++i) {
        padding[1 + zeros + i] = static_cast<std::byte>(bits >> (56 - 8 * i));
    }
    append(std::span(padding).first(1 + zeros + 8));
    digest value;
    for (std::size_t i = 0; i < value.size(); ++i) {
        value[i] = static_cast<std::byte>(state[i / 4] >> (24 - 8 * (i % 4)));
    }
    *this = lane();
    return value;
}

bool sha256_pair::supported() noexcept {
    return verify::find_sha_instructions() != nullptr;
}

sha256_pair::sha256_pair(bool side_by_side)
    : apart_(side_by_side ? nullptr : std::make_unique<std::array<sha256, 2>>()) {}

void sha256_pair::update(std::span<const std::byte> first, std::span<const std::byte> second) {
    if (apart_) {
        (*apart_)[0].update(first);
        (*apart_)[1].update(second);
        return;
    }
    first = lanes_[0].fill(first);
    second = lanes_[1].fill(second);
    // If the block of a lane is still not whole, the lane has no bytes left to share.
    const std::size_t shared = whole_blocks(first.size() < second.size() ? first : second).size();
    instructions().both(lanes_[0].state, first.data(), lanes_[1].state, second.data(), shared / sha256_block_bytes);
    lanes_[0].bytes += shared;
    lanes_[1].bytes += shared;
    lanes_[0].append(first.subspan(shared));
    lanes_[1].append(second.subspan(shared));
}

digest sha256_pair::finish(std::size_t which) {
    return apart_ ? (*apart_)[which].finish() : lanes_[which].finish();
}

std::array<digest, 2> sha256_pair::finish() {
    return {finish(0), finish(1)};
}

std::array<digest, 2> sha256_of_both(std::span<const std::byte> first, std::span<const std::byte> second) {
    thread_local sha256_pair pair;
    pair.update(first, second);
    return pair.finish();
}

}  // namespace vembed
