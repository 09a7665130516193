#include <filesystem>
#include <fstream>

#include <unistd.h>

#include <gtest/gtest.h>

#include "exchange_support.hpp"
#include "http/pipeline.hpp"
#include "http/socket/byte_stream.hpp"
#include "support/certificates.hpp"

namespace vembed::http {
namespace {

using namespace std::chrono_literals;
using testing_support::identity;

// An authority, known to clients by its file, and what its servers present.
class tls_world : public ::testing::Test {
protected:
    static void SetUpTestSuite() { std::ofstream(ca_file()) << authority().certificate_pem(); }

    static void TearDownTestSuite() { std::filesystem::remove(ca_file()); }

    static const identity& authority() {
        static const identity made = identity::authority("the test's authority");
        return made;
    }

    static std::string ca_file() {
        return (std::filesystem::temp_directory_path() / ("vembed-ca-" + std::to_string(::getpid()) + ".pem")).string();
    }

    static socket_transport_options options() {
        socket_transport_options made;
        made.ca_file = ca_file();
        return made;
    }

    static std::unique_ptr<asio::ssl::context> server_context(const std::string& name,
                                                              const identity& issuer = authority()) {
        const identity server = identity::server(name, issuer);
        auto context = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
        const std::string certificate = server.certificate_pem();
        const std::string key = server.key_pem();
        context->use_certificate_chain(asio::buffer(certificate));
        context->use_private_key(asio::buffer(key), asio::ssl::context::pem);
        return context;
    }

    // One exchange with a server that presents itself as `name`, asked for as `host`.
    exchange_outcome ask(asio::ssl::context& tls, const std::string& host, const std::string& text,
                         const socket_transport_options& chosen = options()) {
        asio::io_context context;
        loopback_server server(context, always(answer_and_end, text), &tls);
        connected_client client(context, server, chosen, "https", host);
        const auto request = post("/jobs", "{}");
        request->key = secret::from_key("cyb_the_key").value();
        const exchange_outcome outcome = client.exchange(request);
        body = client.sink.body;
        seen = server.peers.empty() ? "" : server.peers.at(0)->seen;
        return outcome;
    }

