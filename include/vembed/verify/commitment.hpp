#pragma once
/// @file
/// Commitments that a caller makes for outputs of its own, as POST /verify wants them.

#include <span>
#include <string>

#include <Eigen/Core>

#include <vembed/core/matrix.hpp>

namespace vembed {

/// The SHA-256, in lower-case hex, of the matrix as the service's output has it: row-major, float32, little-endian,
/// whatever the machine's own byte order. Specified: "a commitment for /verify is the SHA-256 of the concatenated
/// output bytes" (wire contract, "Receipts").
///
/// Takes a matrix or a block of rows without copying; a column-major matrix is copied first. NaNs and zeros keep their
/// bits. A matrix without numbers has the SHA-256 of nothing. Throws std::bad_alloc only.
std::string commitment(const Eigen::Ref<const matrix>& rows);

/// The commitment of numbers in memory, row-major as in a matrix.
std::string commitment(std::span<const float> values);

}  // namespace vembed
