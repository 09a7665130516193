#pragma once
/// Writes JSON and timestamps for responses.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <vembed/core/time.hpp>

namespace vembed::service {

/// Appends `text` as a JSON string with its quotes. Bytes beyond ASCII are passed on as they are.
void append_json_string(std::string& out, std::string_view text);

/// ISO-8601 UTC with milliseconds: "2026-01-31T12:00:00.000Z".
std::string timestamp(wall_time time);

/// Appends JSON to a string and puts commas between elements. The caller keeps begin and end in balance.
class json_writer {
public:
    explicit json_writer(std::string& out) : out_(out) {}

    json_writer& begin_object();
    json_writer& end_object();
    json_writer& begin_array(std::string_view name);
    json_writer& end_array();
    json_writer& begin_object(std::string_view name);
    json_writer& field(std::string_view name, std::string_view value);
    json_writer& field(std::string_view name, const char* value) { return field(name, std::string_view(value)); }
    json_writer& field(std::string_view name, std::uint64_t value);
    json_writer& field(std::string_view name, bool value);
    json_writer& field(std::string_view name, const std::optional<wall_time>& value);
    json_writer& null(std::string_view name);
    json_writer& element(std::string_view value);

private:
    void separate();
    void name(std::string_view text);

    std::string& out_;
};

}  // namespace vembed::service
