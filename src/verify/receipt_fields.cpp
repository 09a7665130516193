#include "verify/receipt_fields.hpp"

#include <algorithm>
#include <optional>
#include <tuple>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <vembed/verify/offline_check.hpp>

#include "verify/json_rewrite.hpp"
#include "verify/readable_json.hpp"

namespace vembed::verify {
namespace {

namespace json = boost::json;

constexpr std::size_t quoted_max = 80;

failure unreadable(const std::string& why) {
    return {errc::protocol, "this is no receipt: " + why};
}

bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == '\x7f';
}

// The JSON forms disagree on this byte alone of those that a damaged bit makes of ASCII, so that no hash would tell.
constexpr char delete_character = '\x7f';

bool has_delete(const json::value& value) {
    if (const json::string* text = value.if_string()) {
        return text->find(delete_character) != json::string::npos;
    }
    const json::array* list = value.if_array();
    return list != nullptr && std::any_of(list->begin(), list->end(), has_delete);
}

// What is wrong with the field; nothing where it was read.
std::optional<failure> read_field(const json::object& from, std::string_view name, bool required, std::string& into) {
    const json::value* value = from.if_contains(name);
    if (value == nullptr || value->is_null()) {
        return required ? std::optional(unreadable("it has no " + std::string(name))) : std::nullopt;
    }
    const json::string* text = value->if_string();
    if (text == nullptr) {
        return unreadable("its " + std::string(name) + " is not a text");
    }
    if (std::any_of(text->begin(), text->end(), is_control)) {
        return unreadable("its " + std::string(name) + " has a control character in it");
    }
    into.assign(text->data(), text->size());
    return std::nullopt;
}

}  // namespace

std::string quoted(std::string_view text) {
    std::string shown = "\"";
    for (const char c : text.substr(0, quoted_max)) {
        shown += c >= 0x20 && c < 0x7f && c != '"' ? c : '?';
    }
    return shown + (text.size() > quoted_max ? "…\"" : "\"");
}

result<receipt_fields> read_receipt_fields(std::string_view receipt_text) {
    if (receipt_text.size() > receipt_bytes_max) {
        return unreadable("it is longer than " + std::to_string(receipt_bytes_max) + " bytes");
    }
    // Refuses double keys, which the parser alone lets pass.
    const json_form as_received(member_order::as_received, number_text::literal, string_text::shortest);
    const auto clean = rewrite_json(readable_json(receipt_text), as_received);
    if (!clean) {
        return unreadable(clean.error().message);
    }
    json::parse_options options;
    options.max_depth = 128;
    json::error_code ec;
    const json::value parsed = json::parse(*clean, ec, {}, options);
    const json::object* object = parsed.if_object();
    if (ec || object == nullptr) {
        return unreadable("it is not a JSON object");
    }
    const bool holds_raw_delete = receipt_text.find(delete_character) != std::string_view::npos;
    for (const auto& [key, value] : *object) {
        if (holds_raw_delete && (key.find(delete_character) != json::string_view::npos || has_delete(value))) {
            return unreadable("its " + quoted({key.data(), key.size()}) + " has a control character in it");
        }
    }
    return documented_fields(*object);
}

result<receipt_fields> documented_fields(const json::object& receipt) {
    receipt_fields fields;
    for (const auto& [name, required, into] : {std::tuple("receipt_id", true, &fields.receipt_id),
                                               {"job_id", true, &fields.job_id},
                                               {"spec_hash", true, &fields.spec_hash},
                                               {"inputs_root", true, &fields.inputs_root},
                                               {"outputs_root", true, &fields.outputs_root},
                                               {"verification_attestation", false, &fields.verification_attestation},
                                               {"receipt_hash", true, &fields.receipt_hash}}) {
        if (const auto bad = read_field(receipt, name, required, *into)) {
            return *bad;
        }
    }
    return fields;
}

}  // namespace vembed::verify
