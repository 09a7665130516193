#pragma once
/// Converts an exception of the caller's code, or of an allocation, to an error.

#include <string_view>

#include <vembed/core/error.hpp>

namespace vembed {

/// The error for the exception being handled: out_of_memory if an allocation failed, else callback_failed. Call it only
/// within a catch block. `who` is what threw, e.g. "the source".
error thrown_failure(std::string_view who);

}  // namespace vembed
