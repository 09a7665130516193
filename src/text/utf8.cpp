#include "text/utf8.hpp"

#include <cstdint>
#include <cstring>

namespace vembed::text {
namespace {

constexpr bool between(unsigned char c, unsigned char low, unsigned char high) {
    return c >= low && c <= high;
}

// The range of the second byte of a sequence depends on the first byte. This excludes overlong forms, surrogates and
// everything above U+10FFFF.
constexpr bool second_byte_fits(unsigned char first, unsigned char second) {
    switch (first) {
        case 0xe0: return between(second, 0xa0, 0xbf);
        case 0xed: return between(second, 0x80, 0x9f);
        case 0xf0: return between(second, 0x90, 0xbf);
        case 0xf4: return between(second, 0x80, 0x8f);
        default: return between(second, 0x80, 0xbf);
    }
}

constexpr std::size_t sequence_size(unsigned char first) {
    if (between(first, 0xc2, 0xdf)) {
        return 2;
    }
    if (between(first, 0xe0, 0xef)) {
        return 3;
    }
    return between(first, 0xf0, 0xf4) ? 4 : 0;
}

// The length of the sequence that starts at `bytes` with a byte of 0x80 or more; 0 if it is ill-formed.
std::size_t well_formed_size(const unsigned char* bytes, std::size_t available) {
    const std::size_t size = sequence_size(bytes[0]);
    if (size == 0 || size > available || !second_byte_fits(bytes[0], bytes[1])) {
        return 0;
    }
    for (std::size_t i = 2; i < size; ++i) {
        if (!between(bytes[i], 0x80, 0xbf)) {
            return 0;
        }
    }
    return size;
}

}  // namespace

std::optional<std::size_t> first_invalid_utf8(std::string_view text) noexcept {
    constexpr std::uint64_t high_bits = 0x8080'8080'8080'8080;
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
    std::size_t at = 0;
    while (at < text.size()) {
        std::uint64_t word = 0;
        if (text.size() - at >= sizeof word) {
            std::memcpy(&word, bytes + at, sizeof word);
            if ((word & high_bits) == 0) {
                at += sizeof word;
                continue;
            }
        }
        if (bytes[at] < 0x80) {
            ++at;
            continue;
        }
        const std::size_t size = well_formed_size(bytes + at, text.size() - at);
        if (size == 0) {
            return at;
        }
        at += size;
    }
    return std::nullopt;
}

utf8_part next_utf8_part(std::string_view text) noexcept {
    const auto at = [text](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : '\0'; };
    utf8_part part;
    const unsigned char first = at(0);
    const std::size_t size = first < 0x80 ? 1 : sequence_size(first);
    if (size < 2) {
        part.valid = size == 1;
        return part;
    }
    if (!second_byte_fits(first, at(1))) {
        return part;
    }
    for (part.size = 2; part.size < size; ++part.size) {
        if (!between(at(part.size), 0x80, 0xbf)) {
            return part;
        }
    }
    part.valid = true;
    return part;
}

std::string decode_utf8(std::string_view bytes) {
    std::string text;
    while (const auto bad = first_invalid_utf8(bytes)) {
        const std::string_view rest = bytes.substr(*bad);
        text.append(bytes.substr(0, *bad)).append(utf8_replacement);
        bytes = rest.substr(next_utf8_part(rest).size);
    }
    return text.append(bytes);
}

}  // namespace vembed::text
