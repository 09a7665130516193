#pragma once
/// Reads what a service's catalog says about a model.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <vembed/core/error.hpp>
#include <vembed/cyberian/types.hpp>

namespace vembed::detail {

class catalog_entry {
public:
    std::uint64_t dimensions = 0;  ///< 0 if not known.
    std::optional<error> missing;  ///< unknown_model if models are listed and not this one; names the first of them.

    catalog_entry() = default;
};

catalog_entry look_up(const std::vector<model_info>& catalog, const std::string& model);

}  // namespace vembed::detail
