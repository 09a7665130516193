#include "corpus/lines/rewindable_lines.hpp"

namespace vembed::corpus {

result<bool> rewindable_lines::next(std::string_view& line) {
    const auto from = static_cast<std::size_t>(at_ - held_from_);
    if (from < held_.size()) {
        const std::size_t end = held_.find('\n', from);
        line = std::string_view(held_).substr(from, end - from);
        const auto cut = cut_.find(at_);
        was_cut_ = cut != cut_.end();
        whole_bytes_ = was_cut_ ? cut->second : line.size();
        at_ = held_from_ + end + 1;
        ++number_;
        return true;
    }
    auto more = lines_.next_or_cut(line, cut_bytes_);
    if (!more || !*more) {
        return more;
    }
    was_cut_ = lines_.was_cut();
    whole_bytes_ = lines_.whole_bytes();
    ++number_;
    if (keep_) {
        if (was_cut_) {
            cut_[at_] = whole_bytes_;
        }
        held_.append(line).append(1, '\n');
        at_ = held_from_ + held_.size();
    }
    return true;
}

rewindable_lines::place rewindable_lines::here() const noexcept {
    place now;
    now.at = at_;
    now.line = number_;
    return now;
}

void rewindable_lines::go_to(place where) noexcept {
    at_ = where.at;
    number_ = where.line;
}

void rewindable_lines::forget_passed() {
    const auto passed = static_cast<std::size_t>(at_ - held_from_);
    if (passed < held_.size() && passed <= held_.size() / 2) {
        return;  // Erasing rarely keeps the number of moves of each byte small.
    }
    held_.erase(0, passed);
    held_from_ = at_;
    cut_.erase(cut_.begin(), cut_.lower_bound(at_));
}

}  // namespace vembed::corpus
