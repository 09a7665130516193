#include "aitbc/wire/redact_receipts.hpp"

#include <algorithm>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <vembed/core/error.hpp>

#include "aitbc/wire/assumptions.hpp"
#include "text/words.hpp"

namespace vembed::aitbc {
namespace {

namespace json = boost::json;

constexpr std::string_view client_member = "client";
// A shorter text is no key, and would be found within other words.
constexpr std::size_t searched_min = 6;

bool looks_like_receipt(const json::object& object) {
    return std::ranges::any_of(
        std::initializer_list<std::string_view>{"receipt_id", "signature", "attestations", "provider", "unit_type"},
        [&](std::string_view name) { return object.contains(name); });
}

// Masks the members and collects the texts that stood there.
void mask_members(json::value& in, bool inside, std::vector<std::string>& found) {
    if (json::array* array = in.if_array()) {
        for (json::value& item : *array) {
            mask_members(item, inside, found);
        }
    }
    json::object* object = in.if_object();
    if (object == nullptr) {
        return;
    }
    const bool here = inside || looks_like_receipt(*object);
    for (json::key_value_pair& member : *object) {
        if (here && text::same_word(member.key(), client_member) && !member.value().is_null()) {
            if (const json::string* text = member.value().if_string();
                text != nullptr && text->size() >= searched_min) {
                found.emplace_back(*text);
            }
            member.value() = assumed::redacted;
        } else {
            mask_members(member.value(), here, found);
        }
    }
}

bool mask_text(std::string& in, const std::vector<std::string>& secrets) {
    bool changed = false;
    for (const std::string& secret : secrets) {
        changed = text::replace_all(in, secret, assumed::redacted) || changed;
    }
    return changed;
}

void mask_copies(json::value& in, const std::vector<std::string>& secrets) {
    if (json::string* string = in.if_string()) {
        std::string text(*string);
        if (mask_text(text, secrets)) {
            *string = text;
        }
    } else if (json::array* array = in.if_array()) {
        for (json::value& item : *array) {
            mask_copies(item, secrets);
        }
    } else if (json::object* object = in.if_object()) {
        json::object masked;
        for (json::key_value_pair& member : *object) {
            mask_copies(member.value(), secrets);
            std::string name(member.key());
            mask_text(name, secrets);
            masked.insert_or_assign(name, std::move(member.value()));
        }
        *object = std::move(masked);
    }
}

}  // namespace

void redact_receipts(json::value& in, redaction_scope scope) {
    std::vector<std::string> found;
    mask_members(in, scope == redaction_scope::all, found);
    // The longer first, so that no part of it stays if a shorter one stands within it.
    std::ranges::sort(found, std::ranges::greater(), &std::string::size);
    if (!found.empty()) {
        mask_copies(in, found);
    }
}

std::string reportable_start(std::string_view body) {
    const auto is_client =
        std::search(body.begin(), body.end(), client_member.begin(), client_member.end(),
                    [](char a, char b) { return text::same_word(std::string_view(&a, 1), std::string_view(&b, 1)); });
    const bool may_hide = is_client != body.end() || body.find("\\u00") != std::string_view::npos;
    return may_hide ? std::string() : text::cut_text(body, error::max_raw_body);
}

}  // namespace vembed::aitbc
