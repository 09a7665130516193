#include "bare_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <stdexcept>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <vembed/verify/sha256.hpp>

#include "harness.hpp"
#include "service_process.hpp"

namespace vembed::bench {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using plain_stream = beast::tcp_stream;
using tls_stream = asio::ssl::stream<beast::tcp_stream>;

constexpr std::uint64_t chunk_rows = 100;

std::string head_of(const bare_plan& plan, const std::string& line, std::size_t body_size) {
    std::string head = line + " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + plan.api_key + "\r\n";
    if (body_size > 0) {
        head += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body_size) + "\r\n";
    }
    return head + "\r\n";
}

// Texts that need no escape, which a client that takes any text cannot count on.
std::string body_of(const bare_plan& plan) {
    std::string body;
    body.reserve(plan.rows_per_job * 520 + 64);
    body += R"({"model":")";
    body += bench_model;
    body += R"(","inputs":[)";
    for (std::uint64_t i = 0; i < plan.rows_per_job; ++i) {
        body += i == 0 ? "\"" : ",\"";
        body += (*plan.texts)[i];
        body += '"';
    }
    return body + "]}";
}

std::string member(const std::string& json, const std::string& name) {
    const std::string key = '"' + name + "\":\"";
    const std::size_t at = json.find(key);
    if (at == std::string::npos) {
        throw std::runtime_error("a response has no " + name + ": " + json.substr(0, 200));
    }
    const std::size_t begin = at + key.size();
    return json.substr(begin, json.find('"', begin) - begin);
}

template <class Stream>
class bare_connection {
public:
    bare_connection(const bare_plan& plan, Stream stream) : plan_(&plan), stream_(std::move(stream)) {
        buffer_.reserve(65'536);
    }

    Stream& stream() { return stream_; }

    asio::awaitable<std::string> ask(std::string line, std::string body) {
        const std::string head = head_of(*plan_, line, body.size());
        const std::array<asio::const_buffer, 2> pieces{asio::buffer(head), asio::buffer(body)};
        co_await asio::async_write(stream_, pieces, asio::use_awaitable);
        http::response<http::string_body> response;
        co_await http::async_read(stream_, buffer_, response, asio::use_awaitable);
        if (response.result_int() >= 300) {
            throw std::runtime_error(line + " was answered " + std::to_string(response.result_int()));
        }
        co_return std::move(response.body());
    }

    asio::awaitable<void> fetch(std::string line, std::span<std::byte> into, std::size_t hash_every) {
        const std::string head = head_of(*plan_, line, 0);
        co_await asio::async_write(stream_, asio::buffer(head), asio::use_awaitable);
        http::response_parser<http::buffer_body> parser;
        parser.body_limit(boost::none);
        co_await http::async_read_header(stream_, buffer_, parser, asio::use_awaitable);
        const auto length = parser.content_length();
        if (!length || *length != into.size()) {
            throw std::runtime_error(line + " has another length");
        }
        std::size_t done = asio::buffer_copy(asio::buffer(into.data(), into.size()), buffer_.data());
        buffer_.consume(done);
        std::size_t hashed = 0;
        while (done < into.size()) {
            const asio::mutable_buffer room(into.data() + done, into.size() - done);
            done += co_await stream_.async_read_some(room, asio::use_awaitable);
            while (hash_every > 0 && done - hashed >= hash_every) {
                sum_ += static_cast<unsigned>(sha256_of(into.subspan(hashed, hash_every))[0]);
                hashed += hash_every;
            }
        }
        if (hash_every > 0 && hashed < done) {
            sum_ += static_cast<unsigned>(sha256_of(into.subspan(hashed))[0]);
        }
    }

private:
    const bare_plan* plan_;
    Stream stream_;
    beast::flat_buffer buffer_;
    unsigned sum_ = 0;  // So that no hash is left out.
};

class shared_work {
public:
    const bare_plan* plan = nullptr;
    std::string target;
    std::uint64_t left = 0;  // Jobs or requests that nobody began.
    std::uint64_t next_row = 0;
    std::string last_id;

