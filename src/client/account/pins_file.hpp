#pragma once
/// The file that stores the schemes that the receipts of each account were seen to follow (<vembed/verify/pins.hpp>),
/// for all processes that name the same file. The functions block, so call them on the worker thread or in programs.

#include <stop_token>
#include <string>
#include <string_view>

#include <vembed/core/result.hpp>
#include <vembed/verify/pins.hpp>

namespace vembed::detail {

/// The name under which an account's pins are stored. It has the service, because two services may have accounts of the
/// same id.
std::string pins_key(std::string_view base_url, std::string_view account_id);

/// Reads the file. If there is none, the result is empty, or io if it `must_exist`. Returns invalid_argument (naming
/// the file) if it holds something else: without its pins, failed checks would become not checkable.
result<scheme_pins> read_pins_file(const std::string& path, bool must_exist = false);

/// Adds what was learned about the account to the file, which is created with its folder if it does not exist. Returns
/// what is known about the account now: narrowed() with what other processes learned meanwhile. Returns io if another
/// process holds the file's lock for 5 s, cancelled if `stop` is requested meanwhile.
result<account_pins> add_to_pins_file(const std::string& path, const std::string& key, const account_pins& learned,
                                      const std::stop_token& stop = {});

}  // namespace vembed::detail
