#pragma once
/// The place of the file that counts an account's use for all processes of this machine.

#include <string>

namespace vembed::detail {

/// The path of the account's ledger in `quota_folder`, without an ending: see admission::shared_ledger.
std::string quota_place(const std::string& quota_folder, const std::string& base_url, const std::string& account_id);

}  // namespace vembed::detail
