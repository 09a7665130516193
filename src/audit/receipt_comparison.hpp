#pragma once
/// Compares a receipt that somebody kept with the one that the service has. Pure.

#include <string_view>
#include <vector>

#include <vembed/cyberian/types.hpp>

namespace vembed::audit {

/// The documented fields in which the two differ; empty if they are the same receipt. Fields that are not documented
/// are left out. The texts are not compared, because the service chooses the order of keys.
std::vector<std::string_view> differing_fields(const receipt& kept, const receipt& served);

}  // namespace vembed::audit
