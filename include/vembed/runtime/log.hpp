#pragma once
/// @file
/// The log hook: structured records for the caller's own logger. Records carry an allow-list of fields; never the API
/// key, never input text.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace vembed {

enum class log_level : std::uint8_t { debug, info, warning, error };

std::string_view to_string(log_level level) noexcept;

/// One named value of a record.
struct log_field {
    std::string_view name;
    std::string value;

    log_field(std::string_view field_name, std::string field_value) : name(field_name), value(std::move(field_value)) {}
    log_field(std::string_view field_name, std::uint64_t number) : name(field_name), value(std::to_string(number)) {}
};

/// One record. Valid only during the call of the hook.
struct log_record {
    log_level level = log_level::info;
    std::string_view event;  ///< A stable snake_case name, e.g. "request_retried".
    std::span<const log_field> fields;
};

/// Called on the client's executor; records of work on a worker thread follow when that work is done. An exception from
/// it is swallowed: logging never changes what an operation does.
using log_hook = std::function<void(const log_record&)>;

}  // namespace vembed
