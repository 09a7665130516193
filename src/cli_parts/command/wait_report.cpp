#include "cli_parts/command/wait_report.hpp"

#include <set>

#include "cli_parts/failure_json.hpp"
#include "text/text_format.hpp"

namespace vembed::cli {
namespace {

// Whether a line of its own is worth the difference.
bool is_news(const standing& before, const standing& now) {
    const auto tenth = [](const standing& of) { return of.part ? static_cast<int>(*of.part * 10) : -1; };
    return before.word != now.word || tenth(before) != tenth(now);
}

// What ended in one of these states has a line of its own; other errors say nothing of it.
const char* state_of(const error& why) {
    switch (why.kind) {
        case errc::job_failed: return "failed";
        case errc::job_cancelled: return "cancelled";
        case errc::job_expired: return "expired";
        default: return nullptr;
    }
}

}  // namespace

std::string waiting_line(std::string_view noun, const std::map<std::string, standing>& seen, std::size_t ended,
                         std::size_t count) {
    if (count == 1 && seen.size() == 1) {
        const auto& [id, now] = *seen.begin();
        return std::string(noun) + " " + text::printable(id) + ": " + text::printable(now.word) +
               (now.more.empty() ? "" : ", " + text::printable(now.more));
    }
    std::map<std::string, std::size_t> counts;
    for (const auto& [id, now] : seen) {
        ++counts[now.word];
    }
    std::string line = std::to_string(ended) + "/" + std::to_string(count) + " ended";
    for (const auto& [word, number] : counts) {
        line += " | " + text::printable(word) + " " + std::to_string(number);
    }
    return line;
}

void drop_repeated(std::vector<std::string>& ids) {
    std::set<std::string> before;
    std::erase_if(ids, [&before](const std::string& id) { return !before.insert(id).second; });
}

wait_report::wait_report(console& out, command_loop& loop, wait_terms terms, std::size_t count, told_at_end at_end)
    : out_(&out), loop_(&loop), terms_(std::move(terms)), count_(count), at_end_(at_end) {}

void wait_report::seen(const std::string& id, standing now, boost::json::object fields) {
    if (out_->json()) {
        out_->print_object("progress", std::move(fields));
    }
    const auto before = standings_.find(id);
    const bool shown = out_->live() || before == standings_.end() || is_news(before->second, now);
    standings_[id] = std::move(now);
    if (shown) {
        out_->show_progress(waiting_line(terms_.noun, standings_, ended_, count_));
    }
}

void wait_report::completed(const std::string& id, boost::json::object fields) {
    if (at_end_ == told_at_end::object) {
        if (out_->json()) {
            out_->print_object(terms_.noun, std::move(fields));
        } else {
            out_->print(text::printable(id) + "\tcompleted");
        }
    }
    count_ended(id);
}

void wait_report::failed(const std::string& id, const error& why) {
    const bool is_left = why.kind == errc::cancelled || why.kind == errc::timeout;
    code_ = worse_of(code_, is_left ? exit_code::unfinished : exit_code_of(why));
    if (is_left) {
        tell_left(id, why);
    } else {
        const char* const state = state_of(why);
        if (state != nullptr && at_end_ == told_at_end::object && !out_->json()) {
            out_->print(text::printable(id) + "\t" + state);
        }
        out_->fail(why);
    }
    count_ended(id);
}

void wait_report::tell_left(const std::string& id, const error& why) {
    left_.push_back(id);
    if (out_->json()) {
        out_->print_object("failure", failure_object(why));
    }
    if (terms_.is_ended_by) {
        out_->warn(terms_.noun + " " + id + ": " + why.message);
    }
}

void wait_report::count_ended(const std::string& id) {
    ++ended_;
    standings_.erase(id);
    if (ended_ == count_) {
        loop_->end();
    }
}

exit_code wait_report::finish() const {
    if (left_.empty()) {
        return code_;
    }
    std::string command = terms_.command;
    for (const std::string& id : left_) {
        command += " " + id;
    }
    const std::string which = "the " + terms_.noun + (left_.size() == 1 ? "" : "s");
    if (terms_.is_ended_by) {
        out_->warn("to see what became of " + which + ": " + command);
    } else {
        out_->warn(which + (left_.size() == 1 ? " goes on" : " go on") + "; wait again with: " + command);
    }
    return code_;
}

}  // namespace vembed::cli
