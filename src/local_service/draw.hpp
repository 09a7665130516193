#pragma once
/// Chance as a pure function: every draw is keyed by a seed, the request (or job) it is for, and its purpose, so that
/// the same calls give the same responses whatever else happens in between. Each service lists its purposes in an enum
/// of its own.

#include <cstddef>
#include <cstdint>
#include <string>

namespace vembed::local_service {

/// A bijection of 64 bits in which every input bit moves every output bit (the finalizer of splitmix64).
constexpr std::uint64_t mix64(std::uint64_t x) noexcept {
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/// 64 uniform bits for `about` and `what`. The draws of each purpose are independent.
template <class Purpose>
constexpr std::uint64_t draw(std::uint64_t seed, std::uint64_t about, Purpose what) noexcept {
    return mix64(mix64(mix64(seed) ^ about) ^ static_cast<std::uint64_t>(what));
}

/// A draw below `bound` (> 0).
template <class Purpose>
constexpr std::uint64_t draw_below(std::uint64_t seed, std::uint64_t about, Purpose what,
                                   std::uint64_t bound) noexcept {
    return draw(seed, about, what) % bound;
}

/// Whether an event of this probability happens.
template <class Purpose>
constexpr bool draw_strikes(std::uint64_t seed, std::uint64_t about, Purpose what, double probability) noexcept {
    return probability > 0 && static_cast<double>(draw(seed, about, what) >> 11) * 0x1.0p-53 < probability;
}

/// `digits` hex digits (at most 64) that 64 drawn bits are spread to.
std::string hex_of_bits(std::uint64_t bits, std::size_t digits);

/// A UUID (RFC 4122, version 4) of 64 drawn bits.
std::string uuid_of_bits(std::uint64_t bits);

/// `digits` hex digits (at most 64) for an identifier.
template <class Purpose>
std::string draw_hex(std::uint64_t seed, std::uint64_t about, Purpose what, std::size_t digits) {
    return hex_of_bits(draw(seed, about, what), digits);
}

/// A random UUID (RFC 4122, version 4).
template <class Purpose>
std::string draw_uuid(std::uint64_t seed, std::uint64_t about, Purpose what) {
    return uuid_of_bits(draw(seed, about, what));
}

}  // namespace vembed::local_service
