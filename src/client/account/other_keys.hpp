#pragma once
/// What /account tells of the account's other keys: whether anybody but us may have used it.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vembed/cyberian/types.hpp>

namespace vembed::detail {

/// When each key but `own` was last used, as a text that differs once one of them was. Our own is the one whose id
/// begins the key, or the only one that is not revoked; nothing where it cannot be told or no keys are listed.
std::optional<std::string> use_of_other_keys(const std::vector<api_key_info>& keys, std::string_view own);

}  // namespace vembed::detail
