#include "service/endpoints/json_text.hpp"

#include <array>
#include <charconv>
#include <cstdio>

namespace vembed::service {

void append_json_string(std::string& out, std::string_view text) {
    static constexpr char hex[] = "0123456789abcdef";
    out += '"';
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte < 0x20 || byte == 0x7f) {
            out += "\\u00";
            out += hex[byte >> 4];
            out += hex[byte & 15];
        } else {
            out += c;
        }
    }
    out += '"';
}

std::string timestamp(wall_time time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(time - day);
    std::array<char, 64> text{};
    const int size =
        std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                      static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
    return std::string(text.data(), static_cast<std::size_t>(size));
}

void json_writer::separate() {
    if (!out_.empty() && out_.back() != '{' && out_.back() != '[' && out_.back() != ':') {
        out_ += ',';
    }
}

void json_writer::name(std::string_view text) {
    separate();
    append_json_string(out_, text);
    out_ += ':';
}

json_writer& json_writer::begin_object() {
    separate();
    out_ += '{';
    return *this;
}

json_writer& json_writer::end_object() {
    out_ += '}';
    return *this;
}

json_writer& json_writer::begin_array(std::string_view text) {
    name(text);
    out_ += '[';
    return *this;
}

json_writer& json_writer::end_array() {
    out_ += ']';
    return *this;
}

json_writer& json_writer::begin_object(std::string_view text) {
    name(text);
    out_ += '{';
    return *this;
}

json_writer& json_writer::field(std::string_view text, std::string_view value) {
    name(text);
    append_json_string(out_, value);
    return *this;
}

json_writer& json_writer::field(std::string_view text, std::uint64_t value) {
    name(text);
    std::array<char, 20> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    out_.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
    return *this;
}

json_writer& json_writer::field(std::string_view text, bool value) {
    name(text);
    out_ += value ? "true" : "false";
    return *this;
}

json_writer& json_writer::field(std::string_view text, const std::optional<wall_time>& value) {
    return value ? field(text, timestamp(*value)) : null(text);
}

json_writer& json_writer::null(std::string_view text) {
    name(text);
    out_ += "null";
    return *this;
}

json_writer& json_writer::element(std::string_view value) {
    separate();
    append_json_string(out_, value);
    return *this;
}

}  // namespace vembed::service
