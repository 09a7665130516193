#pragma once
/// Walks over rows that are given as ranges.

#include <algorithm>
#include <cstdint>
#include <utility>

#include <vembed/journal/journal.hpp>

namespace vembed::folder {

/// A position in the rows of `rows`, which must outlive the cursor. A copy goes on from the same position.
class row_cursor {
public:
    explicit row_cursor(const row_ranges& rows) : rows_(&rows) {}

    /// Returns the next consecutive rows, at most `most` of them, as a half-open range; {0, 0} at the end.
    std::pair<std::uint64_t, std::uint64_t> take(std::uint64_t most) {
        if (range_ == rows_->size()) {
            return {0, 0};
        }
        const auto& [first, end] = (*rows_)[range_];
        const std::uint64_t from = first + used_;
        const std::uint64_t count = std::min(most, end - from);
        used_ += count;
        if (from + count == end) {
            ++range_;
            used_ = 0;
        }
        return {from, from + count};
    }

    /// Skips the next `count` rows.
    void skip(std::uint64_t count) {
        while (count > 0) {
            const auto [first, end] = take(count);
            if (first == end) {
                return;
            }
            count -= end - first;
        }
    }

private:
    const row_ranges* rows_;
    std::size_t range_ = 0;
    std::uint64_t used_ = 0;
};

}  // namespace vembed::folder
