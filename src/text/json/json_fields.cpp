#include "text/json/json_fields.hpp"

#include <boost/json/parse.hpp>

namespace vembed::text {

std::optional<std::uint64_t> number_of(const boost::json::value& value) {
    if (value.is_int64() && value.get_int64() >= 0) {
        return static_cast<std::uint64_t>(value.get_int64());
    }
    return value.is_uint64() ? std::optional(value.get_uint64()) : std::nullopt;
}

std::optional<std::uint64_t> number_of(const boost::json::object& object, std::string_view key) {
    const boost::json::value* value = object.if_contains(key);
    return value == nullptr ? std::nullopt : number_of(*value);
}

std::string text_of(const boost::json::object& object, std::string_view key) {
    const boost::json::value* value = object.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::optional<boost::json::object> object_of(std::string_view text) {
    boost::system::error_code bad;
    boost::json::value parsed = boost::json::parse(boost::json::string_view(text.data(), text.size()), bad);
    return bad || !parsed.is_object() ? std::nullopt : std::optional(std::move(parsed.get_object()));
}

}  // namespace vembed::text
