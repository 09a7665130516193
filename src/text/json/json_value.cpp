#include "text/json/json_value.hpp"

#include "core/redaction.hpp"
#include "core/row_ranges.hpp"
#include "text/text_format.hpp"

namespace vembed::text {

namespace json = boost::json;

json::string json_string(std::string_view text) {
    return json::string(masked_keys(utf8_text(text)));
}

json::array rows_array(const std::vector<std::uint64_t>& rows) {
    return ranges_array(core::ranges_of(rows));
}

json::array ranges_array(const row_ranges& ranges) {
    json::array out;
    for (const auto& [first, end] : ranges) {
        out.push_back(json::array({first, end}));
    }
    return out;
}

json::array strings_array(const std::vector<std::string>& texts) {
    json::array out;
    for (const std::string& text : texts) {
        out.emplace_back(json_string(text));
    }
    return out;
}

void set(json::object& object, std::string_view key, const std::optional<std::string>& value) {
    if (value) {
        object[key] = json_string(*value);
    }
}

void set(json::object& object, std::string_view key, const std::optional<std::uint64_t>& value) {
    if (value) {
        object[key] = *value;
    }
}

void set_seconds(json::object& object, std::string_view key, const std::optional<std::chrono::seconds>& value) {
    if (value) {
        object[key] = value->count();
    }
}

}  // namespace vembed::text
