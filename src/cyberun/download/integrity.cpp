#include "cyberun/download/integrity.hpp"

#include <algorithm>
#include <new>

#include <openssl/evp.h>

#include "cyberun/download/download_plan.hpp"
#include "text/base64.hpp"
#include "text/words.hpp"

namespace vembed::cyberun {
namespace {

constexpr std::size_t digest_header_bytes_max = 4096;

// The value of the only header of that name; empty if there is none, or more than one.
std::string_view only_header(std::span<const header_field> headers, std::string_view name) {
    const header_field* found = nullptr;
    for (const header_field& each : headers) {
        if (text::same_word(each.name, name)) {
            if (found != nullptr) {
                return {};
            }
            found = &each;
        }
    }
    return found != nullptr && found->value.size() <= digest_header_bytes_max ? std::string_view(found->value)
                                                                              : std::string_view();
}

template <class Digest>
std::optional<Digest> from_base64(std::string_view text) {
    const auto bytes = text::from_base64(text);
    Digest made;
    if (!bytes || bytes->size() != made.size()) {
        return std::nullopt;
    }
    std::ranges::copy(*bytes, made.begin());
    return made;
}

// One member of a dictionary of byte sequences: `sha-256=:…:` (RFC 8941), parameters apart.
std::optional<std::string_view> member(std::string_view dictionary, std::string_view name) {
    while (!dictionary.empty()) {
        const std::size_t comma = dictionary.find(',');
        const std::string_view item = text::trimmed(dictionary.substr(0, comma));
        dictionary.remove_prefix(std::min(comma, dictionary.size() - 1) + 1);
        const std::size_t equals = item.find("=:");
        const std::size_t end = equals == std::string_view::npos ? equals : item.find(':', equals + 2);
        if (end != std::string_view::npos && text::same_word(item.substr(0, equals), name)) {
            return item.substr(equals + 2, end - equals - 2);
        }
    }
    return std::nullopt;
}

std::optional<md5_digest> md5_of_etag(std::string_view etag) {
    constexpr std::string_view digits = "0123456789abcdef";
    md5_digest made;
    if (!is_strong_etag(etag) || etag.size() != 2 * made.size() + 2) {
        return std::nullopt;
    }
    etag = etag.substr(1, 2 * made.size());
    for (std::size_t i = 0; i < etag.size(); ++i) {
        const std::size_t value = digits.find(text::lower_case(etag[i]));
        if (value == std::string_view::npos) {
            return std::nullopt;
        }
        made[i / 2] = (made[i / 2] << 4) | static_cast<std::byte>(value);
    }
    return made;
}

bool is_encrypted_by_key(std::span<const header_field> headers) {
    return only_header(headers, "x-amz-server-side-encryption").starts_with("aws:kms") ||
           !only_header(headers, "x-amz-server-side-encryption-customer-algorithm").empty();
}

expected_digest with_md5(digest_basis basis, const md5_digest& value) {
    expected_digest made;
    made.basis = basis;
    made.md5 = value;
    return made;
}

}  // namespace

std::string_view to_string(digest_basis basis) noexcept {
    switch (basis) {
        case digest_basis::none: return "none";
        case digest_basis::repr_digest: return "repr_digest";
        case digest_basis::content_md5: return "content_md5";
        case digest_basis::etag: return "etag";
    }
    return "invalid";
}

expected_digest read_digests(int status, std::span<const header_field> headers) {
    const std::string_view repr = only_header(headers, "Repr-Digest");
    if (const auto found = member(repr, "sha-256")) {
        if (const auto value = from_base64<digest>(*found)) {
            expected_digest made;
            made.basis = digest_basis::repr_digest;
            made.sha256 = value;
            return made;
        }
    }
    if (const auto found = member(repr, "md5")) {
        if (const auto value = from_base64<md5_digest>(*found)) {
            return with_md5(digest_basis::repr_digest, *value);
        }
    }
    if (status == 200) {
        if (const auto value = from_base64<md5_digest>(text::trimmed(only_header(headers, "Content-MD5")))) {
            return with_md5(digest_basis::content_md5, *value);
        }
    }
    if (!is_encrypted_by_key(headers)) {
        if (const auto value = md5_of_etag(text::trimmed(only_header(headers, "ETag")))) {
            return with_md5(digest_basis::etag, *value);
        }
    }
    return {};
}

void content_hasher::deleter::operator()(evp_md_ctx_st* context) const noexcept {
    EVP_MD_CTX_free(context);
}

content_hasher::content_hasher(const expected_digest& expected) {
    if (expected.sha256) {
        expected_.assign(expected.sha256->begin(), expected.sha256->end());
    } else if (expected.md5) {
        expected_.assign(expected.md5->begin(), expected.md5->end());
    } else {
        return;
    }
    context_.reset(EVP_MD_CTX_new());
    if (context_ == nullptr) {
        throw std::bad_alloc();
    }
    if (EVP_DigestInit_ex(context_.get(), expected.sha256 ? EVP_sha256() : EVP_md5(), nullptr) != 1) {
        context_.reset();
    }
}

void content_hasher::update(std::span<const std::byte> bytes) {
    if (context_ != nullptr && EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) != 1) {
        context_.reset();
    }
}

integrity content_hasher::finish() {
    std::array<std::byte, EVP_MAX_MD_SIZE> made{};
    unsigned size = 0;
    if (context_ == nullptr ||
        EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(made.data()), &size) != 1) {
        return integrity::not_checkable;
    }
    context_.reset();
    return std::ranges::equal(expected_, std::span(made).first(size)) ? integrity::verified : integrity::failed;
}

}  // namespace vembed::cyberun
