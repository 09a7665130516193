#include "core/redaction.hpp"

namespace vembed {
namespace {

constexpr std::string_view key_prefix = "cyb_";

// Keys may hold any visible character; these end one in messages and JSON.
bool is_key_character(char c) noexcept {
    return c > ' ' && c < '\x7f' && std::string_view("\"',)").find(c) == std::string_view::npos;
}

bool ends_sentence(char c) noexcept {
    return std::string_view(".;:!?").find(c) != std::string_view::npos;
}

// How much of the text, which begins with the prefix, is one word. In JSON only an escaped backslash is part of a key.
std::size_t word_size(std::string_view text, bool json) noexcept {
    std::size_t size = key_prefix.size();
    while (size < text.size() && is_key_character(text[size])) {
        if (json && text[size] == '\\') {
            if (!text.substr(size).starts_with("\\\\")) {
                break;
            }
            ++size;
        }
        ++size;
    }
    return size;
}

std::string masked(std::string_view text, bool json) {
    std::string out;
    for (;;) {
        const std::size_t key = text.find(key_prefix);
        out.append(text.substr(0, key));
        if (key == std::string_view::npos) {
            return out;
        }
        text.remove_prefix(key);
        std::size_t size = word_size(text, json);
        if (size == key_id_length + 1 && ends_sentence(text[key_id_length])) {
            --size;
        }
        if (looks_like_key(text.substr(0, size))) {
            out.append(key_prefix).append("…");
        } else {
            out.append(text.substr(0, size));
        }
        text.remove_prefix(size);
    }
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
