#include <vembed/verify/canonical_json.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <boost/json/basic_parser_impl.hpp>

#include "verify/ecma_number.hpp"

namespace vembed {
namespace {

namespace json = boost::json;

// The order of UTF-16 code units, on UTF-8: the same as that of bytes, except that U+E000 to U+FFFF (first bytes EE and
// EF) come after the surrogate pairs that stand for U+10000 and up (first bytes F0 to F4).
unsigned utf16_rank(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == 0xee || byte == 0xef ? byte + 0x10U : byte;
}

bool utf16_less(std::string_view a, std::string_view b) {
    return std::ranges::lexicographical_compare(a, b, {}, utf16_rank, utf16_rank);
}

void append_string(std::string& out, std::string_view text) {
    static constexpr char hex[] = "0123456789abcdef";
    out += '"';
    for (const char c : text) {
        switch (c) {
            case '"': out += "\\\""; break;
            case '\\': out += "\\\\"; break;
            case '\b': out += "\\b"; break;
            case '\t': out += "\\t"; break;
            case '\n': out += "\\n"; break;
            case '\f': out += "\\f"; break;
            case '\r': out += "\\r"; break;
            default:
                if (static_cast<unsigned char>(c) < 0x20) {
                    out += "\\u00";
                    out += hex[static_cast<unsigned char>(c) >> 4];
                    out += hex[static_cast<unsigned char>(c) & 15];
                } else {
                    out += c;
                }
        }
    }
    out += '"';
}

// The nearest double; nothing where the literal overflows to infinity or underflows to zero.
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

// Where "key":value of one member stands in the output.
class member {
public:
    std::string key;
    std::size_t begin = 0;
    std::size_t end = 0;
};

// An array or object that is open.
class scope {
public:
    bool is_object = false;
    std::size_t begin = 0;     // Where its first element or member starts in the output.
    std::size_t elements = 0;  // Of an array.
    std::vector<member> members;
};

// Writes the canonical text while the parser reads. An object's members are written as they come and put in order when
// the object ends.
class canonical_writer {
public:
    static constexpr std::size_t max_object_size = -1;
    static constexpr std::size_t max_array_size = -1;
    static constexpr std::size_t max_key_size = -1;
    static constexpr std::size_t max_string_size = -1;
    using error_code = json::error_code;
    using text_part = json::string_view;

    explicit canonical_writer(std::optional<std::string_view> dropped_key) : dropped_key_(dropped_key) {}

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_comment_part(text_part, error_code&) { return true; }
    bool on_comment(text_part, error_code&) { return true; }

    bool on_object_begin(error_code&) { return open(true); }
    bool on_array_begin(error_code& ec) {
        return dropped_key_ && scopes_.empty() ? refuse(ec, "it is not an object") : open(false);
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
        return scalar(ec, [this] { append_string(out_, std::exchange(gathered_, {})); });
    }
    bool on_number_part(text_part part, error_code&) { return gather(part); }
    // Boost.JSON rounds some literals of 17 digits wrongly, so its own values are not looked at.
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
        if (dropped_key_ && scopes_.empty()) {
            return refuse(ec, "it is not an object");
        }
        begin_value();
        write();
        return end_value();
    }

    bool number(text_part part, error_code& ec) {
        gather(part);
        const auto value = to_double(std::exchange(gathered_, {}));
        if (!value) {
            return refuse(ec, "a number is outside the range of a double");
        }
        return scalar(ec, [this, value] { verify::append_ecma_number(out_, *value); });
    }

    void drop_member(std::vector<member>& members) const;
    void rewrite(std::size_t begin, const std::vector<member>& members);

    std::optional<std::string_view> dropped_key_;
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
    append_string(out_, added.key);
    out_ += ':';
    return true;
}

bool canonical_writer::on_object_end(std::size_t, error_code& ec) {
    auto members = std::move(scopes_.back().members);
    const std::size_t begin = scopes_.back().begin;
    scopes_.pop_back();
    const auto by_key = [](const member& a, const member& b) { return utf16_less(a.key, b.key); };
    const bool in_order = std::ranges::is_sorted(members, by_key);
    if (!in_order) {
        std::ranges::sort(members, by_key);
    }
    if (std::ranges::adjacent_find(members, {}, &member::key) != members.end()) {
        return refuse(ec, "an object has the same key twice");
    }
    const std::size_t count = members.size();
    if (scopes_.empty()) {
        drop_member(members);
    }
    if (!in_order || members.size() != count) {
        rewrite(begin, members);
    }
    out_ += '}';
    return end_value();
}

void canonical_writer::drop_member(std::vector<member>& members) const {
    if (dropped_key_) {
        std::erase_if(members, [this](const member& m) { return m.key == *dropped_key_; });
    }
}

void canonical_writer::rewrite(std::size_t begin, const std::vector<member>& members) {
    std::string ordered;
    ordered.reserve(out_.size() - begin);
    for (const member& m : members) {
        if (!ordered.empty()) {
            ordered += ',';
        }
        ordered.append(out_, m.begin, m.end - m.begin);
    }
    out_.replace(begin, std::string::npos, ordered);
}

failure not_canonicalisable(const std::string& why, std::size_t at) {
    return {errc::protocol,
            "the JSON text has no canonical form: " + why + " (before byte " + std::to_string(at) + ")"};
}

result<std::string> canonicalise(std::string_view text, std::optional<std::string_view> dropped_key) {
    json::parse_options options;
    options.max_depth = canonical_json_depth_max;
    json::basic_parser<canonical_writer> parser(options, dropped_key);
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

}  // namespace

result<std::string> canonical_json(std::string_view json_text) {
    return canonicalise(json_text, std::nullopt);
}

result<std::string> canonical_json_without(std::string_view json_text, std::string_view top_level_key) {
    return canonicalise(json_text, top_level_key);
}

}  // namespace vembed
