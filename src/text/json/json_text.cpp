#include "text/json/json_text.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <limits>

#include "text/json/readable_json.hpp"
#include "text/utf8.hpp"

namespace vembed::text {
namespace {

namespace json = boost::json;

/// A parser handler that accepts every event and keeps nothing.
class null_handler {
public:
    static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_key_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_string_size = std::numeric_limits<std::size_t>::max();

    bool on_document_begin(json::error_code&) { return true; }
    bool on_document_end(json::error_code&) { return true; }
    bool on_object_begin(json::error_code&) { return true; }
    bool on_object_end(std::size_t, json::error_code&) { return true; }
    bool on_array_begin(json::error_code&) { return true; }
    bool on_array_end(std::size_t, json::error_code&) { return true; }
    bool on_key_part(json::string_view, std::size_t, json::error_code&) { return true; }
    bool on_key(json::string_view, std::size_t, json::error_code&) { return true; }
    bool on_string_part(json::string_view, std::size_t, json::error_code&) { return true; }
    bool on_string(json::string_view, std::size_t, json::error_code&) { return true; }
    bool on_number_part(json::string_view, json::error_code&) { return true; }
    bool on_int64(std::int64_t, json::string_view, json::error_code&) { return true; }
    bool on_uint64(std::uint64_t, json::string_view, json::error_code&) { return true; }
    bool on_double(double, json::string_view, json::error_code&) { return true; }
    bool on_bool(bool, json::error_code&) { return true; }
    bool on_null(json::error_code&) { return true; }
    bool on_comment_part(json::string_view, json::error_code&) { return true; }
    bool on_comment(json::string_view, json::error_code&) { return true; }
};

void append_escape(std::string& out, char c) {
    static constexpr char hex[] = "0123456789abcdef";
    switch (c) {
        case '"': out += "\\\""; return;
        case '\\': out += "\\\\"; return;
        case '\n': out += "\\n"; return;
        case '\r': out += "\\r"; return;
        case '\t': out += "\\t"; return;
        default: break;
    }
    out += "\\u00";
    out += hex[static_cast<unsigned char>(c) >> 4];
    out += hex[static_cast<unsigned char>(c) & 15];
}

bool is_plain(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\';
}

}  // namespace

bool append_json_string(std::string& out, std::string_view text) {
    bool whole = true;
    out += '"';
    std::size_t i = 0;
    while (i < text.size()) {
        std::size_t plain = i;
        while (plain < text.size() && is_plain(text[plain])) {
            ++plain;
        }
        out.append(text.substr(i, plain - i));
        i = plain;
        if (i == text.size()) {
            break;
        }
        if (static_cast<unsigned char>(text[i]) < 0x80) {
            append_escape(out, text[i++]);
            continue;
        }
        const utf8_part next = next_utf8_part(text.substr(i));
        out.append(next.valid ? text.substr(i, next.size) : utf8_replacement);
        i += next.size;
        whole = whole && next.valid;
    }
    out += '"';
    return whole;
}

void append_json_document(std::string& out, std::string_view document) {
    constexpr std::string_view mark = "\xef\xbb\xbf";
    if (document.starts_with(mark)) {
        document.remove_prefix(mark.size());
    }
    if (document.empty()) {
        out += "null";
    } else if (!is_json(document) && !is_json(text::readable_json(document))) {
        append_json_string(out, document);
    } else {
        // A raw line end in JSON can only be white space between tokens.
        for (const char c : document) {
            out += c == '\n' || c == '\r' ? ' ' : c;
        }
    }
}

bool is_json(std::string_view text) {
    json::parse_options options;
    options.max_depth = 256;
    json::basic_parser<null_handler> parser(options);
    json::error_code error;
    const std::size_t used = parser.write_some(false, text.data(), text.size(), error);
    return !error && used == text.size();
}

}  // namespace vembed::text
