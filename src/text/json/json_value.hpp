#pragma once
/// Makes JSON values: valid strings, ranges of rows, members that are left out if there is nothing to say. Pure.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>

#include <vembed/core/row_ranges.hpp>

namespace vembed::text {

/// A string of the service or of the user that is valid in JSON: it is always UTF-8, and keys are masked.
boost::json::string json_string(std::string_view text);

/// Ascending rows as half-open ranges [[0,1000],…].
boost::json::array rows_array(const std::vector<std::uint64_t>& rows);
boost::json::array ranges_array(const row_ranges& ranges);

boost::json::array strings_array(const std::vector<std::string>& texts);

/// Sets a member if there is a value for it.
void set(boost::json::object& object, std::string_view key, const std::optional<std::string>& value);
void set(boost::json::object& object, std::string_view key, const std::optional<std::uint64_t>& value);
void set_seconds(boost::json::object& object, std::string_view key, const std::optional<std::chrono::seconds>& value);

}  // namespace vembed::text
