#pragma once
/// The headers of exported files.

#include <cstddef>
#include <cstdint>
#include <string>

#include <vembed/core/result.hpp>

namespace vembed::folder {

/// The header of an .fbin file. invalid_argument if a number does not fit into its 32 bits.
result<std::string> fbin_header(std::uint64_t rows, std::uint64_t dimensions);

/// The header of a safetensors file. Its size is a multiple of 8 bytes and at least `size_min`.
std::string safetensors_header(std::uint64_t rows, std::uint64_t dimensions, std::size_t size_min = 0);

}  // namespace vembed::folder
