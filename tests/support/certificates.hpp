#pragma once
/// Certificates made during the test: an authority and servers whose certificates it signs.

#include <stdexcept>
#include <string>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace vembed::testing_support {

inline void needs(bool good) {
    if (!good) {
        throw std::runtime_error("OpenSSL cannot make a test certificate");
    }
}

/// A key and a certificate over it.
class identity {
public:
    /// Makes a new certificate authority.
    static identity authority(const std::string& name) { return {name, "", nullptr}; }

    /// Makes a server's certificate for `subject_alt_name`, e.g. "DNS:localhost" or "IP:127.0.0.1", signed by `issuer`.
    static identity server(const std::string& subject_alt_name, const identity& issuer) {
        return {"a server", subject_alt_name, &issuer};
    }

    identity(identity&&) = delete;
    identity& operator=(identity&&) = delete;
    ~identity() {
        X509_free(certificate_);
        EVP_PKEY_free(key_);
    }

    [[nodiscard]] std::string certificate_pem() const {
        BIO* out = BIO_new(BIO_s_mem());
        needs(PEM_write_bio_X509(out, certificate_) == 1);
        return take(out);
    }

    [[nodiscard]] std::string key_pem() const {
        BIO* out = BIO_new(BIO_s_mem());
        needs(PEM_write_bio_PrivateKey(out, key_, nullptr, nullptr, 0, nullptr, nullptr) == 1);
        return take(out);
    }

private:
    identity(const std::string& name, const std::string& subject_alt_name, const identity* issuer)
        : key_(EVP_EC_gen("P-256")), certificate_(X509_new()) {
        needs(key_ != nullptr && certificate_ != nullptr);
        const identity& by = issuer == nullptr ? *this : *issuer;
        X509_set_version(certificate_, 2);
        ASN1_INTEGER_set(X509_get_serialNumber(certificate_), issuer == nullptr ? 1 : 2);
        X509_gmtime_adj(X509_getm_notBefore(certificate_), -3600);
        X509_gmtime_adj(X509_getm_notAfter(certificate_), 24L * 3600);
        X509_set_pubkey(certificate_, key_);
        const auto* text = reinterpret_cast<const unsigned char*>(name.c_str());
        X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate_), "CN", MBSTRING_UTF8, text, -1, -1, 0);
        X509_set_issuer_name(certificate_, X509_get_subject_name(by.certificate_));
        extend(NID_basic_constraints, issuer == nullptr ? "critical,CA:TRUE" : "critical,CA:FALSE");
        if (!subject_alt_name.empty()) {
            extend(NID_subject_alt_name, subject_alt_name);
        }
        needs(X509_sign(certificate_, by.key_, EVP_sha256()) > 0);
    }

    void extend(int kind, const std::string& value) {
        X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
        needs(extension != nullptr && X509_add_ext(certificate_, extension, -1) == 1);
        X509_EXTENSION_free(extension);
    }

    static std::string take(BIO* from) {
        char* data = nullptr;
        const long size = BIO_get_mem_data(from, &data);
        std::string text(data, static_cast<std::size_t>(size));
        BIO_free(from);
        return text;
    }

    EVP_PKEY* key_;
    X509* certificate_;
};

}  // namespace vembed::testing_support
