#pragma once
/// Reads the chunk size from an execution specification (wire contract, "POST /jobs", the older form).

#include <cstdint>
#include <optional>
#include <string_view>

#include "text/yaml_scalars.hpp"

namespace vembed::policy {

/// The specification's chunking.chunk_size; nothing if it is not a whole number from 1 to 1000.
std::optional<std::uint64_t> chunk_size_in(const text::yaml_scalars& spec);

/// The same from the specification's text. Nothing, too, if text::read_yaml_scalars refuses it: the service reads the
/// whole specification and decides.
std::optional<std::uint64_t> chunk_size_of_spec(std::string_view spec_yaml);

}  // namespace vembed::policy
