#pragma once
/// Ctrl-C while standard input is read.

#include "cli_parts/interrupts.hpp"
#include "folder/spool.hpp"

namespace vembed::cli {

/// The stop token of interrupt_token(), for reading standard input.
inline folder::input_stop input_interrupt() {
    return folder::input_stop(interrupt_token(), interrupted);
}

}  // namespace vembed::cli
