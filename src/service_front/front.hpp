#pragma once
/// The local service's sockets: HTTP/1.1 and TLS in front of the state machine. Reads requests within limits, asks the
/// service, waits if it is told to, writes the response, and cuts connections as the fault plan says.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <vembed/core/result.hpp>
#include <vembed/runtime/environment.hpp>
#include <vembed/testing/local_service.hpp>

namespace vembed::service_front {

namespace asio = boost::asio;

class front_options {
public:
    std::string address = "127.0.0.1";  ///< A numeric IPv4 or IPv6 address.
    std::uint16_t port = 0;             ///< 0: any free port.
    std::string tls_certificate_file;   ///< PEM, the leaf first. With tls_key_file: TLS 1.2 or newer only.
    std::string tls_key_file;           ///< PEM. Both or neither.

    std::uint32_t header_bytes_max = 16'384;  ///< Request line and header lines of a request; over it: 431.
    std::uint32_t header_count_max = 100;     ///< Header lines of a request; over it: 431.
    /// Bytes of one request's body; over it: 413. The largest job (1000 inputs of 64 KB, all `\uXXXX`) has 375 MiB.
    std::uint64_t body_bytes_max = 400u << 20;
    std::uint64_t bodies_bytes_max = 1u << 30;            ///< Bytes of all requests being read together; over it: 503.
    std::uint32_t connections_max = 16'384;               ///< Further connections wait in the backlog until one ends.
    std::chrono::milliseconds handshake_timeout{10'000};  ///< For the whole TLS handshake.
    std::chrono::milliseconds header_timeout{10'000};     ///< From a request's first byte to its header's last.
    std::chrono::milliseconds body_timeout{60'000};       ///< For each further 16 KB of a request's body.
    std::chrono::milliseconds write_timeout{60'000};      ///< For each further piece of a response that the peer takes.
    std::chrono::milliseconds idle_timeout{75'000};       ///< Between requests.
    std::chrono::milliseconds linger_timeout{2'000};      ///< For the peer to take the last response and close.

    front_options() = default;
};

/// Serves from start() to stop(). All its work is done on `executor`, which must run one handler at a time (an
/// io_context run by one thread, or a strand) and whose context must outlive the front. Nobody else may drive the
/// service meanwhile.
///
/// A timeout strikes at most one second late (a quarter of the shortest timeout if that is less).
class front {
public:
    front(asio::any_io_executor executor, std::shared_ptr<environment> env,
          std::shared_ptr<vembed::testing::local_service> service, front_options options);
    /// Calls stop().
    ~front();
    front(const front&) = delete;
    front& operator=(const front&) = delete;

    /// Binds and begins to accept. Fails with invalid_argument for a malformed address or unusable TLS files (naming
    /// the file and OpenSSL's reason), with io if the address cannot be bound. Call it once, before the executor runs
    /// or on it.
    result<void> start();

    /// The bound port; 0 before start().
    [[nodiscard]] std::uint16_t port() const noexcept;

    /// "http://127.0.0.1:8080", or https with TLS.
    [[nodiscard]] std::string base_url() const;

    /// Accepts no more connections, closes idle and waiting ones, and lets responses being written end (within
    /// write_timeout). Returns at once; may be called from any thread, and again.
    void stop();

private:
    class listener;
    std::shared_ptr<listener> listener_;
};

}  // namespace vembed::service_front
