#pragma once
/// @file
/// A corpus from any C++20 range of texts.

#include <concepts>
#include <cstdint>
#include <iterator>
#include <optional>
#include <ranges>
#include <string>
#include <utility>

#include <vembed/corpus/source.hpp>

namespace vembed {

/// A range whose elements a text can be made of: strings, string views, character pointers.
template <class Range>
concept text_range =
    std::ranges::input_range<Range> && std::constructible_from<std::string, std::ranges::range_reference_t<Range>>;

/// The elements of a range as rows, each read once: a container, a view, a generator. The range is advanced one element
/// ahead of the rows. Pass a view (std::span) to keep a container outside the source; a range passed by value is owned.
/// An exception from the range is reported as callback_failed.
template <text_range Range>
class range_source : public row_source {
public:
    explicit range_source(Range range) : range_(std::move(range)), at_(std::ranges::begin(range_)) {}

    result<std::optional<source_row>> next() override {
        if (at_ == std::ranges::end(range_)) {
            return std::optional<source_row>();
        }
        source_row row;
        row.text = std::string(*at_);
        ++at_;
        return std::optional<source_row>(std::move(row));
    }

    [[nodiscard]] std::optional<std::uint64_t> size_hint() const override {
        if constexpr (std::ranges::sized_range<const Range>) {
            return static_cast<std::uint64_t>(std::ranges::size(range_));
        } else {
            return std::nullopt;
        }
    }

private:
    Range range_;
    std::ranges::iterator_t<Range> at_;
};

}  // namespace vembed
