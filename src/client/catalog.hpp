#pragma once
/// What a service's catalog says of a model.

#include <optional>
#include <string>
#include <vector>

#include <vembed/core/failure.hpp>
#include <vembed/cyberian/types.hpp>

namespace vembed::detail {

/// unknown_model if the catalog lists models and not this one; its message has the first of those it lists.
std::optional<failure> missing_from(const std::vector<model_info>& catalog, const std::string& model);

}  // namespace vembed::detail
