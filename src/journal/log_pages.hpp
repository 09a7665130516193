#pragma once
/// The limit on the length of a journal's log.

#include <cstdint>
#include <optional>

#include <vembed/core/result.hpp>

namespace vembed::journal {

/// The number of pages after which a journal's log must be folded into the journal so that both files stay within
/// `file_max` bytes. io if `file_max` is too small for any run. Pure.
result<std::uint64_t> log_pages_within(std::optional<std::uint64_t> file_max);

}  // namespace vembed::journal
