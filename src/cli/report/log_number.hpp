#pragma once
/// Numbers in log records.

#include <charconv>
#include <cstdint>
#include <string_view>

#include <vembed/runtime/log.hpp>

namespace vembed::cli {

/// The number in the record's field of that name; 0 if it has none.
inline std::uint64_t number_in(const log_record& record, std::string_view name) {
    std::uint64_t number = 0;
    for (const log_field& field : record.fields) {
        if (field.name == name) {
            std::from_chars(field.value.data(), field.value.data() + field.value.size(), number);
        }
    }
    return number;
}

}  // namespace vembed::cli
