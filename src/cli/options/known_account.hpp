#pragma once
/// What is known about the account of a receipt that somebody brings.

#include <string>

#include <vembed/core/result.hpp>
#include <vembed/verify/pins.hpp>

namespace vembed::cli {

class known_account {
public:
    std::string key;  ///< The account's key in the file; empty if nothing is known.
    account_pins pins;

    known_account() = default;
};

/// A receipt does not name its account, so the user does; an account is never chosen because its schemes fit. If
/// `pins_file` is empty, the usual file is read if an account is named, else nothing is known. `account` is its key or
/// its id; it may be empty if it is the only one. The error is invalid_argument if the account is not clear.
result<known_account> read_known_account(const std::string& pins_file, const std::string& account);

}  // namespace vembed::cli
