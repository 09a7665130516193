#pragma once
/// What this machine knows of the schemes that accounts' receipts follow: a file of scheme_pins.

#include <string>
#include <string_view>

#include <vembed/core/result.hpp>
#include <vembed/verify/pins.hpp>

namespace vembed::cli {

/// Where this user's programs keep it; empty where the user has no state folder.
std::string default_pins_file();

/// Reads the file. One that is not there is empty, or io where it `must_exist`. invalid_argument where it holds
/// something else: pins that were passed over would turn failures into questions.
result<scheme_pins> read_pins(const std::string& path, bool must_exist);

/// Replaces what the file says of the account, all at once; what it says of others stays. folder_mismatch where another
/// process is writing it.
result<void> keep_pins(const std::string& path, std::string_view account_id, const account_pins& pins);

}  // namespace vembed::cli
