// The front over TLS, with a certificate made for the occasion.

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cstdio>

#include <gtest/gtest.h>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>

#include "front/running_front.hpp"
#include "support/scratch.hpp"

namespace vembed {
namespace {

using namespace std::chrono_literals;
namespace ssl = boost::asio::ssl;

template <class T, void (*release)(T*)>
struct releaser {
    void operator()(T* object) const { release(object); }
};
using key_pointer = std::unique_ptr<EVP_PKEY, releaser<EVP_PKEY, EVP_PKEY_free>>;
using certificate_pointer = std::unique_ptr<X509, releaser<X509, X509_free>>;

struct file_closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
};
using file_pointer = std::unique_ptr<std::FILE, file_closer>;

// A folder with a self-signed certificate for localhost and its key.
class certificate_folder {
public:
    certificate_folder() {
        const key_pointer key(EVP_EC_gen("P-256"));
        const certificate_pointer certificate(X509_new());
        X509_set_version(certificate.get(), 2);
        ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
        X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
        X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
        X509_NAME* const subject = X509_get_subject_name(certificate.get());
        const auto* const common_name = reinterpret_cast<const unsigned char*>("localhost");
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, common_name, -1, -1, 0);
        X509_set_issuer_name(certificate.get(), subject);
        X509_set_pubkey(certificate.get(), key.get());
        X509_sign(certificate.get(), key.get(), EVP_sha256());
        const file_pointer certificate_out(std::fopen(certificate_file().c_str(), "w"));
        PEM_write_X509(certificate_out.get(), certificate.get());
        const file_pointer key_out(std::fopen(key_file().c_str(), "w"));
        PEM_write_PrivateKey(key_out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    }

    [[nodiscard]] std::string certificate_file() const { return folder_.file("certificate.pem"); }
    [[nodiscard]] std::string key_file() const { return folder_.file("key.pem"); }
    [[nodiscard]] service_front::front_options options() const {
        service_front::front_options made;
        made.tls_certificate_file = certificate_file();
        made.tls_key_file = key_file();
        return made;
    }

private:
    testing::scratch_folder folder_;
};

class tls_peer {
public:
    tls_peer(std::uint16_t port, const std::string& trusted) : stream_(loop_, context_) {
        context_.load_verify_file(trusted);
        SSL_set_verify(stream_.native_handle(), SSL_VERIFY_PEER, nullptr);
        stream_.next_layer().connect({net::ip::address_v4::loopback(), port});
        const timeval patience{10, 0};
        setsockopt(stream_.next_layer().native_handle(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    }
    boost::system::error_code handshake() {
        boost::system::error_code ec;
        stream_.handshake(ssl::stream_base::client, ec);
        return ec;
    }
    void limit_to(int version) { SSL_set_max_proto_version(stream_.native_handle(), version); }
    std::string exchange(const std::string& request) {
        net::write(stream_, net::buffer(request));
        const std::size_t head = net::read_until(stream_, net::dynamic_buffer(buffer_), "\r\n\r\n");
        const std::size_t total = head + raw_connection::content_length(buffer_.substr(0, head));
        if (total > buffer_.size()) {
            net::read(stream_, net::dynamic_buffer(buffer_), net::transfer_exactly(total - buffer_.size()));
        }
        std::string response = buffer_.substr(0, total);
        buffer_.erase(0, total);
        return response;
    }
    boost::system::error_code read_end() {
        boost::system::error_code ec;
        net::read(stream_, net::dynamic_buffer(buffer_), ec);
        return ec;
    }

private:
    ssl::context context_{ssl::context::tls_client};
    net::io_context loop_;
    ssl::stream<net::ip::tcp::socket> stream_;
    std::string buffer_;
};

TEST(front_tls, serves_requests_and_large_outputs) {
    const certificate_folder files;
    running_front running({}, files.options());
    EXPECT_TRUE(running.front.base_url().starts_with("https://127.0.0.1:"));
    tls_peer peer(running.front.port(), files.certificate_file());
    ASSERT_FALSE(peer.handshake());
    EXPECT_EQ(status_of(peer.exchange(get("/health"))), 200);
    const std::string key = running.service->api_key();
    std::string body = R"({"model":"bench-1024","inputs":["a")";
    for (int i = 1; i < 1000; ++i) {
        body += ",\"a\"";
    }
    const std::string job = job_id_of(peer.exchange(post("/jobs", key, body + "]}")));
    const std::string output = peer.exchange(get("/jobs/" + job + "/output", key));
    EXPECT_EQ(body_of(output).size(), 1000u * 4096);
}

TEST(front_tls, ends_with_a_close_notify) {
    const certificate_folder files;
    running_front running({}, files.options());
    tls_peer peer(running.front.port(), files.certificate_file());
    ASSERT_FALSE(peer.handshake());
    EXPECT_EQ(status_of(peer.exchange("GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")), 200);
    EXPECT_EQ(peer.read_end(), net::error::eof) << "a stream without close_notify would be truncated";
}

TEST(front_tls, refuses_versions_before_1_2) {
    const certificate_folder files;
    running_front running({}, files.options());
    tls_peer old_peer(running.front.port(), files.certificate_file());
    old_peer.limit_to(TLS1_1_VERSION);
    EXPECT_TRUE(old_peer.handshake());
    tls_peer peer(running.front.port(), files.certificate_file());
    peer.limit_to(TLS1_2_VERSION);
    EXPECT_FALSE(peer.handshake());
}

TEST(front_tls, closes_who_speaks_no_tls_or_nothing_at_all) {
    const certificate_folder files;
    service_front::front_options options = files.options();
    options.handshake_timeout = 60ms;
    running_front running({}, options);
    raw_connection plain(running.front.port());
    plain.send(get("/health"));
    EXPECT_EQ(plain.read_to_end().find("HTTP"), std::string::npos);
    raw_connection silent(running.front.port());
    EXPECT_EQ(silent.read_to_end(), "");
    EXPECT_NE(silent.error, EAGAIN);
}

TEST(front_tls, names_files_it_cannot_use) {
    const certificate_folder files;
    const certificate_folder other;
    const std::string rubbish = files.key_file() + ".txt";
    std::ofstream(rubbish) << "no key\n";
    const struct {
        std::string certificate;
        std::string key;
        std::string says;
    } cases[] = {
        {files.certificate_file(), "", "both"},
        {"", files.key_file(), "both"},
        {"/nonexistent.pem", files.key_file(), "/nonexistent.pem"},
        {files.certificate_file(), rubbish, rubbish},
        {files.certificate_file(), other.key_file(), other.key_file()},
    };
    for (const auto& c : cases) {
        net::io_context loop;
        service_front::front_options options;
        options.tls_certificate_file = c.certificate;
        options.tls_key_file = c.key;
        auto service = std::make_shared<testing::service>(testing::service_options());
        service_front::front front(loop.get_executor(), make_system_environment(), service, options);
        const result<void> started = front.start();
        ASSERT_FALSE(started) << c.says;
        EXPECT_EQ(started.error().kind, errc::invalid_argument);
        EXPECT_NE(started.error().message.find(c.says), std::string::npos) << started.error().message;
    }
}

}  // namespace
}  // namespace vembed
