#pragma once
/// What is taken as known of the account whose receipts somebody brings.

#include <string>

#include <vembed/core/result.hpp>
#include <vembed/verify/pins.hpp>

namespace vembed::cli {

class known_account {
public:
    std::string key;  ///< As the file has it; empty: nothing is taken as known.
    account_pins pins;

    known_account() = default;
};

/// A receipt does not name its account, so the user does: never any account of the file that fits. `pins_file` empty:
/// the usual one where an account is named, else nothing is taken as known. `account`: its key or its id; empty: the
/// only one in the file. invalid_argument where it is not clear which.
result<known_account> read_known_account(const std::string& pins_file, const std::string& account);

}  // namespace vembed::cli
