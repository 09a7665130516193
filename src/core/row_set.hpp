#pragma once
/// A set of corpus rows with one bit a row: 1.25 MB for ten million rows, however they are scattered.

#include <algorithm>
#include <cstdint>
#include <vector>

#include <vembed/core/row_ranges.hpp>

namespace vembed::core {

class row_set {
public:
    void add(std::uint64_t row) {
        const std::size_t word = word_of(row);
        if (word >= words_.size()) {
            words_.resize(std::max(word + 1, words_.size() + words_.size() / 2));
        }
        const std::uint64_t before = words_[word];
        words_[word] |= bit_of(row);
        count_ += words_[word] != before ? 1 : 0;
    }

    void add(const row_ranges& ranges) {
        for (const auto& [first, last] : ranges) {
            for (std::uint64_t row = first; row < last; ++row) {
                add(row);
            }
        }
    }

    void remove(std::uint64_t row) noexcept {
        if (contains(row)) {
            words_[word_of(row)] &= ~bit_of(row);
            --count_;
        }
    }

    [[nodiscard]] bool contains(std::uint64_t row) const noexcept {
        const std::size_t word = word_of(row);
        return word < words_.size() && (words_[word] & bit_of(row)) != 0;
    }

    [[nodiscard]] bool contains_all(const row_ranges& ranges) const noexcept {
        return std::all_of(ranges.begin(), ranges.end(), [this](const auto& range) {
            std::uint64_t row = range.first;
            while (row < range.second && contains(row)) {
                ++row;
            }
            return row == range.second;
        });
    }

    [[nodiscard]] std::uint64_t size() const noexcept { return count_; }

private:
    static std::size_t word_of(std::uint64_t row) noexcept { return static_cast<std::size_t>(row / 64); }
    static std::uint64_t bit_of(std::uint64_t row) noexcept { return std::uint64_t{1} << (row % 64); }

    std::vector<std::uint64_t> words_;
    std::uint64_t count_ = 0;
};

}  // namespace vembed::core