    shared_work() = default;
};

template <class Stream>
asio::awaitable<void> one_job(shared_work* work, bare_connection<Stream>* on, std::uint64_t first_row) {
    const bare_plan& plan = *work->plan;
    std::string body = body_of(plan);
    const std::string accepted = co_await on->ask("POST /jobs", std::move(body));
    const std::string id = member(accepted, "id");
    const std::string job = "GET /jobs/" + id;
    std::string request = job + "/wait?max_wait=30";
    const std::string settled = co_await on->ask(std::move(request), "");
    if (member(settled, "status") != "SETTLED") {
        throw std::runtime_error("a job did not settle");
    }
    request = job + "/results";
    co_await on->ask(std::move(request), "");
    const std::span<float> rows =
        plan.output.subspan(first_row * bench_dimensions, plan.rows_per_job * bench_dimensions);
    const std::size_t chunk_bytes = chunk_rows * bench_dimensions * sizeof(float);
    const std::size_t hashed_in_pieces_of = plan.level == checks::none ? 0 : chunk_bytes;
    request = job + "/output";
    co_await on->fetch(std::move(request), std::as_writable_bytes(rows), hashed_in_pieces_of);
    if (plan.level == checks::receipt) {
        const std::string receipt = "GET /receipts/" + member(settled, "receipt_id");
        request = receipt;
        co_await on->ask(std::move(request), "");
        request = receipt + "/verify";
        co_await on->ask(std::move(request), "");
    }
    work->last_id = id;
}

template <class Stream>
asio::awaitable<void> work_through(std::shared_ptr<shared_work> work, std::shared_ptr<bare_connection<Stream>> on) {
    while (work->left > 0) {
        --work->left;
        if (!work->target.empty()) {
            co_await on->ask("GET " + work->target, "");
            continue;
        }
        const std::uint64_t first = work->next_row;
        work->next_row += work->plan->rows_per_job;
        co_await one_job(work.get(), on.get(), first);
    }
}

tcp::endpoint where(const bare_plan& plan) {
    return {asio::ip::address_v4::loopback(), plan.port};
}

asio::awaitable<void> run_plain(std::shared_ptr<shared_work> work) {
    plain_stream stream(co_await asio::this_coro::executor);
    co_await stream.async_connect(where(*work->plan), asio::use_awaitable);
    stream.socket().set_option(tcp::no_delay(true));
    auto on = std::make_shared<bare_connection<plain_stream>>(*work->plan, std::move(stream));
    co_await work_through<plain_stream>(work, on);
}

asio::awaitable<void> run_tls(std::shared_ptr<shared_work> work, asio::ssl::context* context) {
    tls_stream stream(co_await asio::this_coro::executor, *context);
    co_await stream.next_layer().async_connect(where(*work->plan), asio::use_awaitable);
    stream.next_layer().socket().set_option(tcp::no_delay(true));
    stream.set_verify_mode(asio::ssl::verify_peer);
    co_await stream.async_handshake(asio::ssl::stream_base::client, asio::use_awaitable);
    auto on = std::make_shared<bare_connection<tls_stream>>(*work->plan, std::move(stream));
    co_await work_through<tls_stream>(work, on);
}

void run_all(const bare_plan& plan, const std::shared_ptr<shared_work>& work) {
    asio::io_context loop(1);
    asio::ssl::context context(asio::ssl::context::tls_client);
    if (!plan.ca_file.empty()) {
        context.load_verify_file(plan.ca_file);
    }
    for (std::uint32_t i = 0; i < plan.connections; ++i) {
        asio::co_spawn(loop, plan.ca_file.empty() ? run_plain(work) : run_tls(work, &context), rethrow);
    }
    loop.run();
}

// A blocking connection of the floor.
class plain_socket {
public:
    explicit plain_socket(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const int yes = 1;
        ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        if (::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
            throw std::runtime_error("cannot connect to the service");
        }
    }
    plain_socket(const plain_socket&) = delete;
    plain_socket& operator=(const plain_socket&) = delete;
    ~plain_socket() { ::close(fd_); }

    void send(const std::string& text) {
        if (::write(fd_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
            throw std::runtime_error("cannot send to the service");
        }
    }
    std::size_t read(std::span<std::byte> into) {
        const ssize_t size = ::read(fd_, into.data(), into.size());
        if (size <= 0) {
            throw std::runtime_error("the service closed the connection");
        }
        return static_cast<std::size_t>(size);
    }

private:
    int fd_;
};

}  // namespace

std::string run_bare_jobs(const bare_plan& plan) {
    auto work = std::make_shared<shared_work>();
    work->plan = &plan;
    work->left = plan.output.size() / bench_dimensions / plan.rows_per_job;
    run_all(plan, work);
    return work->last_id;
}

void run_bare_gets(const bare_plan& plan, const std::string& target, std::uint64_t count) {
    auto work = std::make_shared<shared_work>();
    work->plan = &plan;
    work->target = target;
    work->left = count;
    run_all(plan, work);
}

void run_read_floor(const bare_plan& plan, const std::string& job_id) {
    plain_socket to(plan.port);
    const std::string request = head_of(plan, "GET /jobs/" + job_id + "/output", 0);
    const std::size_t job_bytes = plan.rows_per_job * bench_dimensions * sizeof(float);
    std::span<std::byte> left = std::as_writable_bytes(plan.output);
    std::vector<std::byte> head(4096);
    while (!left.empty()) {
        to.send(request);
        // The head and what came with it; the rest goes straight to its place.
        std::size_t have = 0;
        std::size_t body = std::string::npos;
        while (body == std::string::npos) {
            have += to.read(std::span(head).subspan(have));
            const std::string_view text(reinterpret_cast<const char*>(head.data()), have);
            body = text.find("\r\n\r\n");
        }
        body += 4;
        std::memcpy(left.data(), head.data() + body, have - body);
        std::size_t done = have - body;
        while (done < job_bytes) {
            done += to.read(left.subspan(done, job_bytes - done));
        }
        left = left.subspan(job_bytes);
    }
}

}  // namespace vembed::bench
