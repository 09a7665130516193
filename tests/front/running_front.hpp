#pragma once
/// A front on a loopback port, served by a thread of its own, and plain blocking sockets to talk to it.

#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <vembed/testing/service.hpp>

#include "service_front/front.hpp"

namespace vembed {

namespace net = boost::asio;

class running_front {
public:
    explicit running_front(testing::service_options service_options = {}, service_front::front_options options = {})
        : service(std::make_shared<testing::service>(std::move(service_options))),
          front(loop_.get_executor(), make_system_environment(), service, std::move(options)) {
        if (const result<void> started = front.start(); !started) {
            throw std::runtime_error(started.error().describe());
        }
        thread_ = std::thread([this] { loop_.run(); });
    }
    ~running_front() {
        front.stop();
        join();
    }

    /// Waits for the loop to run out of work, as it does after a stop.
    void join() {
        if (thread_.joinable()) {
            thread_.join();
        }
    }

    /// Read on the loop's thread, which owns the service.
    testing::service_counters counters() {
        std::promise<testing::service_counters> counted;
        net::post(loop_, [&] { counted.set_value(service->counters()); });
        return counted.get_future().get();
    }

    std::shared_ptr<testing::service> service;

private:
    net::io_context loop_{1};
    std::thread thread_;

public:
    service_front::front front;
};

/// A connection that gives up after ten seconds of silence, so that a failing test ends.
class raw_connection {
public:
    explicit raw_connection(std::uint16_t port) : socket_(loop_) {
        socket_.connect({net::ip::address_v4::loopback(), port});
        const timeval patience{10, 0};
        setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    }

    void send(std::string_view text) { net::write(socket_, net::buffer(text)); }
    /// Sends as much as the peer takes before it closes.
    void try_send(std::string_view text) {
        boost::system::error_code ignored;
        net::write(socket_, net::buffer(text), ignored);
    }
    void half_close() { socket_.shutdown(net::ip::tcp::socket::shutdown_send); }

    [[nodiscard]] int handle() { return socket_.native_handle(); }

    /// Everything until the peer closes; `error` says how it did.
    std::string read_to_end() {
        std::string text;
        std::array<char, 65'536> piece;
        for (;;) {
            const ssize_t size = ::recv(socket_.native_handle(), piece.data(), piece.size(), 0);
            if (size <= 0) {
                error = size == 0 ? 0 : errno;
                return text;
            }
            text.append(piece.data(), static_cast<std::size_t>(size));
        }
    }

    /// One response with a Content-Length; what follows it is kept for the next.
    std::string read_response() {
        for (;;) {
            if (const std::size_t end = buffer_.find("\r\n\r\n"); end != std::string::npos) {
                const std::size_t total = end + 4 + content_length(buffer_.substr(0, end));
                if (buffer_.size() >= total) {
                    std::string response = buffer_.substr(0, total);
                    buffer_.erase(0, total);
                    return response;
                }
            }
            std::array<char, 65'536> piece;
            const ssize_t size = ::recv(socket_.native_handle(), piece.data(), piece.size(), 0);
            if (size <= 0) {
                throw std::runtime_error("the connection ended within a response: " + buffer_);
            }
            buffer_.append(piece.data(), static_cast<std::size_t>(size));
        }
    }

    static std::size_t content_length(const std::string& head) {
        static constexpr std::string_view name = "Content-Length: ";
        const std::size_t at = head.find(name);
        return at == std::string::npos ? 0 : std::stoul(head.substr(at + name.size()));
    }

    int error = -1;  ///< Of read_to_end(): 0 for an orderly end, else errno.

private:
    net::io_context loop_;
    net::ip::tcp::socket socket_;
    std::string buffer_;
};

inline std::string get(const std::string& target, const std::string& key = {}) {
    return "GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" +
           (key.empty() ? std::string() : "Authorization: Bearer " + key + "\r\n") + "\r\n";
}

inline std::string post(const std::string& target, const std::string& key, const std::string& body) {
    return "POST " + target + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + key +
           "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

inline int status_of(const std::string& response) {
    return response.starts_with("HTTP/1.1 ") ? std::stoi(response.substr(9, 3)) : 0;
}

inline std::string body_of(const std::string& response) {
    return response.substr(response.find("\r\n\r\n") + 4);
}

inline std::string job_id_of(const std::string& response) {
    const std::size_t at = response.find("\"id\":\"") + 6;
    return response.substr(at, response.find('"', at) - at);
}

}  // namespace vembed
