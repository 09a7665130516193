#pragma once
/// float32 as little-endian bytes on any machine.

#include <span>

#include <vembed/verify/sha256.hpp>

namespace vembed::verify {

/// Appends the numbers' little-endian bytes by way of their values, which is right whatever the machine's byte order.
void hash_by_value(sha256& hasher, std::span<const float> values);

/// The same; hashes the memory as it is where that is little-endian already.
void hash_floats(sha256& hasher, std::span<const float> values);

}  // namespace vembed::verify