    std::string body;
    std::string seen;
};

TEST_F(tls_world, the_own_authority_is_accepted_for_names_and_addresses) {
    for (const auto& [name, host] : {std::pair("DNS:localhost", "localhost"), std::pair("IP:127.0.0.1", "127.0.0.1"),
                                     std::pair("DNS:other.example,DNS:localhost", "localhost")}) {
        const auto tls = server_context(name);
        const exchange_outcome outcome = ask(*tls, host, response_text("200 OK", "hello"));
        ASSERT_TRUE(succeeded(outcome)) << name;
        EXPECT_EQ(body, "hello");
        EXPECT_NE(seen.find("Authorization: Bearer cyb_the_key\r\n"), std::string::npos);
        EXPECT_EQ(outcome.bytes_written, seen.size());
    }
}

TEST_F(tls_world, a_wrong_host_name_is_refused_before_anything_is_sent) {
    for (const auto& [name, host] :
         {std::pair("DNS:api.example.com", "localhost"), std::pair("IP:127.0.0.2", "127.0.0.1"),
          std::pair("DNS:127.0.0.1", "127.0.0.1"), std::pair("DNS:*.localhost", "localhost")}) {
        const auto tls = server_context(name);
        const exchange_outcome outcome = ask(*tls, host, response_text("200 OK", "hello"));
        ASSERT_TRUE(failed_with(outcome, errc::network)) << name;
        EXPECT_TRUE(outcome.error->lasting);
        EXPECT_NE(outcome.error->message.find("check the base URL"), std::string::npos) << outcome.error->message;
        EXPECT_EQ(outcome.bytes_written, 0u);
        EXPECT_EQ(seen, "");
    }
}

TEST_F(tls_world, an_unknown_authority_is_refused_before_anything_is_sent) {
    const identity stranger = identity::authority("nobody knows it");
    const auto unknown = server_context("DNS:localhost", stranger);
    const auto known = server_context("DNS:localhost");
    for (const auto& [tls, chosen] :
         {std::pair(unknown.get(), options()), std::pair(known.get(), socket_transport_options())}) {
        const exchange_outcome outcome = ask(*tls, "localhost", response_text("200 OK", "hello"), chosen);
        ASSERT_TRUE(failed_with(outcome, errc::network));
        EXPECT_TRUE(outcome.error->lasting);
        EXPECT_NE(outcome.error->message.find("certificate"), std::string::npos) << outcome.error->message;
        EXPECT_NE(outcome.error->message.find("--ca-file"), std::string::npos) << outcome.error->message;
        EXPECT_EQ(outcome.bytes_written, 0u);
        EXPECT_EQ(seen, "");
    }
}

mapped_error map_nothing(const response&, const call&, wall_time) {
    return {error(errc::api, "refused"), policy::response_author::intermediary};
}

TEST_F(tls_world, a_refused_certificate_is_not_tried_again) {
    const identity stranger = identity::authority("nobody knows it");
    const auto tls = server_context("DNS:localhost", stranger);
    asio::io_context context;
    loopback_server server(context, always(answer_and_end, response_text("200 OK", "hello")), tls.get());
    connected_client client(context, server, options(), "https", "localhost");
    const auto gate = std::make_shared<admission::gate>(context.get_executor(), client.env, policy::quota_limits());
    pipeline through(client.env, client.over, gate, secret::from_key("cyb_k").value(), map_nothing, pipeline_options());
    call what;
    what.target = "/account";
    const result<response> got = testing_support::run(context, through.repeat(std::move(what)));
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind, errc::network);
    EXPECT_EQ(server.peers.size(), 1u);
}

TEST_F(tls_world, tls_1_1_is_refused_and_1_2_accepted) {
    for (const int version : {TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION}) {
        const auto tls = server_context("DNS:localhost");
        SSL_CTX_set_security_level(tls->native_handle(), 0);
        ASSERT_EQ(SSL_CTX_set_min_proto_version(tls->native_handle(), version), 1);
        ASSERT_EQ(SSL_CTX_set_max_proto_version(tls->native_handle(), version), 1);
        const exchange_outcome outcome = ask(*tls, "localhost", response_text("200 OK", "hello"));
        if (version == TLS1_1_VERSION) {
            ASSERT_TRUE(failed_with(outcome, errc::network));
            EXPECT_TRUE(outcome.error->lasting);
            EXPECT_EQ(seen, "");
        } else {
            EXPECT_TRUE(succeeded(outcome)) << version;
        }
    }
}

asio::awaitable<void> greet_and_cut(peer_ptr connected, std::string text) {
    (void)co_await connected->read_some();
    co_await connected->write(std::move(text));
    connected->cut();
}

TEST_F(tls_world, a_server_that_does_not_speak_tls_is_a_network_failure) {
    asio::io_context context;
    loopback_server server(context, always(greet_and_cut, "HTTP/1.1 400 Bad Request\r\n\r\n"));
    connected_client client(context, server, options(), "https", "localhost");
    const exchange_outcome outcome = client.exchange(get("/x"));
    ASSERT_TRUE(failed_with(outcome, errc::network));
    EXPECT_TRUE(outcome.error->lasting);
    EXPECT_NE(outcome.error->message.find("http://"), std::string::npos) << outcome.error->message;
}

TEST_F(tls_world, a_handshake_that_breaks_off_may_do_better_the_next_time) {
    const std::string alert("\x15\x03\x03\0\x02\x02\x50", 7);  // internal_error
    for (const std::string& text : {std::string(), alert}) {
        asio::io_context context;
        loopback_server server(context, always(greet_and_cut, text));
        connected_client client(context, server, options(), "https", "localhost");
        const exchange_outcome outcome = client.exchange(get("/x"));
        ASSERT_TRUE(failed_with(outcome, errc::network));
        EXPECT_FALSE(outcome.error->lasting) << outcome.error->message;
    }
}

TEST_F(tls_world, what_the_server_refuses_of_our_side_it_will_refuse_again) {
    // handshake_failure, bad_certificate, unknown_ca, certificate_required
    for (const char what : {'\x28', '\x2a', '\x30', '\x74'}) {
        std::string alert("\x15\x03\x03\0\x02\x02", 6);
        alert += what;
        asio::io_context context;
        loopback_server server(context, always(greet_and_cut, alert));
        connected_client client(context, server, options(), "https", "localhost");
        const exchange_outcome outcome = client.exchange(get("/x"));
        ASSERT_TRUE(failed_with(outcome, errc::network));
        EXPECT_TRUE(outcome.error->lasting) << outcome.error->message;
    }
}

TEST_F(tls_world, an_authority_that_cannot_be_loaded_is_refused_at_once) {
    const auto env = make_system_environment();
    asio::io_context context;
    for (const char* file : {"/nonexistent.pem", "/dev/null"}) {
        socket_transport_options chosen;
        chosen.ca_file = file;
        const auto made =
            make_socket_transport(context.get_executor(), env, origin::parse("https://localhost").value(), chosen);
        ASSERT_FALSE(made);
        EXPECT_EQ(made.error().kind, errc::invalid_argument);
        EXPECT_NE(made.error().message.find(file), std::string::npos);
    }
}

asio::awaitable<void> answer_and_cut(peer_ptr connected, std::string text) {
    (void)co_await connected->read_request();
    co_await connected->write(std::move(text));
    connected->cut();
}

TEST_F(tls_world, a_body_that_ends_with_the_connection_needs_the_servers_word_that_it_ended) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        const auto tls = server_context("DNS:localhost");
        SSL_CTX_set_max_proto_version(tls->native_handle(), version);
        for (const bool polite : {true, false}) {
            for (const std::size_t limit : {std::size_t(-1), std::size_t(5)}) {
                asio::io_context context;
                loopback_server server(context,
                                       always(polite ? answer_and_end : answer_and_cut, "HTTP/1.1 200 OK\r\n\r\nhello"),
                                       tls.get());
                connected_client client(context, server, options(), "https", "localhost");
                client.sink.limit = limit;
                const exchange_outcome outcome = client.exchange(get("/x"));
                if (polite) {
                    ASSERT_TRUE(succeeded(outcome)) << version;
                    EXPECT_EQ(client.sink.body, "hello");
                } else {
                    EXPECT_TRUE(failed_with(outcome, errc::network)) << "anyone on the way could have cut it";
                }
            }
        }
    }
}

