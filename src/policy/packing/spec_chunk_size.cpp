#include "policy/packing/spec_chunk_size.hpp"

#include <charconv>

#include "policy/input/input_rules.hpp"

namespace vembed::policy {

std::optional<std::uint64_t> chunk_size_in(const text::yaml_scalars& spec) {
    const auto found = spec.find("chunking.chunk_size");
    if (found == spec.end()) {
        return std::nullopt;
    }
    const std::string& digits = found->second;
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    const bool whole = error == std::errc() && end == digits.data() + digits.size();
    return whole && value >= 1 && value <= inputs_max ? std::optional(value) : std::nullopt;
}

std::optional<std::uint64_t> chunk_size_of_spec(std::string_view spec_yaml) {
    const auto spec = text::read_yaml_scalars(spec_yaml);
    return spec ? chunk_size_in(*spec) : std::nullopt;
}

}  // namespace vembed::policy
