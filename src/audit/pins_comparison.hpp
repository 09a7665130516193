#pragma once
/// Compares what a folder's manifest says about its account's schemes with what is known of them. Pure.

#include <optional>
#include <string>

#include <vembed/audit/check_tally.hpp>
#include <vembed/verify/pins.hpp>

#include "folder/manifest.hpp"

namespace vembed::audit {

bool knows_anything(const account_pins& pins);

/// The check "pins". `from` is the name of what `known` came from, for people; it may be empty.
check_tally compare_pins(const std::optional<folder::manifest>& recorded, const account_pins& known,
                         const std::string& from);

}  // namespace vembed::audit
