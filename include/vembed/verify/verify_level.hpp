#pragma once
/// @file
/// How much of a job's proof is checked before its rows are handed out.

#include <cstdint>

namespace vembed {

/// Each level checks what the ones before it check.
enum class verify_level : std::uint8_t {
    none,     ///< The output's shape, its length, and that its rows are embeddings at all.
    hash,     ///< The results are the job's, their ranges tile its rows, each chunk's bytes are the committed ones.
    receipt,  ///< The receipt belongs to the job, and the service's own check of it says valid.
    offline,  ///< Our own recomputation of the receipt: its hash and its roots over inputs and outputs. If the
              ///< scheme is not known, this shows nothing, and the report says so.
};

}  // namespace vembed
