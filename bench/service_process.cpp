#include "service_process.hpp"

#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <boost/asio/io_context.hpp>
#include <vembed/testing/service.hpp>

#include "service_front/front.hpp"

namespace vembed::bench {
namespace {

template <class T, void (*Free)(T*)>
struct freeing {
    void operator()(T* what) const { Free(what); }
};
template <class T, void (*Free)(T*)>
using owned = std::unique_ptr<T, freeing<T, Free>>;

void must(bool good, const char* what) {
    if (!good) {
        throw std::runtime_error(std::string("cannot make a certificate: ") + what);
    }
}

void add_extension(X509* to, int kind, const char* value) {
    const owned<X509_EXTENSION, X509_EXTENSION_free> extension(X509V3_EXT_conf_nid(nullptr, nullptr, kind, value));
    must(extension && X509_add_ext(to, extension.get(), -1) == 1, "an extension");
}

void write_pem(const std::string& path, const std::function<bool(std::FILE*)>& write) {
    std::FILE* file = std::fopen(path.c_str(), "w");
    must(file != nullptr, "its file");
    const bool written = write(file);
    must(std::fclose(file) == 0 && written, "its file");
}

void serve(const certificate* with, std::uint32_t settle_delay_ms, int to) {
    raise_file_limit();
    constexpr std::uint64_t plenty = 1'000'000'000'000;
    testing::service_options options;
    options.settle_delay_ms = settle_delay_ms;
    options.chunks_per_minute = plenty;
    options.chunks_per_day = plenty;
    options.chunks_per_period = plenty;
    boost::asio::io_context loop(1);
    const auto service = std::make_shared<testing::service>(options);
    service_front::front_options where;
    if (with != nullptr) {
        where.tls_certificate_file = with->file();
        where.tls_key_file = with->key_file();
    }
    service_front::front front(loop.get_executor(), make_system_environment(), service, where);
    front.start().value();
    write_line(to, front.base_url());
    write_line(to, service->api_key());
    loop.run();
}

}  // namespace

certificate::certificate() {
    const owned<EVP_PKEY, EVP_PKEY_free> key(EVP_EC_gen("P-256"));
    const owned<X509, X509_free> made(X509_new());
    must(key && made, "its key");
    constexpr long a_day = 24 * 60 * 60;
    X509_set_version(made.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), -a_day);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), a_day);
    X509_set_pubkey(made.get(), key.get());
    X509_NAME* name = X509_get_subject_name(made.get());
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("bench"), -1, -1, 0);
    X509_set_issuer_name(made.get(), name);
    add_extension(made.get(), NID_subject_alt_name, "IP:127.0.0.1");
    add_extension(made.get(), NID_basic_constraints, "critical,CA:TRUE");
    must(X509_sign(made.get(), key.get(), EVP_sha256()) > 0, "its signature");
    write_pem(file(), [&](std::FILE* to) { return PEM_write_X509(to, made.get()) == 1; });
    write_pem(key_file(), [&](std::FILE* to) {
        return PEM_write_PrivateKey(to, key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1;
    });
}

service_process::service_process(std::optional<int> core, const certificate* with, std::uint32_t settle_delay_ms)
    : process_(core, [=](int to) { serve(with, settle_delay_ms, to); }) {
    base_url = process_.read_line();
    api_key = process_.read_line();
    ca_file = with != nullptr ? with->file() : "";
}

std::uint16_t service_process::port() const {
    return static_cast<std::uint16_t>(std::strtoul(base_url.c_str() + base_url.rfind(':') + 1, nullptr, 10));
}

}  // namespace vembed::bench
