#pragma once
/// Hashes float32 as little-endian bytes on any machine.

#include <span>

#include <vembed/verify/sha256.hpp>

namespace vembed::verify {

/// Hashes the numbers' little-endian bytes by computing them from the values, which is right for any byte order of the
/// machine.
void hash_by_value(sha256& hasher, std::span<const float> values);

/// Gives the hash of hash_by_value(), but hashes the memory directly if the machine is little-endian.
void hash_floats(sha256& hasher, std::span<const float> values);

}  // namespace vembed::verify
