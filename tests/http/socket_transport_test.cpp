#include "http/socket/socket_transport.hpp"

#include <deque>

#include <gtest/gtest.h>

#include "exchange_support.hpp"
#include "http/socket/response_reader.hpp"

namespace vembed::http {
namespace {

using namespace std::chrono_literals;

std::size_t count(const std::string& in, std::string_view what) {
    std::size_t found = 0;
    for (std::size_t at = in.find(what); at != std::string::npos; at = in.find(what, at + 1)) {
        ++found;
    }
    return found;
}

TEST(socket_transport, writes_a_request_as_http_wants_it) {
    asio::io_context context;
    loopback_server server(context, always(answer_all, response_text("200 OK", "hello")));
    socket_transport_options options;
    options.user_agent = "agent/1";
    connected_client client(context, server, options);

    const exchange_outcome outcome = client.exchange(post("/jobs?x=1", R"({"a":1})"));
    ASSERT_TRUE(succeeded(outcome));
    EXPECT_EQ(outcome.head->status, 200);
    EXPECT_EQ(outcome.head->content_length, 5u);
    EXPECT_FALSE(outcome.connection_reused);
    EXPECT_EQ(client.sink.body, "hello");
    const std::string& seen = server.peers.at(0)->seen;
    EXPECT_EQ(outcome.bytes_written, seen.size());
    EXPECT_TRUE(seen.starts_with("POST /jobs?x=1 HTTP/1.1\r\nHost: 127.0.0.1:" + server.port() + "\r\n")) << seen;
    EXPECT_TRUE(seen.ends_with("\r\n\r\n{\"a\":1}")) << seen;
    for (const char* line : {"\r\nUser-Agent: agent/1\r\n", "\r\nAccept-Encoding: identity\r\n",
                             "\r\nContent-Type: application/json\r\n", "\r\nContent-Length: 7\r\n"}) {
        EXPECT_EQ(count(seen, line), 1u) << line;
    }
    EXPECT_EQ(count(seen, "Authorization"), 0u) << "sent only when asked";
}

TEST(socket_transport, a_post_without_a_body_says_so_and_a_get_says_nothing) {
    asio::io_context context;
    loopback_server server(context, always(answer_all, response_text("201 Created", "")));
    connected_client client(context, server);
    ASSERT_TRUE(succeeded(client.exchange(post("/auth/keys/rotate", ""))));
    EXPECT_EQ(count(server.peers.at(0)->seen, "\r\nContent-Length: 0\r\n"), 1u);
    ASSERT_TRUE(succeeded(client.exchange(get("/x"))));
    EXPECT_EQ(count(server.peers.at(0)->seen, "Content-Length"), 1u);
}

TEST(socket_transport, sends_the_key_when_asked_and_exactly_once) {
    asio::io_context context;
    loopback_server server(context, always(answer_all, response_text("200 OK", "")));
    connected_client client(context, server);
    const auto key = secret::from_key("cyb_the_key").value();
    for (const auto& request : {get("/account"), post("/jobs", "{}")}) {
        request->key = key;
        ASSERT_TRUE(succeeded(client.exchange(request)));
    }
    ASSERT_TRUE(succeeded(client.exchange(get("/health"))));
    const std::string& seen = server.peers.at(0)->seen;
    EXPECT_EQ(count(seen, "Authorization"), 2u);
    EXPECT_EQ(count(seen, "\r\nAuthorization: Bearer cyb_the_key\r\n\r\n"), 2u);
    EXPECT_EQ(seen.find("cyb_the_key", seen.find("/health")), std::string::npos);
}

TEST(socket_transport, puts_the_base_path_before_targets) {
    asio::io_context context;
    loopback_server server(context, always(answer_all, response_text("200 OK", "")));
    const auto env = make_system_environment();
    const origin to = origin::parse("http://localhost:" + server.port() + "/v1/").value();
    const auto over = make_socket_transport(context.get_executor(), env, to, socket_transport_options()).value();
    keeping_sink sink;
    const exchange_outcome outcome = testing_support::run(context, over->exchange(get("/models"), &sink, no_deadline));
    ASSERT_TRUE(succeeded(outcome));
    EXPECT_TRUE(server.peers.at(0)->seen.starts_with("GET /v1/models HTTP/1.1\r\nHost: localhost:")) << "by name";
}

TEST(socket_transport, keeps_connections_and_uses_them_again) {
    asio::io_context context;
    loopback_server server(context, always(answer_all, response_text("200 OK", "hello")));
    connected_client client(context, server);
    for (int i = 0; i < 5; ++i) {
        const exchange_outcome outcome = client.exchange(get("/x"));
        ASSERT_TRUE(succeeded(outcome));
        EXPECT_EQ(outcome.connection_reused, i > 0);
        EXPECT_EQ(client.sink.body, "hello");
    }
    EXPECT_EQ(server.peers.size(), 1u);
}

TEST(socket_transport, does_not_keep_what_the_server_will_close) {
    for (const std::string& text :
         {response_text("200 OK", "hello", "Connection: close\r\n"), std::string("HTTP/1.0 200 OK\r\n\r\nhello"),
          response_text("200 OK", "hello") + "bytes nobody asked for"}) {
        asio::io_context context;
        loopback_server server(context, always(answer_and_end, text));
        connected_client client(context, server);
        for (std::size_t i = 1; i <= 3; ++i) {
            const exchange_outcome outcome = client.exchange(get("/x"));
            ASSERT_TRUE(succeeded(outcome)) << text;
            EXPECT_FALSE(outcome.connection_reused);
            EXPECT_EQ(client.sink.body, "hello");
            EXPECT_EQ(server.peers.size(), i);
        }
    }
}

TEST(socket_transport, does_not_keep_a_connection_with_bytes_behind_the_response) {
    asio::io_context context;
    loopback_server server(context,
                           always(answer_all, response_text("200 OK", "hello") + "HTTP/1.1 201 Forged\r\n\r\n"));
    connected_client client(context, server);
    for (std::size_t i = 1; i <= 3; ++i) {
        const exchange_outcome outcome = client.exchange(get("/x"));
        ASSERT_TRUE(succeeded(outcome));
        EXPECT_EQ(outcome.head->status, 200);
        EXPECT_FALSE(outcome.connection_reused);
        EXPECT_EQ(server.peers.size(), i);
    }
}

// Whatever the server did to an idle connection, the next request goes out on a new one.
TEST(socket_transport, notices_that_a_kept_connection_died_before_it_writes) {
    for (const int how : {0, 1, 2}) {
        SCOPED_TRACE(how);
        asio::io_context context;
        loopback_server server(context, always(answer_all, response_text("200 OK", "hello")));
        connected_client client(context, server);
        ASSERT_TRUE(succeeded(client.exchange(get("/first"))));
        const peer_ptr kept = server.peers.at(0);
        if (how == 0) {
            kept->cut();
        } else if (how == 1) {
            kept->reset();
        } else {
            testing_support::run(context, kept->write("HTTP/1.1 408 Request Timeout\r\n\r\n"));
        }
        const exchange_outcome outcome = client.exchange(post("/jobs", "{}"));
        ASSERT_TRUE(succeeded(outcome));
        EXPECT_EQ(outcome.head->status, 200);
        EXPECT_FALSE(outcome.connection_reused);
        EXPECT_EQ(kept->seen.find("POST"), std::string::npos);
        EXPECT_EQ(server.peers.size(), 2u);
    }
}

asio::awaitable<void> answer_once_then_cut(peer_ptr connected, std::string text) {
    (void)co_await connected->read_request();
    co_await connected->write(std::move(text));
    (void)co_await connected->read_some(1);
    connected->reset();
}

TEST(socket_transport, a_kept_connection_that_dies_under_the_request_is_reported_not_repeated) {
    asio::io_context context;
    loopback_server server(context, always(answer_once_then_cut, response_text("200 OK", "hello")));
    connected_client client(context, server);
    ASSERT_TRUE(succeeded(client.exchange(get("/first"))));
    const exchange_outcome outcome = client.exchange(post("/jobs", "{}"));
    EXPECT_TRUE(failed_with(outcome, errc::network));
    EXPECT_TRUE(outcome.connection_reused);
    EXPECT_FALSE(outcome.response_begun);
    EXPECT_GT(outcome.bytes_written, 0u);
    EXPECT_EQ(server.peers.size(), 1u) << "sent once";
}

TEST(socket_transport, an_idle_connection_that_is_too_old_is_not_used) {
    asio::io_context context;
    loopback_server server(context, always(answer_all, response_text("200 OK", "hello")));
    socket_transport_options options;
    options.idle_max = 0s;
    connected_client client(context, server, options);
    for (std::size_t i = 1; i <= 3; ++i) {
        ASSERT_TRUE(succeeded(client.exchange(get("/x"))));
        EXPECT_EQ(server.peers.size(), i);
    }
}

TEST(socket_transport, reads_chunked_bodies_and_keeps_the_connection) {
    asio::io_context context;
    std::string text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    std::string body;
    for (int i = 0; i < 300; ++i) {
        const std::string piece(static_cast<std::size_t>(i * 7 % 1500 + 1), static_cast<char>('a' + i % 26));
        char size[16];
        std::snprintf(size, sizeof size, "%zx\r\n", piece.size());
        text += size + piece + "\r\n";
        body += piece;
    }
    text += "0\r\n\r\n";
    loopback_server server(context, always(answer_all, text));
    connected_client client(context, server);
    client.sink.limit = body.size();
    for (int i = 0; i < 3; ++i) {
        const exchange_outcome outcome = client.exchange(get("/x"));
        ASSERT_TRUE(succeeded(outcome));
        EXPECT_EQ(outcome.connection_reused, i > 0);
        EXPECT_EQ(client.sink.body, body);
    }
}

TEST(socket_transport, reads_bodies_that_end_with_the_connection) {
    for (const std::size_t limit : {std::size_t(-1), std::size_t(300'000)}) {
        asio::io_context context;
        const std::string body(300'000, 'b');
        loopback_server server(context, always(answer_and_end, "HTTP/1.1 200 OK\r\n\r\n" + body));
        connected_client client(context, server);
        client.sink.limit = limit;
        const exchange_outcome outcome = client.exchange(get("/x"));
        ASSERT_TRUE(succeeded(outcome));
        EXPECT_EQ(client.sink.body, body);
    }
}

TEST(socket_transport, a_sink_that_is_full_ends_the_exchange) {
    const std::string body(300'000, 'b');
    for (const std::string& text :
         {response_text("200 OK", body), "HTTP/1.1 200 OK\r\n\r\n" + body,
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n493E0\r\n" + body + "\r\n0\r\n\r\n"}) {
        for (const std::size_t limit : {std::size_t(0), std::size_t(1), body.size() / 2, body.size() - 1}) {
            asio::io_context context;
            loopback_server server(context, always(answer_and_end, text));
            connected_client client(context, server);
            client.sink.limit = limit;
            const exchange_outcome outcome = client.exchange(get("/x"));
            EXPECT_TRUE(failed_with(outcome, errc::response_too_large)) << text.substr(0, 60) << limit;
            EXPECT_TRUE(outcome.head);
            client.sink.limit = body.size();
            ASSERT_TRUE(succeeded(client.exchange(get("/x")))) << "on another connection";
        }
    }
}

TEST(socket_transport, what_the_sink_says_is_the_outcome) {
    asio::io_context context;
    loopback_server server(context, always(answer_all, response_text("200 OK", "hello")));
    connected_client client(context, server);
    client.sink.refusal = error(errc::io, "disk full");
    EXPECT_TRUE(failed_with(client.exchange(get("/x")), errc::io));
    client.sink.refusal.reset();
    client.sink.commit_refusal = error(errc::verification_failed, "no");
    EXPECT_TRUE(failed_with(client.exchange(get("/x")), errc::verification_failed));
    client.sink.commit_refusal.reset();
    ASSERT_TRUE(succeeded(client.exchange(get("/x"))));
    EXPECT_EQ(server.peers.size(), 3u) << "a connection with an unread response is not used again";
}

TEST(socket_transport, bodies_that_break_off_are_network_failures) {
    for (const std::string_view text :
         {"", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
          "HTTP/1.1 100 Continue\r\n\r\n"}) {
        asio::io_context context;
        loopback_server server(context, always(answer_and_end, std::string(text)));
        connected_client client(context, server);
        const exchange_outcome outcome = client.exchange(get("/x"));
        EXPECT_TRUE(failed_with(outcome, errc::network)) << text;
        EXPECT_EQ(outcome.response_begun, !text.empty());
        EXPECT_TRUE(outcome.request_written);
    }
}

TEST(socket_transport, what_is_not_http_is_a_protocol_failure) {
    const std::string field = "X-Field: " + std::string(1000, 'v') + "\r\n";
    std::string flood = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 200; ++i) {
        flood += field;
    }
    for (const std::string& text :
         {std::string("SSH-2.0-OpenSSH_9.2\r\n"), flood, std::string(100'000, 'x'),
          std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n\r\n"),
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;" + std::string(100'000, 'x')}) {
        asio::io_context context;
        loopback_server server(context, always(answer_and_end, text));
        connected_client client(context, server);
        EXPECT_TRUE(failed_with(client.exchange(get("/x")), errc::protocol)) << text.substr(0, 80);
    }
}

TEST(socket_transport, redirects_are_handed_out_and_not_followed) {
    asio::io_context context;
    loopback_server elsewhere(context, always(answer_all, response_text("200 OK", "stolen")));
    loopback_server server(
        context, always(answer_all, response_text("307 Temporary Redirect", "moved",
                                                  "Location: http://127.0.0.1:" + elsewhere.port() + "/\r\n")));
    connected_client client(context, server);
    const auto request = post("/jobs", "{}");
    request->key = secret::from_key("cyb_the_key").value();
    const exchange_outcome outcome = client.exchange(request);
    ASSERT_TRUE(succeeded(outcome));
    EXPECT_EQ(outcome.head->status, 307);
    EXPECT_EQ(client.sink.body, "moved");
    EXPECT_TRUE(elsewhere.peers.empty());
}

asio::awaitable<void> refuse_early(peer_ptr connected, std::string text) {
    (void)co_await connected->read_some(1000);
    co_await connected->write(std::move(text));
    connected->cut();  // With most of the body unread: the client's next write meets a reset.
}

TEST(socket_transport, an_answer_that_comes_before_the_body_was_read_counts) {
    const std::string text = response_text("413 Content Too Large", R"({"error":"request_too_large"})");
    int answered = 0;
    for (int i = 0; i < 20; ++i) {
        asio::io_context context;
        loopback_server server(context, always(refuse_early, text));
        connected_client client(context, server);
        const exchange_outcome outcome = client.exchange(post("/jobs", std::string(16 << 20, 'x')));
        if (outcome.error) {
            // The reset overtook the answer: nothing more can be known.
            EXPECT_TRUE(failed_with(outcome, errc::network));
        } else {
            ++answered;
            EXPECT_EQ(outcome.head->status, 413);
            EXPECT_EQ(client.sink.body, R"({"error":"request_too_large"})");
        }
        EXPECT_GT(outcome.bytes_written, 0u);
        EXPECT_FALSE(outcome.request_written);
        EXPECT_EQ(server.peers.size(), 1u) << "sent once";
    }
    EXPECT_GT(answered, 0);
}

TEST(socket_transport, a_refusal_is_read_though_the_server_reads_no_further) {
    asio::io_context context;
    const std::string text = response_text("413 Content Too Large", R"({"error":"request_too_large"})");
    loopback_server server(context, always(answer_early, text));
    connected_client client(context, server);
    for (std::size_t connections = 1; connections <= 2; ++connections) {
        const exchange_outcome outcome = client.exchange(post("/jobs", std::string(16 << 20, 'x')));
        ASSERT_FALSE(outcome.error) << *outcome.error;
        EXPECT_EQ(outcome.head->status, 413);
        EXPECT_EQ(client.sink.body, R"({"error":"request_too_large"})");
        EXPECT_GT(outcome.bytes_written, 0u);
        EXPECT_FALSE(outcome.request_written);
        EXPECT_EQ(server.peers.size(), connections) << "half a request is left on the connection";
    }
}

TEST(socket_transport, what_is_no_refusal_does_not_end_the_sending) {
    const std::string body(16 << 20, 'x');
    const std::string good = response_text("201 Created", "hello");
    for (const auto& [early, late] : {std::pair(std::string("HTTP/1.1 100 Continue\r\n\r\n"), good),
                                      std::pair(good.substr(0, 20), good.substr(20)), std::pair(good, std::string())}) {
        asio::io_context context;
        loopback_server server(context, [&early = early, &late = late](peer_ptr connected, std::size_t) {
            return answer_early_and_late(std::move(connected), early, late);
        });
        connected_client client(context, server);
        const exchange_outcome outcome = client.exchange(post("/jobs", body));
        ASSERT_TRUE(succeeded(outcome)) << early;
        EXPECT_EQ(outcome.head->status, 201);
        EXPECT_EQ(client.sink.body, "hello");
        while (server.peers.at(0)->seen.size() < outcome.bytes_written) {
            ASSERT_GT(context.run_one_for(20s), 0u) << "what was written arrives";
        }
        EXPECT_TRUE(server.peers.at(0)->seen.ends_with("\r\n\r\n" + body));
    }
}

asio::awaitable<void> speak_and_half_close(peer_ptr connected, std::string text) {
    (void)co_await connected->read_some(1000);
    co_await connected->write(std::move(text));
    connected->socket().shutdown(asio::ip::tcp::socket::shutdown_send);
}

TEST(socket_transport, a_server_that_can_no_longer_answer_ends_the_sending) {
    for (const auto& [text, kind] : {std::pair("", errc::network), std::pair("HTTP/1.1 413", errc::network),
                                     std::pair("SSH-2.0-OpenSSH_9.2\r\n", errc::protocol)}) {
        asio::io_context context;
        loopback_server server(context, always(speak_and_half_close, text));
        connected_client client(context, server);
        const exchange_outcome outcome = client.exchange(post("/jobs", std::string(16 << 20, 'x')));
        EXPECT_TRUE(failed_with(outcome, kind)) << text;
        EXPECT_GT(outcome.bytes_written, 0u);
        EXPECT_FALSE(outcome.request_written);
    }
}

TEST(socket_transport, a_large_body_arrives_whole_on_both_sides) {
    asio::io_context context;
    const std::string body(20 << 20, 'q');
    loopback_server server(context, always(answer_all, response_text("200 OK", body)));
    connected_client client(context, server);
    const exchange_outcome outcome = client.exchange(post("/x", body));
    ASSERT_TRUE(succeeded(outcome));
    EXPECT_EQ(outcome.bytes_written, server.peers.at(0)->seen.size());
    EXPECT_TRUE(server.peers.at(0)->seen.ends_with("\r\n\r\n" + body));
    EXPECT_EQ(client.sink.body, body);
}

asio::awaitable<void> do_nothing(peer_ptr, std::string) {
    co_return;
}

class stall {
public:
    asio::awaitable<void> (*script)(peer_ptr, std::string);
    std::string text;
    bool large_body;
    bool head;
};

// Whether the exchange got to where the server stalls before its time was up, which a busy machine may prevent.
bool times_out_there(const stall& c, std::chrono::milliseconds time) {
    asio::io_context context;
    loopback_server server(context, always(c.script, c.text));
    connected_client client(context, server);
    const auto request = post("/x", c.large_body ? std::string(16 << 20, 'x') : "{}");
    const exchange_outcome outcome = client.exchange(request, client.in(time));
    EXPECT_TRUE(failed_with(outcome, errc::timeout)) << c.text;
    return outcome.bytes_written > 0 && outcome.request_written == !c.large_body &&
           outcome.response_begun == !c.text.empty() && outcome.head.has_value() == c.head;
}

TEST(socket_transport, the_deadline_ends_an_exchange_wherever_it_stands) {
    for (const auto& c : {
             stall{do_nothing, "", true, false},
             stall{answer_and_stall, "", false, false},
             stall{answer_and_stall, "HTTP/1.1 200 OK\r\nConte", false, false},
             stall{answer_and_stall, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", false, true},
             stall{answer_and_stall, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", false, true},
             stall{answer_and_stall, "HTTP/1.1 200 OK\r\n\r\nhel", false, true},
         }) {
        bool there = false;
        for (auto time = 20ms; !there && time < 20s; time *= 4) {
            there = times_out_there(c, time);
        }
        EXPECT_TRUE(there) << c.text;
    }
}

TEST(socket_transport, a_deadline_that_has_passed_sends_nothing) {
    asio::io_context context;
    loopback_server server(context, always(answer_all, response_text("200 OK", "")));
    connected_client client(context, server);
    for (int i = 0; i < 2; ++i) {
        const exchange_outcome outcome = client.exchange(post("/jobs", "{}"), client.env->now());
        EXPECT_TRUE(failed_with(outcome, errc::timeout));
        EXPECT_EQ(outcome.bytes_written, 0u);
        ASSERT_TRUE(succeeded(client.exchange(get("/x")))) << "leaves a kept connection for the second round";
    }
}

TEST(socket_transport, a_server_that_does_not_connect_is_a_network_failure_and_nothing_was_sent) {
    asio::io_context context;
    asio::ip::tcp::acceptor gone(context, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    const std::string port = std::to_string(gone.local_endpoint().port());
    gone.close();
    const auto env = make_system_environment();
    for (const std::string& url : {"http://127.0.0.1:" + port, std::string("https://name.invalid")}) {
        const auto over =
            make_socket_transport(context.get_executor(), env, origin::parse(url).value(), socket_transport_options())
                .value();
        keeping_sink sink;
        const exchange_outcome outcome =
            testing_support::run(context, over->exchange(post("/jobs", "{}"), &sink, no_deadline));
        EXPECT_TRUE(failed_with(outcome, errc::network)) << url;
        EXPECT_EQ(outcome.bytes_written, 0u);
    }
}

// An address that answers no connection: its queue is full and nobody takes from it.
class silent_address {
public:
    explicit silent_address(asio::io_context& context)
        : acceptor_(context, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
        acceptor_.listen(0);
        for (int i = 0; i < 4; ++i) {
            asio::ip::tcp::socket& waiting = queue_.emplace_back(context, asio::ip::tcp::v4());
            waiting.async_connect(where(), [](const boost::system::error_code&) {});
        }
    }
    [[nodiscard]] asio::ip::tcp::endpoint where() const { return acceptor_.local_endpoint(); }

private:
    asio::ip::tcp::acceptor acceptor_;
    std::deque<asio::ip::tcp::socket> queue_;
};

asio::ip::tcp::endpoint address_of(const loopback_server& server) {
    return {asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(std::stoul(server.port()))};
}

TEST(socket_transport, an_address_that_does_not_answer_leaves_time_for_the_others) {
    asio::io_context context;
    const silent_address first(context);
    const silent_address second(context);
    loopback_server server(context, always(answer_all, response_text("200 OK", "hello")));
    socket_transport_options options;
    options.addresses = {first.where(), second.where(), address_of(server)};
    options.address_timeout = 30ms;
    connected_client client(context, server, options);
    EXPECT_TRUE(succeeded(client.exchange(get("/x"))));
    EXPECT_EQ(server.peers.size(), 1u);
}

TEST(socket_transport, the_last_address_has_the_rest_of_the_time) {
    asio::io_context context;
    loopback_server server(context, always(answer_all, response_text("200 OK", "hello")));
    const silent_address first(context);
    const silent_address second(context);
    socket_transport_options options;
    options.addresses = {first.where(), second.where()};
    options.address_timeout = 1ms;
    connected_client client(context, server, options);
    const monotonic_time deadline = client.in(100ms);
    const exchange_outcome outcome = client.exchange(get("/x"), deadline);
    EXPECT_TRUE(failed_with(outcome, errc::timeout));
    EXPECT_EQ(outcome.bytes_written, 0u);
    EXPECT_GE(client.env->now(), deadline);
}

TEST(socket_transport, begins_with_the_address_that_worked) {
    asio::io_context context;
    asio::ip::tcp::acceptor first(context, asio::ip::tcp::v4());
    first.bind(
        asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));  // Not listening: connections are refused.
    loopback_server server(context, always(answer_and_end, response_text("200 OK", "hello")));
    socket_transport_options options;
    options.addresses = {first.local_endpoint(), address_of(server)};
    connected_client client(context, server, options);
    ASSERT_TRUE(succeeded(client.exchange(get("/x"))));
    first.listen();
    first.non_blocking(true);
    ASSERT_TRUE(succeeded(client.exchange(get("/x"))));
    EXPECT_EQ(server.peers.size(), 2u);
    asio::ip::tcp::socket nobody(context);
    boost::system::error_code error;
    first.accept(nobody, error);
    EXPECT_EQ(error, asio::error::would_block);
}

TEST(socket_transport, a_cancellation_or_a_close_ends_the_search_for_an_address) {
    for (const bool closes : {false, true}) {
        asio::io_context context;
        const silent_address first(context);
        loopback_server server(context, always(answer_all, response_text("200 OK", "hello")));
        socket_transport_options options;
        options.addresses = {first.where(), address_of(server)};
        connected_client client(context, server, options);
        running<exchange_outcome> exchange(context, client.over->exchange(get("/x"), &client.sink, no_deadline));
        context.poll();
        if (closes) {
            client.over->close();
        } else {
            exchange.cancel();
        }
        EXPECT_TRUE(failed_with(exchange.wait(), errc::cancelled));
        EXPECT_TRUE(server.peers.empty());
    }
}

// Answers when released.
class turnstile {
public:
    std::vector<peer_ptr> waiting;
    static asio::awaitable<void> serve(std::shared_ptr<turnstile> self, peer_ptr connected) {
        for (;;) {
            const auto request = co_await connected->read_request();
            if (!request) {
                co_return;
            }
            self->waiting.push_back(connected);
        }
    }
};

TEST(socket_transport, never_opens_more_connections_than_allowed_and_serves_in_order) {
    asio::io_context context;
    const auto held = std::make_shared<turnstile>();
    loopback_server server(context,
                           [held](peer_ptr connected, std::size_t) { return turnstile::serve(held, connected); });
    socket_transport_options options;
    options.connections_max = 3;
    connected_client client(context, server, options);
    std::vector<std::unique_ptr<keeping_sink>> sinks;
    std::vector<std::unique_ptr<running<exchange_outcome>>> exchanges;
    for (int i = 0; i < 10; ++i) {
        sinks.push_back(std::make_unique<keeping_sink>());
        exchanges.push_back(std::make_unique<running<exchange_outcome>>(
            context, client.over->exchange(get("/" + std::to_string(i)), sinks.back().get(), no_deadline)));
    }
    for (std::size_t done = 0; done < 10; ++done) {
        while (held->waiting.size() < std::min<std::size_t>(3, 10 - done)) {
            ASSERT_GT(context.run_one_for(20s), 0u);
        }
        context.poll();
        EXPECT_EQ(held->waiting.size(), std::min<std::size_t>(3, 10 - done)) << "no fourth at once";
        const peer_ptr first = held->waiting.front();
        held->waiting.erase(held->waiting.begin());
        testing_support::run(context, first->write(response_text("200 OK", "x")));
    }
    for (auto& exchange : exchanges) {
        EXPECT_TRUE(succeeded(exchange->wait()));
    }
    EXPECT_EQ(server.peers.size(), 3u);
    std::string order;
    for (const peer_ptr& connected : server.peers) {
        EXPECT_TRUE(connected->seen.starts_with("GET /" + std::to_string(order.size()))) << "first come, first served";
        order += 'x';
    }
}

TEST(socket_transport, a_place_is_free_again_after_every_kind_of_end) {
    asio::io_context context;
    loopback_server server(context, always(answer_and_stall, ""));
    socket_transport_options options;
    options.connections_max = 1;
    connected_client client(context, server, options);
    keeping_sink other;
    for (int round = 0; round < 3; ++round) {
        running<exchange_outcome> first(context, client.over->exchange(get("/a"), &client.sink, no_deadline));
        while (server.peers.size() <= static_cast<std::size_t>(round)) {
            ASSERT_GT(context.run_one_for(20s), 0u);
        }
        const exchange_outcome second =
            testing_support::run(context, client.over->exchange(get("/b"), &other, client.in(10ms)));
        EXPECT_TRUE(failed_with(second, errc::timeout)) << "while it waited for a connection";
        EXPECT_EQ(second.bytes_written, 0u);
        running<exchange_outcome> third(context, client.over->exchange(get("/c"), &other, no_deadline));
        context.poll();
        third.cancel();
        EXPECT_TRUE(failed_with(third.wait(), errc::cancelled));
        if (round == 0) {
            first.cancel();
            EXPECT_TRUE(failed_with(first.wait(), errc::cancelled));
        } else if (round == 1) {
            server.peers.back()->reset();
            EXPECT_TRUE(failed_with(first.wait(), errc::network));
        } else {
            client.over->close();
            EXPECT_TRUE(failed_with(first.wait(), errc::cancelled));
        }
    }
    EXPECT_TRUE(failed_with(client.exchange(get("/late")), errc::cancelled)) << "closed";
    EXPECT_EQ(server.peers.size(), 3u);
}

}  // namespace
}  // namespace vembed::http
