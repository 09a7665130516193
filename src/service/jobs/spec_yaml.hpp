#pragma once
/// Reads the execution specification of the older request form. Which keys it holds is documented only for
/// chunking.chunk_size; that the model is named by `model` (or `model.id`, `model.name`) is an assumption.

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

/// Reads one YAML document whose root is a mapping, in flow and block forms alike. Refused with 400 invalid_request
/// that names the line: what is no YAML, anchors and aliases, tags of a kind of their own, a key given twice or that is
/// no scalar, more than ten levels. Keys other than the two, lists among them, are allowed and ignored. Memory is
/// bounded by the text's size.
answer<execution_spec> read_execution_spec(std::string_view yaml);

}  // namespace vembed::service
