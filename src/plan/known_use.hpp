#pragma once
/// Reads what this machine's own count knows of an account's use in the last 24 hours.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <vembed/cyberian/types.hpp>
#include <vembed/runtime/environment.hpp>

namespace vembed::plan {

/// If the service said that the day's quota is used up, all of it counts as used. Empty if no process of this user has
/// counted the account's use, or if the count cannot be read. Blocks while the file is read.
std::optional<std::uint64_t> chunks_known_today(const std::string& quota_folder, const std::string& base_url,
                                                const account_info& account, std::shared_ptr<environment> env);

}  // namespace vembed::plan
