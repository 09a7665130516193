#pragma once
/// Reads the chunk size from an execution specification, as far as this needs no YAML parser.

#include <cstdint>
#include <optional>
#include <string_view>

namespace vembed::policy {

/// The chunk_size of the top-level mapping `chunking`, written as a block or as {chunk_size: N} on one line (wire
/// contract, "POST /jobs", the older form); 1 to 1000. Nothing if it is written in another way, or more than once: the
/// service reads the whole specification and decides.
std::optional<std::uint64_t> chunk_size_of_spec(std::string_view spec_yaml) noexcept;

}  // namespace vembed::policy
