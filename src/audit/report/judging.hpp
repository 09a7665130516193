#pragma once
/// The verdict over checks, and which of them are required. Pure.

#include <span>
#include <string>
#include <string_view>

#include <vembed/audit/check_tally.hpp>

namespace vembed::audit {

/// Stands for every check but origin among the names of required checks.
inline constexpr std::string_view all_checks = "all";

folder_judgement judge(std::span<const check_tally> checks);

/// Marks the checks in `names` as required.
void require(std::span<check_tally> checks, std::span<const std::string> names);

}  // namespace vembed::audit
