#include "cyberun_service/workflows.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

namespace vembed::cyberun_service {
namespace {

namespace json = boost::json;

constexpr std::array<workflow, 4> all{{
    {"4f6c1d1e-0000-4000-8000-000000000001", "text-render", "Text render", 3, false, makes::text,
     R"([{"key":"text","type":"string","label":"Text","description":"What is written","required":true,"default":null},
{"key":"count","type":"number","label":"Count","description":"How often","required":false,"default":1,"min":1,"max":100},
{"key":"style","type":"select","label":"Style","description":"How","required":false,"default":"plain","options":["plain","upper"]},
{"key":"numbered","type":"boolean","label":"Numbered","description":"A number before each line","required":false,"default":false}])"},
    {"4f6c1d1e-0000-4000-8000-000000000002", "file-digest", "File digest", 1, false, makes::digest,
     R"([{"key":"file","type":"file","label":"File","description":"What is read","required":true,"default":null,"accept":["text/plain","application/octet-stream"],"source_key":"9.file"}])"},
    {"4f6c1d1e-0000-4000-8000-000000000003", "retired", "Retired", 2, true, makes::text, "[]"},
    {"4f6c1d1e-0000-4000-8000-000000000004", "make-bytes", "Make bytes", 1, false, makes::bytes,
     R"([{"key":"bytes","type":"number","label":"Bytes","description":"The file's length","required":true,"default":null,"min":0,"max":4294967296}])"},
}};

std::optional<double> number_in(const json::object& object, std::string_view name) {
    const json::value* found = object.if_contains(name);
    if (found == nullptr || !found->is_number()) {
        return std::nullopt;
    }
    return found->to_number<double>();
}

bool fits(const json::object& described, const json::value& given) {
    const json::string& type = described.at("type").as_string();
    if (type == "number") {
        const double value = given.is_number() ? given.to_number<double>() : 0;
        return given.is_number() && value >= number_in(described, "min").value_or(value) &&
               value <= number_in(described, "max").value_or(value);
    }
    if (type == "boolean") {
        return given.is_bool();
    }
    if (type == "select") {
        const json::array& options = described.at("options").as_array();
        return std::find(options.begin(), options.end(), given) != options.end();
    }
    return given.is_string();
}

}  // namespace

std::span<const workflow> workflows() noexcept {
    return all;
}

const workflow* workflow_by_id(std::string_view id) noexcept {
    const auto found = std::find_if(all.begin(), all.end(), [id](const workflow& each) { return each.id == id; });
    return found == all.end() ? nullptr : &*found;
}

const workflow* workflow_by_slug(std::string_view slug, std::uint64_t& version) noexcept {
    const std::size_t mark = std::min(slug.find('@'), slug.size());
    const std::string_view name = slug.substr(0, mark);
    const auto found = std::find_if(all.begin(), all.end(), [name](const workflow& each) { return each.slug == name; });
    if (found == all.end()) {
        return nullptr;
    }
    version = found->version;
    if (mark < slug.size()) {
        const char* const end = slug.data() + slug.size();
        const auto [at, failure] = std::from_chars(slug.data() + mark + 1, end, version);
        if (failure != std::errc() || at != end || version == 0 || version > found->version) {
            return nullptr;
        }
    }
    return &*found;
}

json::object workflow_view(const workflow& of, std::uint64_t version) {
    json::object view;
    view["id"] = std::string(of.id);
    view["workflow_slug"] = std::string(of.slug);
    view["display_name"] = std::string(of.name);
    view["version"] = version;
    view["workflow_status"] = of.disabled ? "disabled" : "active";
    view["parameters"] = json::parse(std::string(of.parameters));
    view["required_labels"] = json::array();
    view["task_timeout"] = 0;
    view["max_retries"] = 1;
    view["tool_type"] = "local";
    return view;
}

std::optional<std::string> parameter_fault(const workflow& of, const json::object& given) {
    const json::value described = json::parse(std::string(of.parameters));
    for (const json::value& each : described.as_array()) {
        const json::object& parameter = each.as_object();
        const std::string key(parameter.at("key").as_string());
        const json::value* const value = given.if_contains(key);
        if (value == nullptr || value->is_null()) {
            if (parameter.at("required").as_bool()) {
                return "parameter " + key + " is required";
            }
        } else if (!fits(parameter, *value)) {
            return "parameter " + key + " has a wrong type or value";
        }
    }
    for (const auto& member : given) {
        const json::array& parameters = described.as_array();
        const bool known = std::any_of(parameters.begin(), parameters.end(), [&member](const json::value& each) {
            return each.as_object().at("key").as_string() == member.key();
        });
        if (!known) {
            return "there is no parameter " + std::string(member.key().substr(0, 80));
        }
    }
    return std::nullopt;
}

}  // namespace vembed::cyberun_service
