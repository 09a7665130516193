/// The yardstick of the local service's front: a bare Beast server as its documentation shows one, which parses each
/// request into a message and answers GET /output with one shared 4 MB block and all else with a small JSON.
///
///     bare_server PORT

#include <cstdlib>
#include <iostream>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;

constexpr auto with_error = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t output_bytes = std::size_t{1000} * 1024 * 4;

using block = std::shared_ptr<const std::vector<char>>;

asio::awaitable<void> serve(tcp::socket socket, block output) {
    beast::tcp_stream stream(std::move(socket));
    stream.socket().set_option(tcp::no_delay(true));
    beast::flat_buffer buffer;
    buffer.reserve(65'536);
    bool alive = true;
    while (alive) {
        http::request<http::string_body> request;
        const auto [read_error, read_size] = co_await http::async_read(stream, buffer, request, with_error);
        if (read_error) {
            break;
        }
        alive = request.keep_alive();
        if (request.target() == "/output") {
            http::response<http::span_body<const char>> response(http::status::ok, 11);
            response.set(http::field::content_type, "application/octet-stream");
            response.body() = boost::beast::span<const char>(output->data(), output->size());
            response.prepare_payload();
            const auto [error, size] = co_await http::async_write(stream, response, with_error);
            alive = alive && !error;
        } else {
            http::response<http::string_body> response(http::status::ok, 11);
            response.set(http::field::content_type, "application/json");
            response.body() = R"({"ok":true,"service":"bare"})";
            response.prepare_payload();
            const auto [error, size] = co_await http::async_write(stream, response, with_error);
            alive = alive && !error;
        }
    }
}

asio::awaitable<void> listen(tcp::acceptor& acceptor, block output) {
    for (;;) {
        auto [error, socket] = co_await acceptor.async_accept(with_error);
        if (error) {
            std::cerr << "bare_server: no more connections: " << error.message() << '\n';
            break;
        }
        asio::co_spawn(acceptor.get_executor(), serve(std::move(socket), output), asio::detached);
    }
}

}  // namespace

int main(int argc, char** argv) {
    constexpr std::string_view help =
        "usage: bare_server PORT\nA bare Beast server on 127.0.0.1; with the port 0 a free one. It prints its URL.\n";
    if (argc == 2 && (std::string_view(argv[1]) == "--help" || std::string_view(argv[1]) == "-h")) {
        std::cout << help;
        return 0;
    }
    if (argc != 2) {
        std::cerr << help;
        return 2;
    }
    asio::io_context loop(1);
    const auto port = static_cast<unsigned short>(std::atoi(argv[1]));
    tcp::acceptor acceptor(loop, tcp::endpoint(asio::ip::address_v4::loopback(), port));
    const auto output = std::make_shared<const std::vector<char>>(output_bytes, 'x');
    asio::co_spawn(loop, listen(acceptor, output), asio::detached);
    std::cout << "http://127.0.0.1:" << acceptor.local_endpoint().port() << std::endl;
    loop.run();
}
