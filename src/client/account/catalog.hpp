#pragma once
/// What a service's catalog says of a model.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <vembed/core/failure.hpp>
#include <vembed/cyberian/types.hpp>

namespace vembed::detail {

class catalog_entry {
public:
    std::uint64_t dimensions = 0;    ///< 0 where not known.
    std::optional<failure> missing;  ///< unknown_model if models are listed and not this one; names the first of them.

    catalog_entry() = default;
};

catalog_entry look_up(const std::vector<model_info>& catalog, const std::string& model);

}  // namespace vembed::detail
