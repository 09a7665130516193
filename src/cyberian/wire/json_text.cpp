#include "cyberian/wire/json_text.hpp"

#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace vembed::cyberian {
namespace {

bool must_escape(unsigned char c) noexcept {
    return c < 0x20 || c == '"' || c == '\\';
}

#if defined(__SSE2__)
constexpr std::size_t block_size = 16;

// Bit i of the result is set if byte i of the block must be escaped.
std::uint32_t escapes_in_block(const char* block) noexcept {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block));
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
    const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
    const __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
    return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_or_si128(control, _mm_or_si128(quote, backslash))));
}
#else
constexpr std::size_t block_size = 8;

// The result is not zero if some byte of the block must be escaped. These are the classic zero-byte and less-than tests
// on eight bytes at once.
std::uint64_t escapes_in_block(const char* block) noexcept {
    constexpr std::uint64_t ones = 0x0101010101010101;
    constexpr std::uint64_t highs = 0x8080808080808080;
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, block, sizeof bytes);
    const std::uint64_t quote = bytes ^ (ones * '"');
    const std::uint64_t backslash = bytes ^ (ones * '\\');
    return ((bytes - ones * 0x20) | (quote - ones) | (backslash - ones)) & ~bytes & highs;
}
#endif

// The length of the longest start of `text` that needs no escape.
std::size_t plain_run(std::string_view text) noexcept {
    std::size_t at = 0;
    while (text.size() - at >= block_size) {
        const auto found = escapes_in_block(text.data() + at);
        if (found != 0) {
#if defined(__SSE2__)
            return at + static_cast<std::size_t>(__builtin_ctz(found));
#else
            break;
#endif
        }
        at += block_size;
    }
    while (at < text.size() && !must_escape(static_cast<unsigned char>(text[at]))) {
        ++at;
    }
    return at;
}

void append_escape(std::string& out, unsigned char c) {
    static constexpr char hex[] = "0123456789abcdef";
    switch (c) {
        case '"': out += "\\\""; return;
        case '\\': out += "\\\\"; return;
        case '\b': out += "\\b"; return;
        case '\f': out += "\\f"; return;
        case '\n': out += "\\n"; return;
        case '\r': out += "\\r"; return;
        case '\t': out += "\\t"; return;
        default: break;
    }
    out += "\\u00";
    out += hex[c >> 4];
    out += hex[c & 15];
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
    out += '"';
    while (!text.empty()) {
        const std::size_t run = plain_run(text);
        out.append(text.data(), run);
        text.remove_prefix(run);
        if (!text.empty()) {
            append_escape(out, static_cast<unsigned char>(text.front()));
            text.remove_prefix(1);
        }
    }
    out += '"';
}

}  // namespace vembed::cyberian
