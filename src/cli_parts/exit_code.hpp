#pragma once
/// The meaning of the program's exit status. --help and docs/program.md document it; scripts rely on the numbers.

#include <cstdint>
#include <utility>

#include <boost/system/result.hpp>

#include <vembed/core/error.hpp>
#include <vembed/verify/offline_check.hpp>

namespace vembed::cli {

enum class exit_code : std::uint8_t {
    done = 0,
    error = 1,
    usage = 2,
    rows_failed = 3,          ///< The run is complete, but some rows could not be embedded.
    unauthorized = 4,         ///< There is no usable key, the service refuses the key, or the trial is over.
    verification_failed = 5,  ///< Something differs from what was attested.
    not_checkable = 6,        ///< A check that was asked for could not be made.
    other_run = 7,            ///< The output folder belongs to another run, or is in use.
    unfinished = 75,          ///< Run the same command again: quota, busy service, parked batches, first Ctrl-C.
    interrupted = 130,        ///< The second Ctrl-C came.
};

/// The exit status of a command that ended with this error.
exit_code exit_code_of(const error& f) noexcept;

/// The exit status of a command that checked something, with this verdict.
exit_code exit_code_of(check_verdict verdict) noexcept;

/// The status of a command about several things, of which one ended with `next`: the one that asks for more comes
/// first. A refused key is first, then what the same command again may finish, then other errors.
exit_code worse_of(exit_code so_far, exit_code next) noexcept;

/// An error, and the exit status that goes with it if that is not the error's own.
class command_failure {
public:
    error reason;
    exit_code code = exit_code::error;

    command_failure() = default;
    explicit command_failure(error f) : reason(std::move(f)), code(exit_code_of(reason)) {}
    command_failure(error f, exit_code status) : reason(std::move(f)), code(status) {}
};

template <class T>
using command_result = boost::system::result<T, command_failure>;

}  // namespace vembed::cli