TEST_F(tls_world, connections_are_kept_and_their_death_is_noticed_before_a_post_goes_out) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        for (const int how : {0, 1, 2}) {
            SCOPED_TRACE(std::to_string(version) + " " + std::to_string(how));
            const auto tls = server_context("DNS:localhost");
            SSL_CTX_set_max_proto_version(tls->native_handle(), version);
            asio::io_context context;
            loopback_server server(context, always(answer_all, response_text("200 OK", "hello")), tls.get());
            connected_client client(context, server, options(), "https", "localhost");
            for (int i = 0; i < 3; ++i) {
                const exchange_outcome outcome = client.exchange(get("/x"));
                ASSERT_TRUE(succeeded(outcome));
                EXPECT_EQ(outcome.connection_reused, i > 0);
            }
            context.poll();
            const peer_ptr kept = server.peers.at(0);
            if (how == 0) {
                kept->end();
            } else if (how == 1) {
                kept->cut();
            } else {
                kept->reset();
            }
            const exchange_outcome outcome = client.exchange(post("/jobs", "{}"));
            ASSERT_TRUE(succeeded(outcome));
            EXPECT_FALSE(outcome.connection_reused);
            EXPECT_EQ(kept->seen.find("POST"), std::string::npos);
        }
    }
}

// A close_notify without the end of the stream behind it: the server half-closes and waits for the client's own.
TEST_F(tls_world, a_close_notify_alone_is_noticed_too) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        const auto tls = server_context("DNS:localhost");
        SSL_CTX_set_max_proto_version(tls->native_handle(), version);
        asio::io_context context;
        loopback_server server(context, always(answer_all, response_text("200 OK", "hello")), tls.get());
        connected_client client(context, server, options(), "https", "localhost");
        ASSERT_TRUE(succeeded(client.exchange(get("/x"))));
        context.poll();
        server.peers.at(0)->notify_close();
        context.poll();
        const exchange_outcome outcome = client.exchange(post("/jobs", "{}"));
        ASSERT_TRUE(succeeded(outcome)) << version;
        EXPECT_FALSE(outcome.connection_reused);
    }
}

