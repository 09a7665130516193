#include <vembed/verify/canonical_json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <boost/json/basic_parser_impl.hpp>

#include "verify/json/ecma_number.hpp"
#include "verify/json/json_rewrite.hpp"

namespace vembed {
namespace {

namespace json = boost::json;
using verify::json_form;
using verify::member_edit;
using verify::member_order;
using verify::number_text;
using verify::string_text;

constexpr char hex_digits[] = "0123456789abcdef";

// Compares UTF-8 in the order of UTF-16 code units. It is the order of bytes, except that U+E000 to U+FFFF (first bytes
// EE and EF) come after the surrogate pairs that stand for U+10000 and up (first bytes F0 to F4).
unsigned utf16_rank(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == 0xee || byte == 0xef ? byte + 0x10U : byte;
}

bool utf16_less(std::string_view a, std::string_view b) {
    return std::ranges::lexicographical_compare(a, b, {}, utf16_rank, utf16_rank);
}

bool key_less(member_order order, std::string_view a, std::string_view b) {
    return order == member_order::utf16 ? utf16_less(a, b) : a < b;
}

void append_code_unit(std::string& out, std::uint32_t unit) {
    out += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) {
        out += hex_digits[(unit >> shift) & 15U];
    }
}

// The code point at the start of `text` and its length in bytes. The parser has checked that the text is valid UTF-8.
std::pair<std::uint32_t, std::size_t> code_point_of(std::string_view text) {
    const auto first = static_cast<unsigned char>(text.front());
    const std::size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    std::uint32_t point = length == 1 ? first : first & (0x7fU >> length);
    for (const char c : text.substr(1, length - 1)) {
        point = point << 6 | (static_cast<unsigned char>(c) & 0x3fU);
    }
    return {point, length};
}

// Appends an escape that both forms share; false if `c` has none.
bool append_short_escape(std::string& out, char c) {
    switch (c) {
        case '"': out += "\\\""; return true;
        case '\\': out += "\\\\"; return true;
        case '\b': out += "\\b"; return true;
        case '\t': out += "\\t"; return true;
        case '\n': out += "\\n"; return true;
        case '\f': out += "\\f"; return true;
        case '\r': out += "\\r"; return true;
        default: return false;
    }
}

void append_escaped(std::string& out, std::uint32_t point) {
    if (point < 0x1'0000) {
        append_code_unit(out, point);
        return;
    }
    append_code_unit(out, 0xd800 + ((point - 0x1'0000) >> 10));
    append_code_unit(out, 0xdc00 + ((point - 0x1'0000) & 0x3ff));
}

void append_string(std::string& out, std::string_view text, string_text form) {
    out += '"';
    while (!text.empty()) {
        const auto byte = static_cast<unsigned char>(text.front());
        std::size_t length = 1;
        if (append_short_escape(out, text.front())) {
            // The escape was appended.
        } else if (byte >= 0x20 && (byte < 0x7f || form == string_text::shortest)) {
            out += text.front();
        } else {
            const auto [point, bytes] = code_point_of(text);
            append_escaped(out, point);
            length = bytes;
        }
        text.remove_prefix(length);
    }
    out += '"';
}

// The nearest double; nothing if the literal overflows to infinity or underflows to zero.
std::optional<double> to_double(std::string_view literal) {
    double value = 0;
    const auto read = std::from_chars(literal.data(), literal.data() + literal.size(), value);
    if (read.ec != std::errc() || read.ptr != literal.data() + literal.size() || !std::isfinite(value)) {
        return std::nullopt;
    }
    const auto significand = literal.substr(0, literal.find_first_of("eE"));
    if (value == 0 && significand.find_first_of("123456789") != significand.npos) {
        return std::nullopt;
    }
    return value;
}

// True if an integer's literal can be read back from its nearest double: as the double's exact value, or as the digits
// it is written with. Any other integer would have the hash of its neighbour, and nobody could tell the two apart.
bool survives_as_double(std::string_view literal, double value, std::string_view written) {
    if (literal.find_first_of(".eE") != literal.npos || literal == written || literal == "-0") {
        return true;
    }
    std::array<char, 320> exact;
    const char* const end =
        std::to_chars(exact.data(), exact.data() + exact.size(), value, std::chars_format::fixed, 0).ptr;
    if (literal == std::string_view(exact.data(), end)) {
        return true;
    }
    // A number of 10^21 or more is written as d.ddde+n.
    std::string digits(written.substr(0, written.find('e')));
    std::erase(digits, '.');
    return written.size() != digits.size() && literal.substr(0, literal.find_last_not_of('0') + 1) == digits;
}

// The place of "key":value of one member in the output.
class member {
public:
    std::string key;
    std::size_t begin = 0;
    std::size_t value = 0;  // Its value begins here.
    std::size_t end = 0;
};

// An open array or object.
class scope {
public:
    bool is_object = false;
    std::size_t begin = 0;     // Its first element or member starts here in the output.
    std::size_t elements = 0;  // The number of elements of an array.
    std::vector<member> members;
};

// Writes the text while the parser reads. Members of an object are written as they come, and sorted when the object
// ends.
class canonical_writer {
public:
    static constexpr std::size_t max_object_size = -1;
    static constexpr std::size_t max_array_size = -1;
    static constexpr std::size_t max_key_size = -1;
    static constexpr std::size_t max_string_size = -1;
    using error_code = json::error_code;
    using text_part = json::string_view;

    canonical_writer(const json_form& form, const std::optional<member_edit>& edit) : form_(form), edit_(edit) {}

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_comment_part(text_part, error_code&) { return true; }
    bool on_comment(text_part, error_code&) { return true; }

    bool on_object_begin(error_code&) { return open(true); }
    bool on_array_begin(error_code& ec) {
        return edit_ && scopes_.empty() ? refuse(ec, "it is not an object") : open(false);
    }
    bool on_object_end(std::size_t, error_code& ec);
    bool on_array_end(std::size_t, error_code&) {
        scopes_.pop_back();
        out_ += ']';
        return end_value();
    }

    bool on_key_part(text_part part, std::size_t, error_code&) { return gather(part); }
    bool on_key(text_part part, std::size_t, error_code&);
    bool on_string_part(text_part part, std::size_t, error_code&) { return gather(part); }
    bool on_string(text_part part, std::size_t, error_code& ec) {
        gather(part);
        return scalar(ec, [this] { append_string(out_, std::exchange(gathered_, {}), form_.strings); });
    }
    bool on_number_part(text_part part, error_code&) { return gather(part); }
    // Boost.JSON rounds some literals of 17 digits wrongly, so its own values are not used.
    bool on_int64(std::int64_t, text_part part, error_code& ec) { return number(part, ec); }
    bool on_uint64(std::uint64_t, text_part part, error_code& ec) { return number(part, ec); }
    bool on_double(double, text_part part, error_code& ec) { return number(part, ec); }
    bool on_bool(bool value, error_code& ec) {
        return scalar(ec, [this, value] { out_ += value ? "true" : "false"; });
    }
    bool on_null(error_code& ec) {
        return scalar(ec, [this] { out_ += "null"; });
    }

    [[nodiscard]] std::string take() { return std::move(out_); }
    [[nodiscard]] const std::string& objection() const { return objection_; }

private:
    bool gather(text_part part) {
        gathered_.append(part.data(), part.size());
        return true;
    }

    bool refuse(error_code& ec, std::string why) {
        objection_ = std::move(why);
        ec = json::error::syntax;
        return false;
    }

    void begin_value() {
        if (!scopes_.empty() && !scopes_.back().is_object && scopes_.back().elements++ > 0) {
            out_ += ',';
        }
    }

    bool end_value() {
        if (!scopes_.empty() && scopes_.back().is_object) {
            scopes_.back().members.back().end = out_.size();
        }
        return true;
    }

    bool open(bool is_object) {
        begin_value();
        out_ += is_object ? '{' : '[';
        scope& opened = scopes_.emplace_back();
        opened.is_object = is_object;
        opened.begin = out_.size();
        return true;
    }

    template <class Write>
    bool scalar(error_code& ec, Write write) {
        if (edit_ && scopes_.empty()) {
            return refuse(ec, "it is not an object");
        }
        begin_value();
        write();
        return end_value();
    }

    bool number(text_part part, error_code& ec) {
        gather(part);
        const std::string literal = std::exchange(gathered_, {});
        const auto value = to_double(literal);
        if (!value) {
            return refuse(ec, "a number is outside the range of a double");
        }
        std::string written;
        verify::append_ecma_number(written, *value);
        if (form_.numbers == number_text::literal) {
            written = literal;
        } else if (!survives_as_double(literal, *value, written)) {
            return refuse(ec, "an integer has no double of its own");
        }
        return scalar(ec, [this, &written] { out_ += written; });
    }

    [[nodiscard]] bool edits(const member& m) const { return edit_ && scopes_.empty() && m.key == edit_->key; }
    void rewrite(std::size_t begin, const std::vector<member>& members);

    json_form form_;
    std::optional<member_edit> edit_;
    std::string out_;
    std::string gathered_;
    std::string objection_;
    std::vector<scope> scopes_;
};

bool canonical_writer::on_key(text_part part, std::size_t, error_code&) {
    gather(part);
    auto& members = scopes_.back().members;
    if (!members.empty()) {
        out_ += ',';
    }
    member& added = members.emplace_back();
    added.key = std::exchange(gathered_, {});
    added.begin = out_.size();
    append_string(out_, added.key, form_.strings);
    out_ += ':';
    added.value = out_.size();
    return true;
}

bool canonical_writer::on_object_end(std::size_t, error_code& ec) {
    auto members = std::move(scopes_.back().members);
    const std::size_t begin = scopes_.back().begin;
    scopes_.pop_back();
    auto ordered = members;
    const auto by_key = [this](const member& a, const member& b) { return key_less(form_.order, a.key, b.key); };
    const bool in_order = std::ranges::is_sorted(ordered, by_key);
    if (!in_order) {
        std::ranges::sort(ordered, by_key);
    }
    if (std::ranges::adjacent_find(ordered, {}, &member::key) != ordered.end()) {
        return refuse(ec, "an object has the same key twice");
    }
    const bool moves = !in_order && form_.order != member_order::as_received;
    if (moves || std::ranges::any_of(members, [this](const member& m) { return edits(m); })) {
        rewrite(begin, moves ? ordered : members);
    }
    out_ += '}';
    return end_value();
}

void canonical_writer::rewrite(std::size_t begin, const std::vector<member>& members) {
    std::string ordered;
    ordered.reserve(out_.size() - begin);
    for (const member& m : members) {
        if (edits(m) && !edit_->emptied) {
            continue;
        }
        if (!ordered.empty()) {
            ordered += ',';
        }
        if (edits(m)) {
            ordered.append(out_, m.begin, m.value - m.begin).append(R"("")");
        } else {
            ordered.append(out_, m.begin, m.end - m.begin);
        }
    }
    out_.replace(begin, std::string::npos, ordered);
}

error not_canonicalisable(const std::string& why, std::size_t at) {
    return {errc::protocol,
            "the JSON text has no canonical form: " + why + " (before byte " + std::to_string(at) + ")"};
}

}  // namespace

result<std::string> verify::rewrite_json(std::string_view text, const json_form& form,
                                         const std::optional<member_edit>& edit) {
    json::parse_options options;
    options.max_depth = canonical_json_depth_max;
    json::basic_parser<canonical_writer> parser(options, form, edit);
    json::error_code ec;
    const std::size_t read = parser.write_some(false, text.data(), text.size(), ec);
    if (!parser.handler().objection().empty()) {
        return not_canonicalisable(parser.handler().objection(), read);
    }
    if (ec) {
        return not_canonicalisable(ec.message(), read);
    }
    if (read < text.size()) {
        return not_canonicalisable("something follows its value", read + 1);
    }
    return parser.handler().take();
}

result<std::string> canonical_json(std::string_view json_text) {
    return verify::rewrite_json(json_text, {});
}

result<std::string> canonical_json_without(std::string_view json_text, std::string_view top_level_key) {
    return verify::rewrite_json(json_text, {}, member_edit(top_level_key, false));
}

}  // namespace vembed
