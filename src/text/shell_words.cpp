#include "text/shell_words.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "text/utf8.hpp"

namespace vembed::text {
namespace {

bool needs_no_quotes(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_./=:,@%+").find(c) != std::string_view::npos;
}

// U+0080 to U+009F are control characters too; they begin with this byte, and their second byte is below 0xa0.
bool has_control(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const bool second_set = byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;
        if (byte < 0x20 || byte == 0x7f || second_set) {
            return true;
        }
    }
    return false;
}

void append_byte(std::string& out, char c) {
    static constexpr char hex[] = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    out.append("\\x").append(1, hex[byte >> 4]).append(1, hex[byte & 15]);
}

// `text` must be UTF-8.
void append_escaped(std::string& out, std::string_view text) {
    const bool control = has_control(text);
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '\\' || c == '\'') {
            out.append(1, '\\').append(1, c);
        } else if (byte < 0x20 || byte == 0x7f || (control && byte >= 0x80)) {
            append_byte(out, c);
        } else {
            out += c;
        }
    }
}

std::string with_escapes(std::string_view word) {
    std::string out = "$'";
    for (;;) {
        const auto bad = text::first_invalid_utf8(word);
        append_escaped(out, word.substr(0, bad.value_or(word.size())));
        if (!bad) {
            return out + "'";
        }
        append_byte(out, word[*bad]);
        word.remove_prefix(*bad + 1);
    }
}

std::string shell_word(const std::string& word) {
    if (!word.empty() && std::all_of(word.begin(), word.end(), needs_no_quotes)) {
        return word;
    }
    if (has_control(word) || text::first_invalid_utf8(word)) {
        return with_escapes(word);
    }
    std::string out = "'";
    for (const char c : word) {
        out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    return out + "'";
}

}  // namespace

std::string shell_line(const std::vector<std::string>& command) {
    std::string line;
    for (const std::string& argument : command) {
        line += (line.empty() ? "" : " ") + shell_word(argument);
    }
    return line;
}

std::string absolute_path(const std::string& path) {
    std::error_code error;
    const std::filesystem::path whole = std::filesystem::absolute(path, error);
    return error ? path : whole.lexically_normal().string();
}

std::string shell_path(const std::string& path) {
    return shell_word(absolute_path(path));
}

std::string folder_to_repeat_in(const std::vector<std::string>& paths) {
    const auto relative = [](const std::string& path) { return !path.empty() && path != "-" && path[0] != '/'; };
    if (std::none_of(paths.begin(), paths.end(), relative)) {
        return {};
    }
    std::error_code error;
    const std::filesystem::path here = std::filesystem::current_path(error);
    return error ? std::string() : here.string();
}

}  // namespace vembed::text