TEST_F(tls_world, session_tickets_that_come_late_do_not_cost_the_connection) {
    const auto tls = server_context("DNS:localhost");
    asio::io_context context;
    loopback_server server(context, always(answer_all, response_text("200 OK", "hello")), tls.get());
    connected_client client(context, server, options(), "https", "localhost");
    ASSERT_TRUE(succeeded(client.exchange(get("/x"))));
    ASSERT_TRUE(server.peers.at(0)->send_ticket());
    testing_support::run(context, server.peers.at(0)->write(""));
    const exchange_outcome outcome = client.exchange(get("/x"));
    ASSERT_TRUE(succeeded(outcome));
    EXPECT_TRUE(outcome.connection_reused);
    EXPECT_EQ(server.peers.size(), 1u);
}

TEST_F(tls_world, large_bodies_pass_both_ways) {
    const auto tls = server_context("DNS:localhost");
    asio::io_context context;
    const std::string large(5 << 20, 'q');
    loopback_server server(context, always(answer_all, response_text("200 OK", large)), tls.get());
    connected_client client(context, server, options(), "https", "localhost");
    const exchange_outcome outcome = client.exchange(post("/x", large));
    ASSERT_TRUE(succeeded(outcome));
    EXPECT_EQ(client.sink.body, large);
    EXPECT_EQ(outcome.bytes_written, server.peers.at(0)->seen.size());
}

TEST_F(tls_world, a_refusal_is_read_though_the_server_reads_no_further) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        const auto tls = server_context("DNS:localhost");
        SSL_CTX_set_max_proto_version(tls->native_handle(), version);
        asio::io_context context;
        loopback_server server(context, always(answer_early, response_text("401 Unauthorized", "no")), tls.get());
        connected_client client(context, server, options(), "https", "localhost");
        for (std::size_t connections = 1; connections <= 2; ++connections) {
            const exchange_outcome outcome = client.exchange(post("/jobs", std::string(16 << 20, 'x')));
            ASSERT_FALSE(outcome.error) << *outcome.error;
            EXPECT_EQ(outcome.head->status, 401);
            EXPECT_EQ(client.sink.body, "no");
            EXPECT_GT(outcome.bytes_written, 0u);
            EXPECT_FALSE(outcome.request_written);
            EXPECT_EQ(server.peers.size(), connections) << "half a request is left on the connection";
        }
    }
}

// An interim response, half a head, and a session ticket before either.
TEST_F(tls_world, what_is_no_refusal_does_not_end_the_sending) {
    const std::string large(16 << 20, 'x');
    const std::string good = response_text("201 Created", "hello");
    for (const auto& [early, late] : {std::pair(std::string("HTTP/1.1 100 Continue\r\n\r\n"), good),
                                      std::pair(good.substr(0, 20), good.substr(20)), std::pair(good, std::string())}) {
        const auto tls = server_context("DNS:localhost");
        asio::io_context context;
        loopback_server server(
            context,
            [&early = early, &late = late](peer_ptr connected, std::size_t) {
                connected->send_ticket();
                return answer_early_and_late(std::move(connected), early, late);
            },
            tls.get());
        connected_client client(context, server, options(), "https", "localhost");
        const exchange_outcome outcome = client.exchange(post("/jobs", large));
        ASSERT_TRUE(succeeded(outcome)) << early;
        EXPECT_EQ(outcome.head->status, 201);
        EXPECT_EQ(client.sink.body, "hello");
        while (server.peers.at(0)->seen.size() < outcome.bytes_written) {
            ASSERT_GT(context.run_one_for(20s), 0u) << "what was written arrives";
        }
        EXPECT_EQ(server.peers.at(0)->seen.size(), outcome.bytes_written);
    }
}

asio::awaitable<void> do_nothing(peer_ptr, std::string) {
    co_return;
}

TEST_F(tls_world, the_deadline_reaches_the_handshake) {
    asio::io_context context;
    loopback_server server(context, always(do_nothing, ""));
    connected_client client(context, server, options(), "https", "localhost");
    const exchange_outcome outcome = client.exchange(post("/jobs", "{}"), client.in(30ms));
    EXPECT_TRUE(failed_with(outcome, errc::timeout));
    EXPECT_EQ(outcome.bytes_written, 0u);
}

