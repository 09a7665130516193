#pragma once
/// The limit of file sizes that this process runs under (`ulimit -f`).

#include <cstdint>
#include <optional>

namespace vembed::storage {

/// The most that this process may write into one file; empty if there is no limit.
std::optional<std::uint64_t> file_size_limit() noexcept;

}  // namespace vembed::storage
