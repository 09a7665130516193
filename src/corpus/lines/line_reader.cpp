#include "corpus/lines/line_reader.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "corpus/lines/format_guess.hpp"

namespace vembed::corpus {
namespace {

constexpr std::size_t first_capacity = 256 * 1024;

}  // namespace

line_reader::line_reader(std::unique_ptr<byte_reader> from, std::string path, std::uint64_t max_line_bytes)
    : from_(std::move(from)),
      path_(std::move(path)),
      max_line_bytes_(max_line_bytes),
      buffer_(new char[first_capacity]),
      capacity_(first_capacity) {}

result<void> line_reader::skip_byte_order_mark() {
    using namespace std::string_view_literals;
    while (end_ < 4 && !at_end_) {
        if (auto filled = fill(); !filled) {
            return filled;
        }
    }
    const std::string_view first(buffer_.get(), end_);
    if (first.starts_with("\xef\xbb\xbf"sv)) {
        begin_ = 3;
        return {};
    }
    // The byte order mark of UTF-32LE begins with that of UTF-16LE.
    const bool by_four = first.starts_with("\xff\xfe\0\0"sv) || first.starts_with("\0\0\xfe\xff"sv);
    if (by_four || first.starts_with("\xff\xfe"sv) || first.starts_with("\xfe\xff"sv)) {
        const std::string from = by_four ? "UTF-32" : "UTF-16";
        return error(errc::invalid_argument, path_ + " is " + from + "; " + conversion_advice(path_, from));
    }
    return {};
}

result<std::string_view> line_reader::peek(std::size_t size) {
    size = std::min(size, first_capacity);
    while (end_ - begin_ < size && !at_end_) {
        if (auto filled = fill(); !filled) {
            return filled.error();
        }
    }
    return std::string_view(buffer_.get() + begin_, std::min(size, end_ - begin_));
}

result<bool> line_reader::next(std::string_view& line) {
    std::size_t scanned = 0;
    for (;;) {
        const char* start = buffer_.get() + begin_;
        const std::size_t held = end_ - begin_;
        const void* found = held > scanned ? std::memchr(start + scanned, '\n', held - scanned) : nullptr;
        const std::size_t length =
            found != nullptr ? static_cast<std::size_t>(static_cast<const char*>(found) - start) : held;
        if (length > max_line_bytes_) {
            too_long_ = true;
            return too_long();
        }
        if (found != nullptr || (at_end_ && held > 0)) {
            line = std::string_view(start, length);
            terminated_ = found != nullptr;
            begin_ += length + (terminated_ ? 1 : 0);
            ++number_;
            return true;
        }
        if (at_end_) {
            return false;
        }
        scanned = held;
        if (auto filled = fill(); !filled) {
            return filled.error();
        }
    }
}

result<bool> line_reader::next_or_cut(std::string_view& line, std::size_t cut_bytes) {
    was_cut_ = too_long_ = false;
    auto more = next(line);
    if (more || !too_long_) {
        whole_bytes_ = more && *more ? line.size() : 0;
        return more;
    }
    // next() refuses a line only if the buffer holds more of it than the limit.
    cut_.assign(buffer_.get() + begin_, static_cast<std::size_t>(std::min<std::uint64_t>(cut_bytes, max_line_bytes_)));
    if (auto skipped = skip(); !skipped) {
        return skipped.error();
    }
    line = cut_;
    was_cut_ = true;
    return true;
}

result<void> line_reader::skip() {
    whole_bytes_ = 0;
    for (++number_;;) {
        const void* found = end_ > begin_ ? std::memchr(buffer_.get() + begin_, '\n', end_ - begin_) : nullptr;
        if (found != nullptr) {
            const auto end = static_cast<std::size_t>(static_cast<const char*>(found) - buffer_.get());
            whole_bytes_ += end - begin_;
            begin_ = end + 1;
            return {};
        }
        whole_bytes_ += end_ - begin_;
        begin_ = end_ = 0;
        if (at_end_) {
            return {};
        }
        if (auto filled = fill(); !filled) {
            return filled;
        }
    }
}

result<void> line_reader::fill() {
    if (begin_ > 0) {
        std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
    if (end_ == capacity_) {
        // One byte beyond the longest line is enough to tell that a line is too long.
        const std::size_t grown = std::max(capacity_ + 1, std::min<std::size_t>(capacity_ * 2, max_line_bytes_ + 1));
        std::unique_ptr<char[]> larger(new char[grown]);
        std::memcpy(larger.get(), buffer_.get(), end_);
        buffer_ = std::move(larger);
        capacity_ = grown;
    }
    auto got = from_->read(buffer_.get() + end_, capacity_ - end_);
    if (!got) {
        return got.error();
    }
    end_ += *got;
    at_end_ = *got == 0;
    return {};
}

error line_reader::too_long() const {
    return {errc::bad_input, path_ + ":" + std::to_string(number_ + 1) + ": the line is longer than " +
                                 std::to_string(max_line_bytes_) +
                                 " bytes; is this the right file, and does it have line ends? "
                                 "(file_source_options::max_record_bytes raises the limit)"};
}

}  // namespace vembed::corpus
