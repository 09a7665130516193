#pragma once
/// The catalog of models.

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace vembed::service {

class model {
public:
    std::string_view id;
    std::string_view name;
    std::string_view description;
    std::uint32_t dimensions;
    std::uint32_t tokens_max;
    bool precomputed;  ///< Rows do not depend on the inputs: for benchmarks.
};

std::span<const model> catalog() noexcept;

/// The model's index in the catalog.
std::optional<std::size_t> find_model(std::string_view id) noexcept;

}  // namespace vembed::service
