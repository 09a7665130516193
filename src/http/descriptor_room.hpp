#pragma once
/// How many connections fit into the limit of open files.

#include <algorithm>
#include <cstdint>

namespace vembed::http {

/// What connections leave to other files: the program's own, the journal, the corpus.
inline constexpr std::uint64_t descriptors_reserved = 32;

/// As many connections as a process that may open so many files has at once. One is always tried.
[[nodiscard]] constexpr std::uint64_t connections_within(std::uint64_t descriptors) noexcept {
    return std::max<std::uint64_t>(descriptors - std::min(descriptors, descriptors_reserved), 1);
}

}  // namespace vembed::http
