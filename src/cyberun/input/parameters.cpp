#include <vembed/cyberun/parameters.hpp>

#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
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

// "a number from 1 to 4".
std::string number_wanted(const workflow_parameter& of) {
    if (of.min && of.max) {
        return "a number from " + shown(*of.min) + " to " + shown(*of.max);
    }
    return of.min   ? "a number of " + shown(*of.min) + " or more"
           : of.max ? "a number of " + shown(*of.max) + " or less"
                    : "a number";
}

// What a parameter may be; empty if that is not known.
std::string wanted(const workflow_parameter& of) {
    switch (of.type) {
        case parameter_type::string: return "a string";
        case parameter_type::number: return number_wanted(of);
        case parameter_type::boolean: return "true or false";
        case parameter_type::select: return of.options.empty() ? "" : "one of " + options_of(of);
        case parameter_type::file: return "the file_key of an upload";
        case parameter_type::unknown: break;
    }
    return {};
}

std::optional<std::string> fault_of_number(const workflow_parameter& of, const json::value& value) {
    if (!value.is_number()) {
        return "must be " + wanted(of);
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
    return of.options.empty() ? std::nullopt : std::optional("must be " + wanted(of));
}

// What is wrong with a value that is not null, as the end of a sentence.
std::optional<std::string> fault_of(const workflow_parameter& of, const json::value& value) {
    bool fits = true;
    switch (of.type) {
        case parameter_type::string: fits = value.is_string(); break;
        case parameter_type::number: return fault_of_number(of, value);
        case parameter_type::boolean: fits = value.is_bool(); break;
        case parameter_type::select: return fault_of_option(of, value);
        case parameter_type::file: fits = value.is_string() && !value.get_string().empty(); break;
        case parameter_type::unknown: break;
    }
    return fits ? std::nullopt : std::optional("must be " + wanted(of));
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

// The value of a text, or what is wrong with it as the end of a sentence.
class typed_text {
public:
    std::optional<json::value> value;
    std::string fault;

    typed_text(std::optional<json::value> read, const workflow_parameter* of) : value(std::move(read)) {
        if (!value) {
            fault = "must be " + wanted(*of);
        }
    }
    explicit typed_text(std::string wrong) : fault(std::move(wrong)) {}
};

// `parameter` is null if the workflow does not tell its parameters.
typed_text typed(const workflow_parameter* parameter, std::string_view text) {
    if (text::first_invalid_utf8(text)) {
        return typed_text("is not UTF-8");
    }
    switch (parameter != nullptr ? parameter->type : parameter_type::unknown) {
        case parameter_type::string:
        case parameter_type::file: return {json::value(text), parameter};
        case parameter_type::number: return {number_in(text), parameter};
        case parameter_type::boolean: return {boolean_in(text), parameter};
        case parameter_type::select: return {option_in(*parameter, text), parameter};
        case parameter_type::unknown: break;
    }
    return {json_in(text).value_or(json::value(text)), parameter};
}

// Puts a run's parameters together and collects what is wrong with them.
class parameter_check {
public:
    explicit parameter_check(const workflow& of) : of_(&of) {}

    void take(std::string_view name, json::value value) {
        if (const auto key = key_of(name)) {
            checked_[*key] = std::move(value);
        }
    }

    void take_text(std::string_view name, std::string_view text) {
        const auto key = key_of(name);
        if (!key) {
            return;
        }
        typed_text made = typed(find_parameter(*of_, name), text);
        if (made.value) {
            checked_[*key] = std::move(*made.value);
        } else {
            faults_.push_back(quoted(name) + " " + made.fault);
            faulty_.insert(*key);
        }
    }

    result<json::object> finish() {
        if (of_->parameters_known) {
            for (const workflow_parameter& each : of_->parameters) {
                check(each);
            }
        }
        return faults_.empty() ? result<json::object>(std::move(checked_))
                               : result<json::object>(wrong_parameters(faults_));
    }

private:
    // The key that a name means, nothing if it cannot be taken.
    std::optional<std::string> key_of(std::string_view name) {
        const workflow_parameter* parameter = find_parameter(*of_, name);
        if (parameter == nullptr && of_->parameters_known) {
            faults_.push_back(unknown_key(*of_, name));
            return std::nullopt;
        }
        std::string key(parameter != nullptr ? std::string_view(parameter->key) : name);
        const auto [before, is_first] = named_.emplace(key, name);
        if (!is_first) {
            const std::string& other = before->second == key ? std::string(name) : before->second;
            faults_.push_back(quoted(key) + " is given twice" + (other == key ? "" : ", also as " + quoted(other)));
            return std::nullopt;
        }
        return key;
    }

    void check(const workflow_parameter& each) {
        const json::value* value = checked_.if_contains(each.key);
        const bool is_missing = value == nullptr || value->is_null();
        const bool has_default = assumed::default_fills_required && !each.default_value.is_null();
        if (is_missing && each.required && !has_default && !faulty_.contains(each.key)) {
            const std::string what = wanted(each);
            faults_.push_back(quoted(each.key) + " is missing" + (what.empty() ? "" : ": it must be " + what));
        } else if (!is_missing) {
            if (const auto fault = fault_of(each, *value)) {
                faults_.push_back(quoted(each.key) + " " + *fault);
            }
        }
    }

    const workflow* of_;
    json::object checked_;
    std::map<std::string, std::string> named_;  // The name that each key was given by.
    std::set<std::string> faulty_;              // Keys whose fault is told.
    std::vector<std::string> faults_;
};

}  // namespace

result<json::object> check_parameters(const workflow& of, const json::object& given) {
    return typed_parameters(of, {}, given);
}

result<json::object> typed_parameters(const workflow& of, const std::vector<parameter_text>& texts,
                                      const json::object& given) {
    parameter_check check(of);
    for (const json::key_value_pair& each : given) {
        check.take(each.key(), each.value());
    }
    for (const parameter_text& each : texts) {
        check.take_text(each.key, each.text);
    }
    return check.finish();
}

result<json::value> typed_parameter(const workflow& of, std::string_view key, std::string_view text) {
    const workflow_parameter* parameter = find_parameter(of, key);
    if (parameter == nullptr && of.parameters_known) {
        return wrong_parameters({unknown_key(of, key)});
    }
    typed_text made = typed(parameter, text);
    if (!made.value) {
        return wrong_parameters({quoted(key) + " " + made.fault});
    }
    return std::move(*made.value);
}

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

}  // namespace vembed::cyberun
