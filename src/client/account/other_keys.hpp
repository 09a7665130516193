#pragma once
/// Tells from /account whether the account's other keys may have been used.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vembed/cyberian/types.hpp>

namespace vembed::detail {

/// The time when each key except `own` was last used, as a text that changes if one of them is used. The own key is the
/// one whose id begins `own`, or the only one that is not revoked. Nothing if the own key cannot be told or if no keys
/// are listed.
std::optional<std::string> use_of_other_keys(const std::vector<api_key_info>& keys, std::string_view own);

}  // namespace vembed::detail
