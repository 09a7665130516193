#pragma once
/// Lines that can be read again from a place on: for records that turn out to end elsewhere than they seemed to.

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
    /// A place between two lines.
    class place {
    public:
        std::uint64_t at = 0;
        std::uint64_t line = 0;

        place() = default;
    };

    /// Of a line over the reader's limit the first `cut_bytes` are given. `rewinds`: lines are kept until they are
    /// forgotten.
    rewindable_lines(line_reader lines, std::size_t cut_bytes, bool rewinds)
        : lines_(std::move(lines)), cut_bytes_(cut_bytes), keep_(rewinds) {}

    /// As line_reader::next_or_cut.
    result<bool> next(std::string_view& line);
    [[nodiscard]] bool was_cut() const noexcept { return was_cut_; }
    [[nodiscard]] std::uint64_t whole_bytes() const noexcept { return whole_bytes_; }

    /// The number of the line that next() gave last, from 1.
    [[nodiscard]] std::uint64_t number() const noexcept { return number_; }

    [[nodiscard]] place here() const noexcept;

    /// The lines before here() need not be gone back to: their memory is given back.
    void forget_passed();

    /// Goes to a place behind which nothing was forgotten.
    void go_to(place where) noexcept;

    [[nodiscard]] const std::string& path() const noexcept { return lines_.path(); }
    [[nodiscard]] std::uint64_t max_line_bytes() const noexcept { return lines_.max_line_bytes(); }

private:
    line_reader lines_;
    std::size_t cut_bytes_;
    bool keep_;
    std::string held_;                            // lines, each with a line feed
    std::map<std::uint64_t, std::uint64_t> cut_;  // places of those that were cut, and their lengths as a whole
    std::uint64_t held_from_ = 0;                 // the place of its first byte
    std::uint64_t at_ = 0;
    std::uint64_t number_ = 0;
    std::uint64_t whole_bytes_ = 0;
    bool was_cut_ = false;
};

}  // namespace vembed::corpus
