#pragma once
/// Reads the execution specification of the older request form. Of its keys, only chunking.chunk_size is documented;
/// that `model` (or `model.id`, `model.name`) names the model is an assumption.

#include <cstdint>
#include <string>
#include <string_view>

#include "service/endpoints/refusal.hpp"

namespace vembed::service {

class execution_spec {
public:
    std::string model;
    std::uint32_t chunk_size = 0;

    execution_spec() = default;
};

/// Reads one YAML document whose root is a mapping, in flow and block forms alike. It is refused with a 400
/// invalid_request that names the line if it is not YAML, has anchors, aliases or tags that are not YAML's own, has a
/// key that is given twice or is not a scalar, or is nested more than ten levels deep. Other keys, also lists, are
/// allowed and ignored. Memory is bounded by the text's size.
answer<execution_spec> read_execution_spec(std::string_view yaml);

}  // namespace vembed::service
