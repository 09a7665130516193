#include <vembed/transport/transport.hpp>

#include <algorithm>

namespace vembed {
namespace {

char lower(char c) noexcept {
    return (c >= 'A' && c <= 'Z') ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_name(std::string_view a, std::string_view b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

std::optional<std::string_view> response_head::find(std::string_view name) const noexcept {
    for (const header_field& field : headers) {
        if (same_name(field.name, name)) {
            return field.value;
        }
    }
    return std::nullopt;
}

}  // namespace vembed
