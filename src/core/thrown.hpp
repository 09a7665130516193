#pragma once
/// What an exception of the caller's code, or of an allocation, becomes.

#include <string_view>

#include <vembed/core/failure.hpp>

namespace vembed {

/// The failure for the exception being handled; only within a catch block. `who`: what threw, e.g. "the source".
/// out_of_memory for a failed allocation, else callback_failed.
failure thrown_failure(std::string_view who);

}  // namespace vembed
