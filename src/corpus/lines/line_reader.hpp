#pragma once
/// The lines of a file, one after the other, in a buffer that never grows beyond the longest line allowed.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <vembed/core/result.hpp>

#include "corpus/lines/byte_reader.hpp"

namespace vembed::corpus {

class line_reader {
public:
    /// `path` is for messages. Fails with bad_input if a line has more than max_line_bytes.
    line_reader(std::unique_ptr<byte_reader> from, std::string path, std::uint64_t max_line_bytes);

    /// Drops a UTF-8 byte order mark; fails with invalid_argument if it is one of UTF-16 or UTF-32. Call it before the
    /// first next().
    result<void> skip_byte_order_mark();

    /// The first bytes that are still to be read: `size` of them, or all if there are fewer. Valid until the next call.
    /// Call it before the first next().
    result<std::string_view> peek(std::size_t size);

    /// Sets `line` to the next line without its line feed, valid until the next call. False at the end. A line feed at
    /// the very end does not begin another line.
    result<bool> next(std::string_view& line);

    /// Works like next(), but gives the first `cut_bytes` bytes (less than the limit) of a line that is too long;
    /// was_cut() is then true.
    result<bool> next_or_cut(std::string_view& line, std::size_t cut_bytes);

    /// Whether the line of the last next_or_cut() was longer than the limit, and the full lengths of lines.
    [[nodiscard]] bool was_cut() const noexcept { return was_cut_; }
    [[nodiscard]] std::uint64_t whole_bytes() const noexcept { return whole_bytes_; }

    /// Skips the next line, however long it is; used for a line that next() refused.
    result<void> skip();

    /// The number, from 1, of the line that next() gave last or that skip() skipped last.
    [[nodiscard]] std::uint64_t number() const noexcept { return number_; }

    /// Whether the last line ended with a line feed.
    [[nodiscard]] bool terminated() const noexcept { return terminated_; }

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] std::uint64_t max_line_bytes() const noexcept { return max_line_bytes_; }

private:
    result<void> fill();
    [[nodiscard]] error too_long() const;

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
    bool too_long_ = false;  ///< next() refused the next line.
    std::uint64_t whole_bytes_ = 0;
};

}  // namespace vembed::corpus
