#pragma once
/// Reads the execution specification of the older request form. Which keys it holds is documented only for
/// chunking.chunk_size; that the model is named by `model` (or `model.id`, `model.name`) is an assumption.

#include <cstdint>
#include <string>
#include <string_view>

#include "service/refusal.hpp"

namespace vembed::service {

class execution_spec {
public:
    std::string model;
    std::uint32_t chunk_size = 0;

    execution_spec() = default;
};

/// Reads a subset of YAML: mappings by indentation with spaces, plain or quoted scalars on one line, comments. All else
/// (lists, tabs, anchors, block scalars, a key given twice, …) is refused with 400 invalid_request that names the line.
/// Keys other than the two are allowed and ignored.
answer<execution_spec> read_execution_spec(std::string_view yaml);

}  // namespace vembed::service
