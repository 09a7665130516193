#pragma once
/// Reads members of JSON that vembed wrote and that somebody may have changed. Pure.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace vembed::text {

/// A whole number of 0 or more; nothing if the value is something else.
std::optional<std::uint64_t> number_of(const boost::json::value& value);
std::optional<std::uint64_t> number_of(const boost::json::object& object, std::string_view key);

/// The text of a member; empty if there is no such text.
std::string text_of(const boost::json::object& object, std::string_view key);

/// The object that a text holds; nothing if it holds anything else.
std::optional<boost::json::object> object_of(std::string_view text);

}  // namespace vembed::text
