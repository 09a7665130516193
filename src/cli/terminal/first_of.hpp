#pragma once
/// Lists that are shown in part.

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace vembed::cli {

/// The first items of a list, at most `shown_max`.
template <class T>
std::span<const T> first_of(const std::vector<T>& list, std::size_t shown_max) {
    return std::span<const T>(list).first(std::min(list.size(), shown_max));
}

}  // namespace vembed::cli
