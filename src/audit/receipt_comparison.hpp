#pragma once
/// A receipt that somebody kept against the one that the service has. Pure.

#include <string_view>
#include <vector>

#include <vembed/cyberian/types.hpp>

namespace vembed::audit {

/// The documented fields in which the two differ; none where they are one receipt. Fields that are not documented are
/// left out, and the order of keys is the service's choice, so texts are not compared.
std::vector<std::string_view> differing_fields(const receipt& kept, const receipt& served);

}  // namespace vembed::audit
