#include "verify/strict_json.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <boost/json/parse.hpp>

#include <vembed/verify/row_proof.hpp>

#include "verify/json_rewrite.hpp"

namespace vembed::verify {
namespace {

namespace json = boost::json;

constexpr std::size_t digits_max = 15;

bool is_plain_number(std::string_view literal) {
    const bool digits = std::ranges::all_of(literal, [](char c) { return c >= '0' && c <= '9'; });
    return digits && literal.size() <= digits_max && (literal.size() == 1 || literal.front() != '0');
}

// Looks at every number literal of a JSON text that is known to be valid and without white space.
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

std::size_t depth_of(const json::value& value) {
    std::size_t deepest = 0;
    if (const json::array* list = value.if_array()) {
        for (const json::value& item : *list) {
            deepest = std::max(deepest, depth_of(item));
        }
        return deepest + 1;
    }
    if (const json::object* object = value.if_object()) {
        for (const auto& member : *object) {
            deepest = std::max(deepest, depth_of(member.value()));
        }
        return deepest + 1;
    }
    return 0;
}

}  // namespace

result<json::value> read_strict_json(std::string_view text) {
    // Refuses double keys and lone surrogates, which the parser alone lets pass.
    const json_form as_received(member_order::as_received, number_text::literal, string_text::shortest);
    const auto clean = rewrite_json(text, as_received);
    if (!clean) {
        return clean.error();
    }
    if (!numbers_are_plain(*clean)) {
        return failure(errc::protocol, "a number is not one of 0 to 999999999999999, written in digits only");
    }
    json::parse_options options;
    options.max_depth = 128;
    json::error_code ec;
    json::value parsed = json::parse(*clean, ec, {}, options);
    if (ec) {
        return failure(errc::protocol, "not JSON: " + ec.message());
    }
    if (depth_of(parsed) > row_proof_depth_max) {
        return failure(errc::protocol, "arrays and objects are nested too deep");
    }
    return parsed;
}

}  // namespace vembed::verify
