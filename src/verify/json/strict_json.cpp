#include "verify/json/strict_json.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <boost/json/parse.hpp>

#include <vembed/verify/row_proof.hpp>

#include "verify/json/json_rewrite.hpp"

namespace vembed::verify {
namespace {

namespace json = boost::json;

constexpr std::size_t digits_max = 15;

bool is_plain_number(std::string_view literal) {
    const bool digits = std::ranges::all_of(literal, [](char c) { return c >= '0' && c <= '9'; });
    return digits && literal.size() <= digits_max && (literal.size() == 1 || literal.front() != '0');
}

// Checks every number literal of a JSON text that is known to be valid and without white space.
bool numbers_are_plain(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        if (text[at] == '"') {
            for (++at; text[at] != '"'; ++at) {
                at += text[at] == '\\' ? 1 : 0;
            }
            ++at;
        } else if (text[at] == '-' || (text[at] >= '0' && text[at] <= '9')) {
            const std::size_t end = std::min(text.find_first_not_of("0123456789+-.eE", at), text.size());
            if (!is_plain_number(text.substr(at, end - at))) {
                return false;
            }
            at = end;
        } else {
            ++at;
        }
    }
    return true;
}

// Says what is wrong with the number and depth of a text's values, JSON or not; empty if nothing is. It is called
// before memory is allocated for them, because a value can take ten times the bytes of its text.
std::string_view objection_to_size(std::string_view text) {
    std::size_t depth = 0;
    std::size_t values = 1;  // An upper bound: one more value may begin after each of these marks.
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char mark = text[at];
        if (mark == '"') {
            for (++at; at < text.size() && text[at] != '"'; ++at) {
                at += text[at] == '\\' ? 1 : 0;
            }
        } else if (mark == '[' || mark == '{') {
            ++depth;
            ++values;
        } else if (mark == ']' || mark == '}') {
            depth -= depth > 0 ? 1 : 0;
        } else if (mark == ',') {
            ++values;
        }
        if (depth > row_proof_depth_max) {
            return "arrays and objects are nested too deep";
        }
        if (values > row_proof_values_max) {
            return "it has too many values";
        }
    }
    return {};
}

}  // namespace

result<json::value> read_strict_json(std::string_view text) {
    if (const std::string_view objection = objection_to_size(text); !objection.empty()) {
        return error(errc::protocol, std::string(objection));
    }
    // The rewrite refuses double keys and lone surrogates, which the parser accepts.
    const json_form as_received(member_order::as_received, number_text::literal, string_text::shortest);
    const auto clean = rewrite_json(text, as_received);
    if (!clean) {
        return clean.error();
    }
    if (!numbers_are_plain(*clean)) {
        return error(errc::protocol, "a number is not one of 0 to 999999999999999, written in digits only");
    }
    json::error_code ec;
    json::value parsed = json::parse(*clean, ec);
    if (ec) {
        return error(errc::protocol, "not JSON: " + ec.message());
    }
    return parsed;
}

}  // namespace vembed::verify
