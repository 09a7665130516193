#pragma once
/// Takes two fields out of one JSON object without building the rest of it.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vembed::corpus {

/// What kind of value a field has; absent if the object has no such field.
enum class field_kind : std::uint8_t { absent, string, number, null, other };

class json_field {
public:
    field_kind kind = field_kind::absent;
    std::string value;  ///< A string's characters; a number exactly as written.

    json_field() = default;
};

/// Reusable: keeps its buffers between records.
class jsonl_fields {
public:
    jsonl_fields(std::string text_field, std::string id_field);
    ~jsonl_fields();
    jsonl_fields(jsonl_fields&&) noexcept;
    jsonl_fields& operator=(jsonl_fields&&) noexcept;

    /// Reads one record. Returns why it is not a JSON object, or an empty string. If a field is given twice, the last
    /// one counts. Invalid UTF-8 passes through.
    std::string read(std::string_view record);

    [[nodiscard]] json_field& text() noexcept;
    [[nodiscard]] json_field& id() noexcept;

    /// The names of the first fields of the record read last, for messages.
    [[nodiscard]] const std::vector<std::string>& names() const noexcept;

private:
    class impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace vembed::corpus
