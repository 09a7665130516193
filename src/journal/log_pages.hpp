#pragma once
/// How long the log of a journal may get.

#include <cstdint>
#include <optional>

#include <vembed/core/result.hpp>

namespace vembed::journal {

/// After how many pages a journal's log has to be folded into it for both to stay within `file_max`. io if that is too
/// little for any run. Pure.
result<std::uint64_t> log_pages_within(std::optional<std::uint64_t> file_max);

}  // namespace vembed::journal
