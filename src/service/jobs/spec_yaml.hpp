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

/// Refused with a 400 invalid_request, which names the line if one is at fault, if text::read_yaml_scalars refuses the
/// text, or if it names no model or no chunk size from 1 to 1000. Other keys, also lists, are allowed and ignored.
answer<execution_spec> read_execution_spec(std::string_view yaml);

}  // namespace vembed::service
