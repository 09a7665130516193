#pragma once
/// Lines that can be read again from an earlier position, for records whose end turns out to be elsewhere.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include <vembed/core/result.hpp>

#include "corpus/lines/line_reader.hpp"

namespace vembed::corpus {

class rewindable_lines {
public:
    /// A position between two lines.
    class place {
    public:
        std::uint64_t at = 0;
        std::uint64_t line = 0;

        place() = default;
    };

    /// Gives only the first `cut_bytes` of a line over the reader's limit. `rewinds`: lines are kept until they are
    /// forgotten.
    rewindable_lines(line_reader lines, std::size_t cut_bytes, bool rewinds)
        : lines_(std::move(lines)), cut_bytes_(cut_bytes), keep_(rewinds) {}

    /// Works like line_reader::next_or_cut.
    result<bool> next(std::string_view& line);
    [[nodiscard]] bool was_cut() const noexcept { return was_cut_; }
    [[nodiscard]] std::uint64_t whole_bytes() const noexcept { return whole_bytes_; }

    /// The number of the line that next() gave last, from 1.
    [[nodiscard]] std::uint64_t number() const noexcept { return number_; }

    [[nodiscard]] place here() const noexcept;

    /// Frees the memory of the lines before here(), to which go_to() can then not go back.
    void forget_passed();

    /// Goes to a position; no line behind it may have been forgotten.
    void go_to(place where) noexcept;

    [[nodiscard]] const std::string& path() const noexcept { return lines_.path(); }
    [[nodiscard]] std::uint64_t max_line_bytes() const noexcept { return lines_.max_line_bytes(); }

private:
    line_reader lines_;
    std::size_t cut_bytes_;
    bool keep_;
    std::string held_;                            // lines, each with a line feed
    std::map<std::uint64_t, std::uint64_t> cut_;  // the positions of cut lines, and the lines' full lengths
    std::uint64_t held_from_ = 0;                 // the position of the first byte in held_
    std::uint64_t at_ = 0;
    std::uint64_t number_ = 0;
    std::uint64_t whole_bytes_ = 0;
    bool was_cut_ = false;
};

}  // namespace vembed::corpus
