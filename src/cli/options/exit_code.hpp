#pragma once
/// What the program's exit status says. Documented in --help and README.md; scripts rely on the numbers.

#include <cstdint>
#include <utility>

#include <boost/system/result.hpp>

#include <vembed/bulk/options.hpp>
#include <vembed/core/failure.hpp>

namespace vembed::cli {

enum class exit_code : std::uint8_t {
    done = 0,
    error = 1,
    usage = 2,
    rows_failed = 3,          ///< The run is complete, but some rows could not be embedded.
    unauthorized = 4,         ///< No usable key, a key the service refuses, or an expired trial.
    verification_failed = 5,  ///< Something is not what it was attested to be.
    not_checkable = 6,        ///< A check that was asked for could not be made.
    other_run = 7,            ///< The output folder belongs to another run, or is in use.
    unfinished = 75,          ///< Run the same command again: quota, busy service, parked batches, first Ctrl-C.
    interrupted = 130,        ///< Second Ctrl-C.
};

/// The status of a command that ended with this failure.
exit_code exit_code_of(const failure& f) noexcept;

/// A failure, and the exit status that goes with it where that is not the failure's own.
class command_failure {
public:
    failure reason;
    exit_code code = exit_code::error;

    command_failure() = default;
    explicit command_failure(failure f) : reason(std::move(f)), code(exit_code_of(reason)) {}
    command_failure(failure f, exit_code status) : reason(std::move(f)), code(status) {}
};

template <class T>
using command_result = boost::system::result<T, command_failure>;

/// The status of a run that ended with this report.
exit_code exit_code_of(const bulk_report& report) noexcept;

}  // namespace vembed::cli
