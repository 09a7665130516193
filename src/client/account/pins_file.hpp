#pragma once
/// The file that keeps what the receipts of each account were seen to follow (<vembed/verify/pins.hpp>), for all
/// processes that name the same file. Blocking: for the worker thread, or for programs.

#include <stop_token>
#include <string>
#include <string_view>

#include <vembed/core/result.hpp>
#include <vembed/verify/pins.hpp>

namespace vembed::detail {

/// Under which name an account's pins are kept: two services may have accounts of the same id.
std::string pins_key(std::string_view base_url, std::string_view account_id);

/// What the file holds; nothing where there is none, or io where it `must_exist`. invalid_argument (naming the file)
/// where it holds something else: pins that were passed over would turn failures into questions.
result<scheme_pins> read_pins_file(const std::string& path, bool must_exist = false);

/// Adds what was learned of the account to the file, which is created with its folder where it does not exist. Returns
/// what is known of the account now: narrowed() with what others learned meanwhile. io where another process holds the
/// file's lock for 5 s, cancelled where `stop` is asked meanwhile.
result<account_pins> add_to_pins_file(const std::string& path, const std::string& key, const account_pins& learned,
                                      const std::stop_token& stop = {});

}  // namespace vembed::detail
