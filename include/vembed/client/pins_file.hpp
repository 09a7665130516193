#pragma once
/// @file
/// The file that stores the schemes that the receipts of each account were seen to follow (<vembed/verify/pins.hpp>).
/// All processes that name the same file share it; a client keeps it if client_options::pins_file names one.

#include <stop_token>
#include <string>

#include <vembed/core/result.hpp>
#include <vembed/verify/pins.hpp>

namespace vembed {

/// Reads the file. If there is none, the result is empty.
///
/// \par Errors
/// io if the file cannot be read, or if there is none and it `must_exist`. invalid_argument, which names the file, if
/// it holds something else: without its pins, failed checks would become not checkable.
///
/// \par Thread safety
/// Blocks for one small file. Safe beside add_to_pins_file in this and in other processes.
///
///     const auto known = vembed::read_pins_file("pins.json", true).value();
///     expected.pins = known.of(vembed::pins_key("https://api.example.org", "acc_1"));
result<scheme_pins> read_pins_file(const std::string& path, bool must_exist = false);

/// Adds what was learned about the account with this pins_key() to the file, which is created with its folder if it
/// does not exist. Returns what is known about the account now: narrowed() with what other processes learned meanwhile.
///
/// \par Errors
/// io if the file cannot be written, or if another process holds its lock (`path`.lock) for 5 s. invalid_argument if
/// the file holds no pins, or if scheme_pins::set refuses `learned`. With an error the file is as it was.
///
/// \par Cancellation
/// cancelled if `stop` is requested while the lock is awaited.
///
/// \par Thread safety
/// Blocks. Safe beside other calls for the same file, in this and in other processes.
result<account_pins> add_to_pins_file(const std::string& path, const std::string& key, const account_pins& learned,
                                      const std::stop_token& stop = {});

}  // namespace vembed
