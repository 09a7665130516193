#pragma once
/// The descriptors 0, 1 and 2, which a program may be started without.

namespace vembed::cli {

/// Opens those of the three that are closed, so that no file, socket or pipe of the program gets their numbers and
/// is written to as if it were standard output. Reading from or writing to one that was closed fails as it did, but for
/// standard error: what is written there is lost. Call first of all.
void open_standard_descriptors() noexcept;

}  // namespace vembed::cli
