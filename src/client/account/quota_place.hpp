#pragma once
/// Where an account's use is counted for all processes of this machine.

#include <string>

namespace vembed::detail {

/// The path of the account's ledger in `quota_folder`, without an ending: see admission::shared_ledger.
std::string quota_place(const std::string& quota_folder, const std::string& base_url, const std::string& account_id);

}  // namespace vembed::detail
