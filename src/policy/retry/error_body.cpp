#include "policy/retry/error_body.hpp"

#include <algorithm>
#include <cmath>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "policy/retry/post_outcome.hpp"
#include "policy/retry/retry_after.hpp"
#include "text/json/json_fields.hpp"
#include "text/json/object_reader.hpp"
#include "text/text_format.hpp"
#include "text/words.hpp"

namespace vembed::policy {
namespace {

namespace json = boost::json;

constexpr std::size_t body_bytes_max = std::size_t{1} << 20;
constexpr std::size_t message_max = 1000;
constexpr std::size_t field_max = 200;
constexpr std::size_t fields_max = 20;

std::string text_member(const json::object& from, std::string_view name, std::size_t most) {
    return text::cut_text(text::text_of(from, name), most);
}

// ["body", "items", 0] as "body.items.0".
std::string location(const json::object& from) {
    const json::value* found = from.if_contains("loc");
    if (found == nullptr || !found->is_array()) {
        return text_member(from, "field", field_max);
    }
    std::string path;
    for (const json::value& step : found->get_array()) {
        if (path.size() >= field_max) {
            break;
        }
        path += path.empty() ? "" : ".";
        if (const json::string* name = step.if_string()) {
            path += text::cut_text(*name, field_max);
        } else if (step.is_int64()) {
            path += std::to_string(step.get_int64());
        }
    }
    return path;
}

std::optional<std::chrono::seconds> delay_in(const json::object& from) {
    std::optional<double> seconds;
    text::object_reader(from).optional(seconds, "retry_after");
    const bool is_delay = seconds && *seconds >= 0 && *seconds <= static_cast<double>(retry_after_max.count());
    return is_delay ? std::optional(std::chrono::seconds(static_cast<std::int64_t>(std::ceil(*seconds))))
                    : std::nullopt;
}

void read_detail(const json::object& from, error_body& into) {
    if (!into.retry_after) {
        into.retry_after = delay_in(from);
    }
    refused_field made;
    made.field = location(from);
    made.message = text_member(from, "message", field_max);
    if (made.message.empty()) {
        made.message = text_member(from, "msg", field_max);
    }
    if (into.fields.size() < fields_max && !(made.field.empty() && made.message.empty())) {
        into.fields.push_back(std::move(made));
    }
}

void read_details(const json::value& details, error_body& into) {
    if (const json::object* one = details.if_object()) {
        read_detail(*one, into);
    } else if (const json::array* list = details.if_array()) {
        for (const json::value& item : *list) {
            if (item.is_object()) {
                read_detail(item.get_object(), into);
            }
        }
    }
}

void read_error_member(const json::value& found, error_body& into) {
    if (const json::string* text = found.if_string()) {
        into.is_known = true;
        into.message = text::cut_text(*text, message_max);
        return;
    }
    const json::object* object = found.if_object();
    if (object == nullptr) {
        return;
    }
    into.is_known = true;
    into.code = text_member(*object, "code", field_max);
    if (into.code.empty()) {
        into.code = text_member(*object, "type", field_max);
    }
    into.message = text_member(*object, "message", message_max);
    into.retry_after = delay_in(*object);
    if (const json::value* details = object->if_contains("details")) {
        read_details(*details, into);
    }
}

}  // namespace

error_body read_error_body(std::string_view body) {
    error_body read;
    read.is_json = begins_like_json(body);
    if (!read.is_json || body.size() > body_bytes_max) {
        return read;
    }
    const auto parsed = text::parse_object(text::utf8_text(body));
    if (!parsed) {
        return read;
    }
    const json::object& object = parsed->get_object();
    if (const json::value* found = object.if_contains("error"); found != nullptr && !found->is_null()) {
        read_error_member(*found, read);
    } else if (const json::value* detail = object.if_contains("detail")) {
        read.is_known = detail->is_string() || detail->is_array() || detail->is_object();
        if (const json::string* text = detail->if_string()) {
            read.message = text::cut_text(*text, message_max);
        } else {
            read_details(*detail, read);
        }
    }
    if (read.code.empty()) {
        read.code = text_member(object, "code", field_max);
    }
    if (read.message.empty()) {
        read.message = text_member(object, "message", message_max);
    }
    if (!read.retry_after) {
        read.retry_after = delay_in(object);
    }
    return read;
}

}  // namespace vembed::policy
