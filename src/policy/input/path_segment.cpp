#include "policy/input/path_segment.hpp"

#include <algorithm>
#include <array>

namespace vembed::policy {
namespace {

constexpr std::array<bool, 256> make_plain_table() {
    std::array<bool, 256> plain{};
    for (unsigned c = 0; c < plain.size(); ++c) {
        plain[c] = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    }
    for (const char c : std::string_view("-._~!$&'()*+,;=:@")) {
        plain[static_cast<unsigned char>(c)] = true;
    }
    return plain;
}

// The bytes that a path segment may hold as they are (RFC 3986, pchar).
constexpr std::array<bool, 256> plain = make_plain_table();

constexpr bool is_control(unsigned char c) {
    return c < 0x20 || c == 0x7f;
}

// Servers and proxies decode before they resolve dots, so the encoded spellings are as dangerous as the plain ones.
bool is_dot_segment(std::string_view id) {
    std::size_t dots = 0;
    while (!id.empty()) {
        if (id.starts_with('.')) {
            id.remove_prefix(1);
        } else if (id.starts_with("%2e") || id.starts_with("%2E")) {
            id.remove_prefix(3);
        } else {
            return false;
        }
        ++dots;
    }
    return dots == 1 || dots == 2;
}

error refused(std::string why) {
    return {errc::invalid_argument, "the id cannot be put into a URL: " + why};
}

}  // namespace

result<std::string> encode_path_segment(std::string_view id) {
    static constexpr char hex[] = "0123456789ABCDEF";
    if (id.empty()) {
        return refused("it is empty; give the id that the service answered with");
    }
    if (id.size() > path_segment_bytes_max) {
        return refused("it has " + std::to_string(id.size()) + " bytes, the limit is " +
                       std::to_string(path_segment_bytes_max));
    }
    if (std::ranges::any_of(id, [](char c) { return is_control(static_cast<unsigned char>(c)); })) {
        return refused("it holds a control character, such as a line end; check where it was read from");
    }
    if (is_dot_segment(id)) {
        return refused("it is a dot segment, which would name another resource");
    }
    std::string encoded;
    encoded.reserve(id.size());
    for (const char c : id) {
        const auto byte = static_cast<unsigned char>(c);
        if (plain[byte]) {
            encoded += c;
        } else {
            encoded += '%';
            encoded += hex[byte >> 4];
            encoded += hex[byte & 15];
        }
    }
    return encoded;
}

}  // namespace vembed::policy
