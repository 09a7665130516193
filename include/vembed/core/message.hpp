#pragma once
/// @file
/// Plain terms of HTTP that several modules share.

#include <cstdint>
#include <string>
#include <string_view>

namespace vembed {

enum class http_method : std::uint8_t { get, post, put, delete_ };

std::string_view to_string(http_method method) noexcept;

struct header_field {
    std::string name;
    std::string value;

    header_field() = default;
    header_field(std::string field_name, std::string field_value)
        : name(std::move(field_name)), value(std::move(field_value)) {}
};

}  // namespace vembed
