// A service of one's own that embeds as part of answering: it takes two lines and answers how similar they are.
//
//   usage: example_asio_service PORT [TIMEOUT_MS]
//
//   $ nc 127.0.0.1 PORT
//   a large body of salt water
//   the sea
//   0.512
//
// Every answer has a time limit. A peer that leaves, also one that only ends its sending, cancels the embedding that is
// under way for it; so does Ctrl-C, which ends the service. PORT 0 takes any free port; the first line on standard
// output says which. CYBERIAN_BASE_URL and CYBERIAN_API_KEY say which embedding service and whose account.

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <iostream>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <vembed/vembed.hpp>

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t received_bytes_max = 2 * (64 * 1024 + 2);  // two of the longest texts that a job takes
constexpr std::size_t peers_max = 256;

// Outcomes, not exceptions: that a peer goes away is no error of this program.
constexpr auto with_error = asio::as_tuple(asio::use_awaitable);

/// One peer: its connection, and what it sent that no answer has used yet.
class peer {
public:
    explicit peer(tcp::socket connection) : socket(std::move(connection)) {}

    void close() {
        error_code ignored;  // the descriptor is gone either way
        socket.close(ignored);
    }

    tcp::socket socket;
    std::string received;
};

/// The next line without its end; nothing if the peer has left or sends a line without end.
asio::awaitable<std::optional<std::string>> read_line(std::shared_ptr<peer> from) {
    auto buffer = asio::dynamic_buffer(from->received, received_bytes_max);
    const auto [error, size] = co_await asio::async_read_until(from->socket, buffer, '\n', with_error);
    if (error) {
        co_return std::nullopt;
    }
    std::string line = from->received.substr(0, size - 1);
    from->received.erase(0, size);
    if (line.ends_with('\r')) {
        line.pop_back();
    }
    co_return line;
}

/// Ends when the peer has left. Only reading shows that, so what it sends meanwhile is kept for the next answers.
asio::awaitable<void> until_it_leaves(std::shared_ptr<peer> who) {
    std::array<char, 4096> piece{};
    while (who->received.size() < received_bytes_max) {
        const std::size_t room = std::min(piece.size(), received_bytes_max - who->received.size());
        const auto [error, size] = co_await who->socket.async_read_some(asio::buffer(piece, room), with_error);
        if (error) {
            co_return;
        }
        who->received.append(piece.data(), size);
    }
    // It asks faster than it is answered: read no more, so that TCP slows it down, and notice only a reset.
    co_await who->socket.async_wait(tcp::socket::wait_error, with_error);
}

/// What the peer is told. An error's message may hold the embedding service's own words: those go to the log only.
std::string answer(const vembed::result<vembed::embeddings>& embedded) {
    if (!embedded) {
        std::cerr << "not embedded: " << embedded.error() << '\n';
        switch (embedded.error().kind) {
            case vembed::errc::timeout:
            case vembed::errc::rate_limited:
            case vembed::errc::service_busy: return "error: busy, try again later\n";
            case vembed::errc::invalid_argument: return "error: a line must be 1 byte to 64 KB of UTF-8\n";
            default: return "error: " + std::string(vembed::to_string(embedded.error().kind)) + "\n";
        }
    }
    const vembed::matrix& rows = embedded->rows;
    const float cosine = rows.row(0).dot(rows.row(1)) / (rows.row(0).norm() * rows.row(1).norm());
    std::array<char, 32> text{};
    const int size = std::snprintf(text.data(), text.size(), "%.3f\n", static_cast<double>(cosine));
    return {text.data(), static_cast<std::size_t>(size)};
}

/// Accepts peers and answers each, all on one thread: nothing here needs a lock.
class similarity_service {
public:
    similarity_service(asio::io_context& loop, std::uint16_t port, std::chrono::milliseconds timeout)
        : client_(loop.get_executor()),
          acceptor_(loop, tcp::endpoint(asio::ip::address_v4::loopback(), port)),
          timeout_(timeout) {}

    void start() { asio::co_spawn(acceptor_.get_executor(), accept(), rethrow); }

