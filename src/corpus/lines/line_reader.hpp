#pragma once
/// The lines of a file, one after the other, in a buffer that grows no further than the longest line allowed.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <vembed/core/result.hpp>

#include "corpus/lines/byte_reader.hpp"

namespace vembed::corpus {

class line_reader {
public:
    /// `path` is for messages. A line of more than max_line_bytes is bad_input.
    line_reader(std::unique_ptr<byte_reader> from, std::string path, std::uint64_t max_line_bytes);

    /// Drops a UTF-8 byte order mark; one of UTF-16 or UTF-32 is invalid_argument. Before the first next().
    result<void> skip_byte_order_mark();

    /// The first bytes that are still to be read: `size` of them, or all where there are fewer. Valid until the next
    /// call. Before the first next().
    result<std::string_view> peek(std::size_t size);

    /// Sets `line` to the next line without its line feed, valid until the next call. False at the end. A line feed at
    /// the very end does not begin another line.
    result<bool> next(std::string_view& line);

    /// As next(); of a line that is too long, its first `cut_bytes` bytes (less than the limit), and then was_cut().
    result<bool> next_or_cut(std::string_view& line, std::size_t cut_bytes);

    /// Whether the line of the last next_or_cut() was longer than the limit, and how long lines are as a whole.
    [[nodiscard]] bool was_cut() const noexcept { return was_cut_; }
    [[nodiscard]] std::uint64_t whole_bytes() const noexcept { return whole_bytes_; }

    /// Passes over the next line, however long it is: one that next() refused.
    result<void> skip();

    /// The number of the line that next() gave, or skip() passed over, last, from 1.
    [[nodiscard]] std::uint64_t number() const noexcept { return number_; }

    /// Whether that line ended with a line feed.
    [[nodiscard]] bool terminated() const noexcept { return terminated_; }

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] std::uint64_t max_line_bytes() const noexcept { return max_line_bytes_; }

private:
    result<void> fill();
    [[nodiscard]] failure too_long() const;

    std::unique_ptr<byte_reader> from_;
    std::string path_;
    std::uint64_t max_line_bytes_;
    std::unique_ptr<char[]> buffer_;
    std::size_t capacity_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    bool at_end_ = false;
    bool terminated_ = false;
    std::uint64_t number_ = 0;
    std::string cut_;
    bool was_cut_ = false;
    bool too_long_ = false;  ///< next() refused the line that is next.
    std::uint64_t whole_bytes_ = 0;
};

}  // namespace vembed::corpus
