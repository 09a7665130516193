#include "text/base64.hpp"

#include <openssl/evp.h>

namespace vembed::text {

std::string to_base64(std::span<const std::byte> bytes) {
    std::string text((bytes.size() + 2) / 3 * 4, '\0');  // OpenSSL ends the text with a zero, as a string does.
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), reinterpret_cast<const unsigned char*>(bytes.data()),
                    static_cast<int>(bytes.size()));
    return text;
}

std::optional<std::vector<std::byte>> from_base64(std::string_view text) {
    const std::string whole(text);  // OpenSSL may look at the byte after the text.
    std::vector<std::byte> bytes(whole.size() / 4 * 3);
    const int size =
        EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                        reinterpret_cast<const unsigned char*>(whole.data()), static_cast<int>(whole.size()));
    const int padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
    if (size < padding) {
        return std::nullopt;
    }
    bytes.resize(static_cast<std::size_t>(size - padding));
    // OpenSSL ignores white space and the bits behind the last byte, so that several texts would stand for these bytes.
    return to_base64(bytes) == text ? std::optional(std::move(bytes)) : std::nullopt;
}

}  // namespace vembed::text
