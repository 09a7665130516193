#pragma once
/// A test's own certificate authority, and a certificate for 127.0.0.1 and localhost that it signed.

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>

#include "support/scratch.hpp"

namespace vembed::testing {

class tls_files {
public:
    tls_files() {
        const key_pointer authority_key(EVP_EC_gen("P-256"));
        const certificate_pointer authority = issue(authority_key.get(), "vembed test authority", 1);
        extend(authority.get(), authority.get(), NID_basic_constraints, "critical,CA:TRUE");
        extend(authority.get(), authority.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
        extend(authority.get(), authority.get(), NID_subject_key_identifier, "hash");
        sign(authority.get(), authority.get(), authority_key.get());
        const key_pointer key(EVP_EC_gen("P-256"));
        const certificate_pointer leaf = issue(key.get(), "localhost", 2);
        extend(leaf.get(), authority.get(), NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
        sign(leaf.get(), authority.get(), authority_key.get());
        write(authority.get(), nullptr, authority_file());
        write(leaf.get(), nullptr, certificate_file());
        write(nullptr, key.get(), key_file());
    }

    [[nodiscard]] std::string authority_file() const { return folder_.file("authority.pem"); }
    [[nodiscard]] std::string certificate_file() const { return folder_.file("certificate.pem"); }
    [[nodiscard]] std::string key_file() const { return folder_.file("key.pem"); }

private:
    struct releaser {
        void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
        void operator()(X509* certificate) const { X509_free(certificate); }
        void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
        void operator()(std::FILE* file) const { std::fclose(file); }
    };
    using key_pointer = std::unique_ptr<EVP_PKEY, releaser>;
    using certificate_pointer = std::unique_ptr<X509, releaser>;

    static certificate_pointer issue(EVP_PKEY* key, const std::string& name, long serial) {
        certificate_pointer made(X509_new());
        X509_set_version(made.get(), 2);
        ASN1_INTEGER_set(X509_get_serialNumber(made.get()), serial);
        X509_gmtime_adj(X509_getm_notBefore(made.get()), -3600);
        X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
        X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_ASC,
                                   reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
        X509_set_pubkey(made.get(), key);
        return made;
    }

    static void extend(X509* certificate, X509* issuer, int what, const char* value) {
        X509V3_CTX context;
        X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
        const std::unique_ptr<X509_EXTENSION, releaser> made(X509V3_EXT_conf_nid(nullptr, &context, what, value));
        if (!made || X509_add_ext(certificate, made.get(), -1) != 1) {
            throw std::runtime_error("cannot make the test's certificate");
        }
    }

    static void sign(X509* certificate, X509* issuer, EVP_PKEY* key) {
        X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
        X509_sign(certificate, key, EVP_sha256());
    }

    static void write(X509* certificate, EVP_PKEY* key, const std::string& path) {
        const std::unique_ptr<std::FILE, releaser> out(std::fopen(path.c_str(), "w"));
        const bool written = out && (certificate != nullptr ? PEM_write_X509(out.get(), certificate) == 1
                                                            : PEM_write_PrivateKey(out.get(), key, nullptr, nullptr, 0,
                                                                                   nullptr, nullptr) == 1);
        if (!written) {
            throw std::runtime_error("cannot write " + path);
        }
    }

    scratch_folder folder_;
};

}  // namespace vembed::testing
