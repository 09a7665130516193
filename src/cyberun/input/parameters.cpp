#include <vembed/cyberun/parameters.hpp>

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/json/serialize.hpp>

#include "cyberun/wire/assumptions.hpp"
#include "text/json/object_reader.hpp"
#include "text/near_word.hpp"
#include "text/text_format.hpp"
#include "text/utf8.hpp"
#include "text/words.hpp"

namespace vembed::cyberun {
namespace {

namespace json = boost::json;

constexpr std::size_t shown_bytes_max = 60;
constexpr std::size_t faults_max = 20;

std::string quoted(std::string_view name) {
    return "\"" + text::printable(text::cut_text(name, shown_bytes_max)) + "\"";
}

// A whole number without the exponent that JSON's writer gives it.
std::string shown(const json::value& value) {
    constexpr double exact_max = 1e15;
    const double* number = value.if_double();
    if (number != nullptr && std::abs(*number) < exact_max && std::floor(*number) == *number) {
        return std::to_string(static_cast<std::int64_t>(*number));
    }
    return text::printable(text::cut_text(json::serialize(value), shown_bytes_max));
}

// The parameter that a name means: its key goes before another one's source_key.
const workflow_parameter* find_parameter(const workflow& of, std::string_view name) {
    const workflow_parameter* by_source = nullptr;
    for (const workflow_parameter& each : of.parameters) {
        if (each.key == name) {
            return &each;
        }
        const bool is_source = assumed::source_key_is_alias && !each.source_key.empty() && each.source_key == name;
        by_source = is_source && by_source == nullptr ? &each : by_source;
    }
    return by_source;
}

std::string unknown_key(const workflow& of, std::string_view name) {
    std::vector<std::string_view> keys;
    keys.reserve(of.parameters.size());
    for (const workflow_parameter& each : of.parameters) {
        keys.push_back(each.key);
    }
    if (keys.empty()) {
        return quoted(name) + " is not known: the workflow takes no parameters";
    }
    if (const auto meant = text::nearest_word(name, keys)) {
        return quoted(name) + " is not known; " + quoted(*meant) + " may be meant";
    }
    std::string all;
    for (const std::string_view key : keys) {
        if (all.size() > 4 * shown_bytes_max) {
            all += ", …";
            break;
        }
        all += (all.empty() ? "" : ", ") + quoted(key);
    }
    return quoted(name) + " is not known; the workflow takes " + all;
}

bool same_value(const json::value& a, const json::value& b) {
    return a == b || (a.is_number() && b.is_number() && a.to_number<double>() == b.to_number<double>());
}

std::string options_of(const workflow_parameter& of) {
    std::string all;
    for (const json::value& option : of.options) {
        if (all.size() > 4 * shown_bytes_max) {
            return all + ", …";
        }
        all += (all.empty() ? "" : ", ") + shown(option);
    }
    return all;
}

std::optional<std::string> fault_of_number(const workflow_parameter& of, const json::value& value) {
    if (!value.is_number()) {
        return "must be a number";
    }
    const double number = value.to_number<double>();
    if (!std::isfinite(number)) {
        return "must be a finite number";
    }
    if (of.min && number < *of.min) {
        return "is " + shown(value) + ", which is less than " + shown(*of.min);
    }
    if (of.max && number > *of.max) {
        return "is " + shown(value) + ", which is more than " + shown(*of.max);
    }
    return std::nullopt;
}

std::optional<std::string> fault_of_option(const workflow_parameter& of, const json::value& value) {
    for (const json::value& option : of.options) {
        if (same_value(option, value)) {
            return std::nullopt;
        }
    }
    return of.options.empty() ? std::nullopt : std::optional("must be one of " + options_of(of));
}

// What is wrong with a value that is not null, as the end of a sentence.
std::optional<std::string> fault_of(const workflow_parameter& of, const json::value& value) {
    switch (of.type) {
        case parameter_type::string:
            return value.is_string() ? std::nullopt : std::optional<std::string>("must be a string");
        case parameter_type::number: return fault_of_number(of, value);
        case parameter_type::boolean:
            return value.is_bool() ? std::nullopt : std::optional<std::string>("must be true or false");
        case parameter_type::select: return fault_of_option(of, value);
        case parameter_type::file:
            return value.is_string() && !value.get_string().empty()
                       ? std::nullopt
                       : std::optional<std::string>("must be the file_key of an upload");
        case parameter_type::unknown: break;
    }
    return std::nullopt;
}

error wrong_parameters(const std::vector<std::string>& faults) {
    std::string all;
    for (std::size_t i = 0; i < faults.size() && i < faults_max; ++i) {
        all += (i == 0 ? "" : "; ") + faults[i];
    }
    all += faults.size() > faults_max ? "; and " + text::counted(faults.size() - faults_max, "other", "others") : "";
    return {errc::invalid_argument, "the parameters do not fit the workflow: " + all};
}

std::optional<json::value> json_in(std::string_view text) {
    auto parsed = text::parse_json(text);
    return parsed ? std::optional(std::move(*parsed)) : std::nullopt;
}

std::optional<json::value> number_in(std::string_view text) {
    auto value = json_in(text);
    return value && value->is_number() && std::isfinite(value->to_number<double>()) ? value : std::nullopt;
}

std::optional<json::value> boolean_in(std::string_view text) {
    return text::same_word(text, "true")    ? std::optional(json::value(true))
           : text::same_word(text, "false") ? std::optional(json::value(false))
                                            : std::nullopt;
}

// A string option is its own text; any other is the JSON value that the text holds.
std::optional<json::value> option_in(const workflow_parameter& of, std::string_view text) {
    const auto value = json_in(text);
    for (const json::value& option : of.options) {
        if (option.is_string() ? std::string_view(option.get_string()) == text : value && same_value(option, *value)) {
            return option;
        }
    }
    return of.options.empty() ? std::optional(json::value(text)) : std::nullopt;
}

}  // namespace

result<json::object> check_parameters(const workflow& of, const json::object& given) {
    if (!of.parameters_known) {
        return given;
    }
    json::object checked;
    std::vector<std::string> faults;
    for (const json::key_value_pair& each : given) {
        const workflow_parameter* parameter = find_parameter(of, each.key());
        if (parameter == nullptr) {
            faults.push_back(unknown_key(of, each.key()));
        } else if (checked.contains(parameter->key)) {
            faults.push_back(quoted(parameter->key) + " is given twice, also as " + quoted(parameter->source_key));
        } else {
            checked[parameter->key] = each.value();
        }
    }
    for (const workflow_parameter& each : of.parameters) {
        const json::value* value = checked.if_contains(each.key);
        const bool is_missing = value == nullptr || value->is_null();
        const bool has_default = assumed::default_fills_required && !each.default_value.is_null();
        if (is_missing && each.required && !has_default) {
            faults.push_back(quoted(each.key) + " is missing");
        } else if (!is_missing) {
            if (const auto fault = fault_of(each, *value)) {
                faults.push_back(quoted(each.key) + " " + *fault);
            }
        }
    }
    return faults.empty() ? result<json::object>(std::move(checked)) : result<json::object>(wrong_parameters(faults));
}

result<json::value> typed_parameter(const workflow& of, std::string_view key, std::string_view text) {
    const workflow_parameter* parameter = find_parameter(of, key);
    if (parameter == nullptr && of.parameters_known) {
        return wrong_parameters({unknown_key(of, key)});
    }
    if (text::first_invalid_utf8(text)) {
        return wrong_parameters({quoted(key) + " is not UTF-8"});
    }
    const auto typed = [&](std::optional<json::value> value, std::string_view wanted) -> result<json::value> {
        return value ? result<json::value>(std::move(*value))
                     : result<json::value>(wrong_parameters({quoted(key) + " must be " + std::string(wanted)}));
    };
    switch (parameter != nullptr ? parameter->type : parameter_type::unknown) {
        case parameter_type::string:
        case parameter_type::file: return json::value(text);
        case parameter_type::number: return typed(number_in(text), "a number");
        case parameter_type::boolean: return typed(boolean_in(text), "true or false");
        case parameter_type::select: return typed(option_in(*parameter, text), "one of " + options_of(*parameter));
        case parameter_type::unknown: break;
    }
    return json_in(text).value_or(json::value(text));
}

}  // namespace vembed::cyberun
