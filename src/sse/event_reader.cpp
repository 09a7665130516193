#include "sse/event_reader.hpp"

#include <algorithm>
#include <utility>

#include "text/utf8.hpp"

namespace vembed::sse {
namespace {

// The milliseconds of a `retry` field; nothing unless it has digits only.
std::optional<std::chrono::milliseconds> retry_of(std::string_view digits) {
    if (digits.empty()) {
        return std::nullopt;
    }
    std::int64_t value = 0;
    for (const char c : digits) {
        if (c < '0' || c > '9') {
            return std::nullopt;
        }
        value = std::min<std::int64_t>(value * 10 + (c - '0'), retry_max.count());
    }
    return std::chrono::milliseconds(value);
}

}  // namespace

result<void> event_reader::feed(std::string_view bytes, std::vector<event>& into) {
    while (!failed_ && !bytes.empty()) {
        if (std::exchange(after_cr_, false) && bytes.front() == '\n') {
            bytes.remove_prefix(1);
            continue;
        }
        const std::size_t end = bytes.find_first_of("\r\n");
        const std::string_view part = bytes.substr(0, end);
        if (line_.size() + part.size() > most_.line_bytes_max) {
            return fail("a line of the event stream is longer than " + std::to_string(most_.line_bytes_max) + " bytes");
        }
        if (end == std::string_view::npos) {
            line_.append(part);
            return {};
        }
        after_cr_ = bytes[end] == '\r';
        bytes.remove_prefix(end + 1);
        const std::string whole = line_.empty() ? std::string() : std::exchange(line_, {}).append(part);
        if (auto taken = take_line(whole.empty() ? part : std::string_view(whole), into); !taken) {
            return taken;
        }
    }
    return failed_ ? result<void>(*failed_) : result<void>();
}

void event_reader::restart() {
    line_.clear();
    first_line_ = true;
    after_cr_ = false;
    type_.clear();
    data_.clear();
    id_ = last_event_id_;
    failed_.reset();
}

result<void> event_reader::take_line(std::string_view line, std::vector<event>& into) {
    constexpr std::string_view mark = "\xef\xbb\xbf";
    if (std::exchange(first_line_, false) && line.starts_with(mark)) {
        line.remove_prefix(mark.size());
    }
    if (line.empty()) {
        dispatch(into);
        return {};
    }
    const std::size_t colon = line.find(':');
    if (colon == 0) {
        ++comments_;
        return {};
    }
    std::string_view value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
    value.remove_prefix(value.starts_with(' ') ? 1 : 0);
    return take_field(line.substr(0, colon), value);
}

result<void> event_reader::take_field(std::string_view name, std::string_view value) {
    if (name == "event") {
        type_ = text::decode_utf8(value);
    } else if (name == "data") {
        data_.append(text::decode_utf8(value)).append(1, '\n');
    } else if (name == "id" && value.find('\0') == std::string_view::npos) {
        id_ = text::decode_utf8(value);
    } else if (name == "retry") {
        const auto asked = retry_of(value);
        retry_ = asked ? asked : retry_;
    }
    if (type_.size() + data_.size() > most_.event_bytes_max) {
        return fail("an event of the event stream is larger than " + std::to_string(most_.event_bytes_max) + " bytes");
    }
    return {};
}

void event_reader::dispatch(std::vector<event>& into) {
    last_event_id_ = id_;
    std::string type = std::exchange(type_, {});
    std::string data = std::exchange(data_, {});
    if (data.empty()) {
        return;
    }
    data.pop_back();  // The line feed after the last line.
    into.emplace_back(type.empty() ? "message" : std::move(type), std::move(data), last_event_id_);
}

error event_reader::fail(std::string what) {
    line_.clear();
    data_.clear();
    failed_ = error(errc::response_too_large, std::move(what) + "; the stream is not read on");
    return *failed_;
}

}  // namespace vembed::sse
