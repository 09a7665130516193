#pragma once
/// What this machine's own count knows of an account's use in the last 24 hours.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <vembed/cyberian/types.hpp>
#include <vembed/runtime/environment.hpp>

namespace vembed::plan {

/// As used counts all of a day's quota that the service called used up. Nothing where no process of this user has
/// counted the account's use, or the count cannot be read. Blocks for as long as reading the file takes.
std::optional<std::uint64_t> chunks_known_today(const std::string& quota_folder, const std::string& base_url,
                                                const account_info& account, std::shared_ptr<environment> env);

}  // namespace vembed::plan
