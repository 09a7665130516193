#pragma once
/// What an execution specification says of its chunks, where that can be read without being a YAML parser.

#include <cstdint>
#include <optional>
#include <string_view>

namespace vembed::policy {

/// The chunk_size of the top-level mapping `chunking`, as lines of their own or as {chunk_size: N} on one line (wire
/// contract, "POST /jobs", the older form); 1 to 1000. Nothing where it is written in another way, or more than once:
/// the service reads the whole specification and has the last word.
std::optional<std::uint64_t> chunk_size_of_spec(std::string_view spec_yaml) noexcept;

}  // namespace vembed::policy
