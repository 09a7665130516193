#include "text/json/object_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <boost/json/parse.hpp>

#include "text/json/readable_json.hpp"

namespace vembed::text {
namespace {

// 20, 20.0 and "20" are the same count; there is no count if the value is anything else.
std::optional<std::uint64_t> count_of(const json::value& value) {
    constexpr double exact_max = 9007199254740992;  // 2^53: up to here a double is the number that was written.
    if (const json::string* text = value.if_string()) {
        std::uint64_t number = 0;
        const auto read = std::from_chars(text->data(), text->data() + text->size(), number);
        const bool whole = read.ec == std::errc() && read.ptr == text->data() + text->size();
        return whole ? std::optional(number) : std::nullopt;
    }
    if (const double* number = value.if_double()) {
        const bool whole = *number >= 0 && *number <= exact_max && std::floor(*number) == *number;
        return whole ? std::optional(static_cast<std::uint64_t>(*number)) : std::nullopt;
    }
    if (value.is_int64() && value.get_int64() >= 0) {
        return static_cast<std::uint64_t>(value.get_int64());
    }
    return value.is_uint64() ? std::optional(value.get_uint64()) : std::nullopt;
}

std::optional<double> finite_number_of(const json::value& value) {
    double number = 0;
    if (const json::string* text = value.if_string()) {
        const auto read = std::from_chars(text->data(), text->data() + text->size(), number);
        const bool whole = read.ec == std::errc() && read.ptr == text->data() + text->size();
        return whole && std::isfinite(number) ? std::optional(number) : std::nullopt;
    }
    if (!value.is_number()) {
        return std::nullopt;
    }
    number = value.to_number<double>();
    return std::isfinite(number) ? std::optional(number) : std::nullopt;
}

}  // namespace

error contract_error(std::string what) {
    return {errc::protocol, "the service's response breaks its contract: " + std::move(what)};
}

result<json::value> parse_object(std::string_view body) {
    json::error_code error;
    json::parse_options options;
    options.max_depth = json_depth_max;
    json::value parsed = json::parse(readable_json(body), error, {}, options);
    if (error) {
        return contract_error("not JSON (" + error.message() + ")");
    }
    if (!parsed.is_object()) {
        return contract_error("not a JSON object");
    }
    return parsed;
}

void object_reader::required(std::string& into, std::string_view name) {
    const json::value* found = present(name);
    if (found != nullptr && found->is_string()) {
        into = std::string(found->get_string());
    } else {
        wrong(name, "a string");
    }
}

void object_reader::required(std::uint64_t& into, std::string_view name) {
    const std::optional<std::uint64_t> number = count(name);
    if (number) {
        into = *number;
    } else {
        wrong(name, "a number that is not negative");
    }
}

void object_reader::required(bool& into, std::string_view name) {
    const json::value* found = present(name);
    if (found != nullptr && found->is_bool()) {
        into = found->get_bool();
    } else {
        wrong(name, "true or false");
    }
}

void object_reader::required_id(std::string& into, std::string_view name) {
    const json::value* found = present(name);
    if (found != nullptr && (found->is_int64() || found->is_uint64())) {
        into = found->is_int64() ? std::to_string(found->get_int64()) : std::to_string(found->get_uint64());
    } else {
        required(into, name);
    }
}

void object_reader::optional_id(std::string& into, std::string_view name) {
    const json::value* found = present(name);
    if (found != nullptr && (found->is_string() || found->is_int64() || found->is_uint64())) {
        required_id(into, name);
    }
}

void object_reader::optional(std::optional<std::uint64_t>& into, std::string_view name) {
    const std::optional<std::uint64_t> number = count(name);
    if (number) {
        into = number;
    }
}

void object_reader::optional(bool& into, std::string_view name) {
    const json::value* found = present(name);
    into = found != nullptr && found->is_bool() ? found->get_bool() : into;
}

void object_reader::optional(std::optional<double>& into, std::string_view name) {
    const json::value* found = present(name);
    const std::optional<double> number = found == nullptr ? std::nullopt : finite_number_of(*found);
    into = number ? number : into;
}

const json::array* object_reader::array(std::string_view name, bool needed) {
    const json::value* found = present(name);
    if (found != nullptr && found->is_array()) {
        return &found->get_array();
    }
    if (needed) {
        wrong(name, "an array");
    }
    return nullptr;
}

const json::object* object_reader::object(std::string_view name) {
    const json::value* found = present(name);
    return found != nullptr && found->is_object() ? &found->get_object() : nullptr;
}

void object_reader::strings(std::vector<std::string>& into, std::string_view name) {
    const json::array* found = array(name, false);
    if (found == nullptr) {
        return;
    }
    for (const json::value& item : *found) {
        if (item.is_string()) {
            into.emplace_back(item.get_string());
        }
    }
}

bool object_reader::has_any(std::initializer_list<std::string_view> names) const {
    return std::any_of(names.begin(), names.end(), [this](std::string_view name) { return present(name); });
}

void object_reader::wrong(std::string_view name, std::string_view wanted) {
    if (!error_) {
        error_ = contract_error("\"" + std::string(name) + "\" is not " + std::string(wanted));
    }
}

void object_reader::absorb(const object_reader& inner) {
    if (!error_) {
        error_ = inner.error_;
    }
}

const json::value* object_reader::present(std::string_view name) const {
    const json::value* found = from_->if_contains(name);
    return found == nullptr || found->is_null() ? nullptr : found;
}

std::optional<std::uint64_t> object_reader::count(std::string_view name) const {
    const json::value* found = present(name);
    return found == nullptr ? std::nullopt : count_of(*found);
}

}  // namespace vembed::text
