#include "core/redaction.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace vembed {
namespace {

constexpr std::string_view key_prefix = "cyb_";
constexpr std::string_view mask = "…";

// Keys may hold any visible character, but these end a key in messages and JSON.
bool is_key_character(char c) noexcept {
    return c > ' ' && c < '\x7f' && std::string_view("\"',)").find(c) == std::string_view::npos;
}

bool ends_sentence(char c) noexcept {
    return std::string_view(".;:!?").find(c) != std::string_view::npos;
}

/// One character of a text, plain or escaped.
struct spelled {
    char character = '\0';  ///< NUL stands for a character that no key may have.
    std::size_t size = 1;   ///< Its bytes in the text.
};

std::optional<unsigned> hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') {
        return static_cast<unsigned>(c - '0');
    }
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? std::optional(static_cast<unsigned>(lower - 'a') + 10) : std::nullopt;
}

// Reads JSON's escapes, because a service may write "\u0063yb_" or "\/" in a key.
spelled read_escape(std::string_view text) noexcept {
    spelled out;
    if (text.size() < 2) {
        return out;
    }
    out.size = 2;
    if (std::string_view("\\/\"").find(text[1]) != std::string_view::npos) {
        out.character = text[1];
        return out;
    }
    if (text[1] != 'u' || text.size() < 6) {
        return out;
    }
    unsigned code = 0;
    for (const char c : text.substr(2, 4)) {
        const auto digit = hex_digit(c);
        if (!digit) {
            return out;
        }
        code = code * 16 + *digit;
    }
    out.size = 6;
    out.character = code < 0x7f ? static_cast<char>(code) : '\0';
    return out;
}

spelled read_one(std::string_view text, bool escapes) noexcept {
    if (escapes && text.front() == '\\') {
        return read_escape(text);
    }
    spelled out;
    out.character = text.front();
    return out;
}

/// A word that begins with a key's prefix.
struct found_word {
    std::size_t begin = 0;
    std::size_t size = 0;                             ///< Its bytes in the text.
    std::size_t length = 0;                           ///< Its length in characters.
    std::array<std::size_t, key_id_length + 1> at{};  ///< Offsets of its first characters from `begin`.
    char after_id = '\0';                             ///< The character after the length of an id.
};

std::optional<std::size_t> prefix_size(std::string_view text) noexcept {
    std::size_t size = 0;
    for (const char expected : key_prefix) {
        if (size >= text.size()) {
            return std::nullopt;
        }
        const spelled one = read_one(text.substr(size), true);
        if (one.character != expected) {
            return std::nullopt;
        }
        size += one.size;
    }
    return size;
}

// In JSON an escaped quote or line end ends the word; elsewhere a backslash is an ordinary character.
found_word read_word(std::string_view text, std::size_t begin, bool json) noexcept {
    found_word word;
    word.begin = begin;
    while (begin + word.size < text.size()) {
        const bool in_prefix = word.length < key_prefix.size();
        const spelled one = read_one(text.substr(begin + word.size), json || in_prefix);
        if (!is_key_character(one.character)) {
            break;
        }
        if (word.length <= key_id_length) {
            word.at[word.length] = word.size;
        }
        word.after_id = word.length == key_id_length ? one.character : word.after_id;
        ++word.length;
        word.size += one.size;
    }
    return word;
}

std::optional<found_word> next_word(std::string_view text, std::size_t from, bool json) noexcept {
    for (std::size_t at = text.find_first_of("c\\", from); at != std::string_view::npos;
         at = text.find_first_of("c\\", at + 1)) {
        if (prefix_size(text.substr(at))) {
            return read_word(text, at, json);
        }
    }
    return std::nullopt;
}

std::string masked(std::string_view text, bool json) {
    std::string out;
    std::size_t done = 0;
    while (auto word = next_word(text, done, json)) {
        if (word->length == key_id_length + 1 && ends_sentence(word->after_id)) {
            word->size = word->at[key_id_length];
            word->length = key_id_length;
        }
        out.append(text.substr(done, word->begin - done));
        // A key that was masked before stays as it is.
        const bool is_mask =
            word->length == key_prefix.size() && text.substr(word->begin + word->size).starts_with(mask);
        if (word->length == key_id_length || is_mask) {
            out.append(text.substr(word->begin, word->size));
        } else {
            out.append(key_prefix).append(mask);
        }
        done = word->begin + word->size;
    }
    return out.append(text.substr(done));
}

}  // namespace

bool looks_like_key(std::string_view text) noexcept {
    return text.starts_with(key_prefix) && text.size() != key_id_length;
}

std::string masked_keys(std::string_view text) {
    return masked(text, false);
}

std::string masked_json(std::string_view text) {
    return masked(text, true);
}

}  // namespace vembed