    /// Accepts no more and closes every connection, which cancels what is under way for it.
    void stop() {
        error_code ignored;
        acceptor_.close(ignored);
        for (const std::shared_ptr<peer>& who : peers_) {
            who->close();
        }
    }

    [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

private:
    // An exception that nobody expected leaves through io_context::run().
    static void rethrow(const std::exception_ptr& error) {
        if (error) {
            std::rethrow_exception(error);
        }
    }

    asio::awaitable<void> accept() {
        while (acceptor_.is_open()) {
            auto [error, socket] = co_await acceptor_.async_accept(with_error);
            if (error == asio::error::operation_aborted) {
                co_return;
            }
            if (error) {
                throw boost::system::system_error(error, "accept");
            }
            if (peers_.size() >= peers_max) {
                continue;  // the socket closes: better a clear no than a queue
            }
            const auto who = std::make_shared<peer>(std::move(socket));
            peers_.insert(who);
            asio::co_spawn(acceptor_.get_executor(), converse(who), [this, who](const std::exception_ptr& failed) {
                peers_.erase(who);
                rethrow(failed);
            });
        }
    }

    asio::awaitable<void> converse(std::shared_ptr<peer> who) {
        while (who->socket.is_open()) {
            std::optional<std::string> first = co_await read_line(who);
            if (!first) {
                co_return;
            }
            std::optional<std::string> second = co_await read_line(who);
            if (!second) {
                co_return;
            }
            std::vector<std::string> pair;
            pair.push_back(std::move(*first));
            pair.push_back(std::move(*second));
            const std::optional<std::string> response = co_await compare(who, std::move(pair));
            if (!response) {
                co_return;
            }
            const auto [error, written] = co_await asio::async_write(who->socket, asio::buffer(*response), with_error);
            if (error) {
                co_return;
            }
        }
    }

    /// The answer, or nothing if the peer left before it was there.
    asio::awaitable<std::optional<std::string>> compare(std::shared_ptr<peer> who, std::vector<std::string> pair) {
        using namespace asio::experimental::awaitable_operators;
        std::cerr << "embedding\n";
        vembed::call_options call;
        call.timeout = timeout_;  // throttle, retries and polls included
        auto embedding = client_.embed("bge-large-v1.5", std::move(pair), std::move(call));
        auto leaving = until_it_leaves(who);
        // The first to end cancels the other, and both have ended when this resumes.
        const auto outcome = co_await (std::move(embedding) || std::move(leaving));
        if (outcome.index() == 1) {
            std::cerr << "embedding cancelled: the connection is gone\n";
            co_return std::nullopt;
        }
        co_return answer(std::get<0>(outcome));
    }

    vembed::client client_;
    tcp::acceptor acceptor_;
    std::chrono::milliseconds timeout_;
    std::set<std::shared_ptr<peer>> peers_;
};

/// A whole decimal number from `low` to `high`, or nothing.
std::optional<std::uint32_t> number(std::string_view text, std::uint32_t low, std::uint32_t high) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < low || value > high) {
        return std::nullopt;
    }
    return value;
}

}  // namespace

int main(int argc, char** argv) {
    const std::optional<std::uint32_t> port = argc > 1 ? number(argv[1], 0, 65'535) : std::nullopt;
    const std::optional<std::uint32_t> timeout_ms = argc > 2 ? number(argv[2], 1, 3'600'000) : 10'000;
    if (argc > 3 || !port || !timeout_ms) {
        std::cerr << "usage: " << argv[0] << " PORT [TIMEOUT_MS]\n";
        return 2;
    }
    try {
        asio::io_context loop(1);
        similarity_service service(loop, static_cast<std::uint16_t>(*port), std::chrono::milliseconds(*timeout_ms));
        service.start();
        asio::signal_set signals(loop, SIGINT, SIGTERM);
        signals.async_wait([&service](const error_code& error, int) {
            if (!error) {
                service.stop();
            }
        });
        std::cout << "listening on 127.0.0.1:" << service.port() << std::endl;
        loop.run();  // until the acceptor is closed and the last connection's coroutine has ended
        std::cerr << "ended\n";
        return 0;
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
