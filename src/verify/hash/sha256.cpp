#include <vembed/verify/sha256.hpp>

#include <new>
#include <stdexcept>

#include <openssl/evp.h>

#include "verify/hash/local_hasher.hpp"

namespace vembed {
namespace {

struct md_deleter {
    void operator()(EVP_MD* md) const noexcept { EVP_MD_free(md); }
};

// The algorithm is fetched once, because a fetch takes locks and costs more than a short hash.
const EVP_MD* algorithm() {
    static const std::unique_ptr<EVP_MD, md_deleter> md(EVP_MD_fetch(nullptr, "SHA256", nullptr));
    if (!md) {
        throw std::runtime_error("the crypto library offers no SHA-256; check the OpenSSL configuration");
    }
    return md.get();
}

void require(int outcome) {
    if (outcome != 1) {
        throw std::runtime_error("the crypto library failed to compute a SHA-256");
    }
}

int hex_value(char c) noexcept {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

}  // namespace

void sha256::deleter::operator()(evp_md_ctx_st* context) const noexcept {
    EVP_MD_CTX_free(context);
}

sha256::sha256() : context_(EVP_MD_CTX_new()) {
    if (!context_) {
        throw std::bad_alloc();
    }
    require(EVP_DigestInit_ex2(context_.get(), algorithm(), nullptr));
}

void sha256::update(std::span<const std::byte> bytes) {
    require(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()));
}

digest sha256::finish() {
    digest value;
    unsigned int size = 0;
    require(EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(value.data()), &size));
    require(EVP_DigestInit_ex2(context_.get(), nullptr, nullptr));
    return value;
}

sha256& verify::local_hasher() {
    thread_local sha256 hasher;
    return hasher;
}

digest sha256_of(std::span<const std::byte> bytes) {
    sha256& hasher = verify::local_hasher();
    hasher.update(bytes);
    return hasher.finish();
}

digest sha256_of(std::string_view text) {
    return sha256_of(std::as_bytes(std::span(text)));
}

std::string to_hex(const digest& value) {
    static constexpr char hex[] = "0123456789abcdef";
    std::string text;
    text.reserve(2 * value.size());
    for (const std::byte b : value) {
        text += hex[std::to_integer<unsigned>(b) >> 4];
        text += hex[std::to_integer<unsigned>(b) & 15];
    }
    return text;
}

std::optional<digest> digest_from_hex(std::string_view hex) noexcept {
    digest value;
    if (hex.size() != 2 * value.size()) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < value.size(); ++i) {
        const int high = hex_value(hex[2 * i]);
        const int low = hex_value(hex[2 * i + 1]);
        if (high < 0 || low < 0) {
            return std::nullopt;
        }
        value[i] = static_cast<std::byte>(high * 16 + low);
    }
    return value;
}

}  // namespace vembed