TEST_F(tls_world, the_limit_for_connecting_is_not_the_callers_deadline) {
    asio::io_context context;
    loopback_server server(context, always(do_nothing, ""));
    socket_transport_options chosen = options();
    chosen.connect_timeout = 0s;
    connected_client client(context, server, chosen, "https", "localhost");
    EXPECT_TRUE(failed_with(client.exchange(get("/x")), errc::network)) << "another try may do better";
    EXPECT_TRUE(failed_with(client.exchange(get("/x"), client.env->now()), errc::timeout));
}

TEST_F(tls_world, closing_reaches_the_handshake) {
    asio::io_context context;
    loopback_server server(context, always(do_nothing, ""));
    connected_client client(context, server, options(), "https", "localhost");
    running<exchange_outcome> exchange(context, client.over->exchange(post("/jobs", "{}"), &client.sink, no_deadline));
    while (server.peers.empty()) {
        ASSERT_GT(context.run_one_for(20s), 0u);
    }
    context.poll();
    client.over->close();
    EXPECT_TRUE(failed_with(exchange.wait(), errc::cancelled));
}

// A write that the operating system took only part of, and that then ends badly, has sent something.
TEST_F(tls_world, a_request_cut_off_while_written_does_not_pass_for_unsent) {
    const auto tls = server_context("DNS:localhost");
    asio::io_context context;
    loopback_server server(context, always(do_nothing, ""), tls.get());
    connected_client client(context, server, options(), "https", "localhost");
    const auto request = post("/jobs", std::string(16 << 20, 'x'));
    running<exchange_outcome> exchange(context, client.over->exchange(request, &client.sink, no_deadline));
    while (server.peers.empty() || server.peers.at(0)->socket().available() < 100'000) {
        ASSERT_GT(context.run_one_for(20s), 0u);
    }
    exchange.cancel();
    const exchange_outcome outcome = exchange.wait();
    EXPECT_TRUE(failed_with(outcome, errc::cancelled));
    EXPECT_GT(outcome.bytes_written, 0u);
    EXPECT_FALSE(outcome.request_written);
}

asio::awaitable<io_result> write_all_in_one(std::shared_ptr<byte_stream> on, std::string text) {
    std::string host = "localhost";
    const std::optional<error> failed = co_await on->shake_hands(std::move(host));
    if (failed) {
        co_return io_result(asio::error::access_denied, 0);
    }
    const gather pieces{asio::buffer(text)};
    co_return co_await on->write_some(pieces, heed::peer);
}

asio::awaitable<bool> accept_and_shake_hands(std::shared_ptr<asio::ip::tcp::acceptor> on, asio::ssl::context* tls,
                                             std::shared_ptr<std::optional<testing_support::peer>> into) {
    asio::ip::tcp::socket socket = co_await on->async_accept(asio::use_awaitable);
    into->emplace(std::move(socket), tls);
    co_return co_await (*into)->shake_hands();
}

// The first record alone is more than the buffers on the way hold: part of it is out, and OpenSSL says nothing of it.
TEST_F(tls_world, half_a_record_counts_as_written) {
    const auto tls = server_context("DNS:localhost");
    asio::io_context context;
    const auto acceptor = std::make_shared<asio::ip::tcp::acceptor>(context, asio::ip::tcp::v4());
    acceptor->set_option(asio::socket_base::receive_buffer_size(1));
    acceptor->bind(asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    acceptor->listen();
    const auto server = std::make_shared<std::optional<testing_support::peer>>();
    running<bool> accepting(context, accept_and_shake_hands(acceptor, tls.get(), server));
    asio::ip::tcp::socket socket(context, asio::ip::tcp::v4());
    socket.set_option(asio::socket_base::send_buffer_size(1));
    socket.connect(acceptor->local_endpoint());
    const std::shared_ptr<byte_stream> stream = make_tls_stream(std::move(socket), make_tls_context(ca_file()).value());
    running<io_result> writing(context, write_all_in_one(stream, std::string(16'000, 'x')));
    ASSERT_TRUE(accepting.wait());
    while (context.poll() > 0) {
    }
    ASSERT_FALSE(writing.ended()) << "the buffers took it all: nothing is shown";
    writing.cancel();
    const io_result written = writing.wait();
    EXPECT_EQ(written.error, asio::error::operation_aborted);
    EXPECT_GT(written.size, 0u);
}

}  // namespace
}  // namespace vembed::http
