#include "verify/receipt/receipt_fields.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <vembed/verify/offline_check.hpp>

#include "text/json/readable_json.hpp"

namespace vembed::verify {
namespace {

namespace json = boost::json;

constexpr std::size_t quoted_max = 80;
constexpr const char* attestation_field = "verification_attestation";
constexpr std::array<std::string_view, 10> documented{"receipt_id",         "job_id",
                                                      "spec_hash",          "inputs_root",
                                                      "outputs_root",       attestation_field,
                                                      "verification_level", "receipt_hash",
                                                      "issued_at",          "executor_attestation_ids"};

error unreadable(const std::string& why) {
    return {errc::protocol, "this is no receipt: " + why};
}

bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == '\x7f';
}

// The JSON forms disagree about this byte. It is the only such byte that a damaged bit can make of ASCII, so no hash
// would reveal it.
constexpr char delete_character = '\x7f';

bool has_delete(const json::value& value) {
    if (const json::string* text = value.if_string()) {
        return text->find(delete_character) != json::string::npos;
    }
    const json::array* list = value.if_array();
    return list != nullptr && std::any_of(list->begin(), list->end(), has_delete);
}

// Reads the field into `into`. Returns what is wrong with it; nothing if it was read.
std::optional<error> read_field(const json::object& from, std::string_view name, bool required, std::string& into) {
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

// The keys of the outermost object of a parsed text, as they are written: with quotes and escapes.
std::vector<std::string_view> outer_keys(std::string_view text) {
    std::vector<std::string_view> keys;
    std::size_t depth = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '{' || text[at] == '[') {
            ++depth;
        } else if (text[at] == '}' || text[at] == ']') {
            --depth;
        } else if (text[at] == '"') {
            const std::size_t begin = at;
            for (++at; text[at] != '"'; ++at) {
                at += text[at] == '\\' ? 1 : 0;
            }
            const std::size_t next = text.find_first_not_of(" \t\r\n", at + 1);
            if (depth == 1 && text[next] == ':') {
                keys.push_back(text.substr(begin, at + 1 - begin));
            }
        }
    }
    return keys;
}

// The first documented field that occurs twice. The parser accepts that, but two readers could read two different
// receipts.
std::optional<std::string> double_field(std::string_view text) {
    std::set<std::string> seen;
    for (const std::string_view written : outer_keys(text)) {
        std::string key(json::parse(written).as_string());
        const bool counts = std::find(documented.begin(), documented.end(), key) != documented.end();
        if (counts && !seen.insert(key).second) {
            return key;
        }
    }
    return std::nullopt;
}

// The content of undocumented fields does not matter if it is JSON.
result<json::value> read_object(std::string_view receipt_text) {
    if (receipt_text.size() > receipt_bytes_max) {
        return unreadable("it is longer than " + std::to_string(receipt_bytes_max) + " bytes");
    }
    const std::string clean = text::readable_json(receipt_text);
    json::parse_options options;
    options.max_depth = text::json_depth_max;
    json::error_code ec;
    json::value parsed = json::parse(clean, ec, {}, options);
    if (ec || !parsed.is_object()) {
        return unreadable(ec ? "it is not JSON (" + ec.message() + ")" : "it is not a JSON object");
    }
    if (const auto twice = double_field(clean)) {
        return unreadable("it has \"" + *twice + "\" twice");
    }
    return parsed;
}

}  // namespace

std::string quoted(std::string_view text) {
    std::string shown = "\"";
    for (const char c : text.substr(0, quoted_max)) {
        shown += c >= 0x20 && c < 0x7f && c != '"' ? c : '?';
    }
    return shown + (text.size() > quoted_max ? "…\"" : "\"");
}

result<void> check_receipt_text(std::string_view receipt_text) {
    const auto read = read_object(receipt_text);
    return read ? result<void>() : result<void>(read.error());
}

result<receipt_fields> read_receipt_fields(std::string_view receipt_text) {
    auto read = read_object(receipt_text);
    if (!read) {
        return read.error();
    }
    json::object* const object = &read->get_object();
    // The attestation may be missing. If it is not a text, there is nothing to compare it with.
    const json::value* attestation = object->if_contains(attestation_field);
    if (attestation != nullptr && !attestation->is_string()) {
        object->erase(attestation_field);
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
                                               {attestation_field, false, &fields.verification_attestation},
                                               {"receipt_hash", true, &fields.receipt_hash}}) {
        if (const auto bad = read_field(receipt, name, required, *into)) {
            return *bad;
        }
    }
    return fields;
}

}  // namespace vembed::verify
