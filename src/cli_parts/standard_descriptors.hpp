#pragma once
/// The descriptors 0, 1 and 2, some of which may be closed when a program is started.

namespace vembed::cli {

/// Opens those of the three that are closed. Otherwise a file, socket or pipe of the program could get such a number
/// and be written to as standard output. Reading or writing a descriptor that was closed still fails, but what is
/// written to standard error is lost. Call this before anything else.
void open_standard_descriptors() noexcept;

}  // namespace vembed::cli
