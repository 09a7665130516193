// Exchanges that end before they should: cancelled, closed, abandoned or cut off at every point there is.

#include <filesystem>
#include <fstream>

#include <unistd.h>

#include <gtest/gtest.h>

#include "exchange_support.hpp"
#include "http/pipeline.hpp"
#include "support/certificates.hpp"

namespace vembed::http {
namespace {

using namespace std::chrono_literals;
using testing_support::identity;

const std::string chunked_response =
    "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";

enum class transport_kind { plain, tls };
enum class ending { cancel, close };

// One server and one client; `steps` handlers run before the exchange is ended.
class interruption : public ::testing::TestWithParam<std::tuple<transport_kind, ending>> {
protected:
    void SetUp() override {
        if (std::get<0>(GetParam()) == transport_kind::tls) {
            const identity authority = identity::authority("the test's authority");
            const identity server = identity::server("IP:127.0.0.1", authority);
            ca_file = (std::filesystem::temp_directory_path() / ("vembed-ca2-" + std::to_string(::getpid()))).string();
            std::ofstream(ca_file) << authority.certificate_pem();
            const std::string certificate = server.certificate_pem();
            const std::string key = server.key_pem();
            tls.emplace(asio::ssl::context::tls_server);
            tls->use_certificate_chain(asio::buffer(certificate));
            tls->use_private_key(asio::buffer(key), asio::ssl::context::pem);
        }
    }

    void TearDown() override {
        if (!ca_file.empty()) {
            std::filesystem::remove(ca_file);
        }
    }

    [[nodiscard]] asio::ssl::context* server_tls() { return tls ? &*tls : nullptr; }
    [[nodiscard]] std::string scheme() const { return tls ? "https" : "http"; }

    [[nodiscard]] socket_transport_options options() const {
        socket_transport_options made;
        made.ca_file = ca_file;
        return made;
    }

    std::string ca_file;
    std::optional<asio::ssl::context> tls;
};

void expect_truth(const exchange_outcome& outcome, const loopback_server& server, std::string_view mark) {
    std::size_t seen = 0;
    for (const peer_ptr& connected : server.peers) {
        seen += connected->seen.find(mark) == std::string::npos ? 0 : 1;
    }
    EXPECT_LE(seen, 1u) << "sent twice";
    if (outcome.bytes_written == 0) {
        EXPECT_EQ(seen, 0u) << "it says that nothing was sent";
    }
}

// Ends a POST after every number of handlers until one is too late, on a new and on a kept connection.
TEST_P(interruption, ends_an_exchange_at_every_suspension_point) {
    const std::string large(3 << 20, 'x');
    for (const bool kept : {false, true}) {
        for (const std::string& body : {std::string("{}"), large}) {
            bool finished = false;
            for (int steps = 0; !finished; ++steps) {
                SCOPED_TRACE(std::to_string(steps) + (kept ? " kept" : " new"));
                ASSERT_LT(steps, 100'000);
                asio::io_context context;
                loopback_server server(context, always(answer_all, chunked_response), server_tls());
                connected_client client(context, server, options(), scheme());
                if (kept) {
                    ASSERT_TRUE(succeeded(client.exchange(get("/first"))));
                }
                running<exchange_outcome> exchange(
                    context, client.over->exchange(post("/the-post", body), &client.sink, no_deadline));
                for (int i = 0; i < steps && !exchange.ended(); ++i) {
                    ASSERT_GT(context.run_one_for(20s), 0u);
                }
                finished = exchange.ended();
                if (std::get<1>(GetParam()) == ending::cancel) {
                    exchange.cancel();
                } else {
                    client.over->close();
                }
                const exchange_outcome outcome = exchange.wait();
                EXPECT_TRUE(succeeded(outcome) || failed_with(outcome, errc::cancelled)) << kind_of(outcome);
                context.poll();
                expect_truth(outcome, server, "/the-post");
                if (std::get<1>(GetParam()) == ending::cancel) {
                    EXPECT_TRUE(succeeded(client.exchange(get("/after")))) << "the transport goes on";
                } else {
                    EXPECT_TRUE(failed_with(client.exchange(get("/after")), errc::cancelled));
                }
                if (HasFatalFailure() || HasNonfatalFailure()) {
                    return;
                }
                steps += body.size() > 100 ? steps / 4 : 0;
            }
        }
    }
}

// The event loop goes away with an exchange under way; nothing may be touched afterwards (see it under sanitizers).
TEST_P(interruption, abandons_an_exchange_at_every_suspension_point) {
    bool finished = false;
    for (int steps = 0; !finished; ++steps) {
        auto context = std::make_unique<asio::io_context>();
        auto server = std::make_unique<loopback_server>(*context, always(answer_all, chunked_response), server_tls());
        auto client = std::make_unique<connected_client>(*context, *server, options(), scheme());
        auto exchange = std::make_unique<running<exchange_outcome>>(
            *context, client->over->exchange(post("/x", "{}"), &client->sink, no_deadline));
        for (int i = 0; i < steps && !exchange->ended(); ++i) {
            ASSERT_GT(context->run_one_for(20s), 0u);
        }
        finished = exchange->ended();
        client->over.reset();
        if (steps % 2 == 0) {
            context->poll();
        }
        server.reset();
        context.reset();
    }
}

INSTANTIATE_TEST_SUITE_P(both, interruption,
                         ::testing::Combine(::testing::Values(transport_kind::plain, transport_kind::tls),
                                            ::testing::Values(ending::cancel, ending::close)),
                         [](const auto& from) {
                             return std::string(std::get<0>(from.param) == transport_kind::tls ? "tls" : "plain") +
                                    (std::get<1>(from.param) == ending::cancel ? "_cancel" : "_close");
                         });

// The api's errors, as far as these tests need them.
mapped_error map_any(const response& from, const call&, wall_time) {
    error f(errc::api, "refused");
    f.http_status = from.head.status;
    constexpr std::string_view before = R"({"error":")";
    if (from.body.starts_with(before)) {
        f.code = from.body.substr(before.size(), from.body.find('"', before.size()) - before.size());
    }
    const bool documented = !f.code.empty() && f.code != "internal_error";
    return {std::move(f), documented                            ? policy::response_author::service
                          : policy::begins_like_json(from.body) ? policy::response_author::uncertain
                                                                : policy::response_author::intermediary};
}

// A pipeline over sockets to a server that follows a script.
class posting {
public:
    explicit posting(testing_support::script what)
        : server(context, std::move(what)),
          client(context, server),
          gate(std::make_shared<admission::gate>(context.get_executor(), client.env, policy::quota_limits())),
          through(client.env, client.over, gate, secret::from_key("cyb_k").value(), map_any, pipeline_options()) {}

    post_result send(monotonic_time deadline = no_deadline, std::string body = R"({"model":"m","inputs":["a text"]})") {
        call what;
        what.method = http_method::post;
        what.target = "/jobs";
        what.body = std::move(body);
        what.deadline = deadline;
        return testing_support::run(context, through.send_once(std::move(what)));
    }

    result<response> get() {
        call what;
        what.target = "/first";
        return testing_support::run(context, through.repeat(std::move(what)));
    }

    // Every byte that any connection of the server read, and how many connections read any.
    [[nodiscard]] std::pair<std::size_t, int> seen() const {
        std::pair<std::size_t, int> sums;
        for (const peer_ptr& connected : server.peers) {
            sums.first += connected->seen.size();
            sums.second += connected->seen.empty() ? 0 : 1;
        }
        return sums;
    }

    asio::io_context context;
    loopback_server server;
    connected_client client;
    std::shared_ptr<admission::gate> gate;
    pipeline through;
};

enum class cut_kind { end, reset };

asio::awaitable<void> cut_while_reading(peer_ptr connected, std::size_t after, cut_kind how) {
    while (connected->seen.size() < after) {
        const std::size_t left = after - connected->seen.size();
        const std::size_t got = co_await connected->read_some(left);
        if (got == 0) {
            break;
        }
    }
    how == cut_kind::end ? connected->cut() : connected->reset();
}

asio::awaitable<void> cut_while_answering(peer_ptr connected, std::string text) {
    std::optional<std::string> request = co_await connected->read_request();
    while (request && request->starts_with("GET")) {
        std::string answer = response_text("200 OK", "");
        co_await connected->write(std::move(answer));
        request = co_await connected->read_request();
    }
    co_await connected->write(std::move(text));
    connected->cut();
}

const std::string created = response_text("201 Created", R"({"id":"j1","status":"EXECUTING","chunk_count":1})");

std::size_t request_size() {
    posting probe([](peer_ptr connected, std::size_t) { return answer_all(std::move(connected), created); });
    EXPECT_EQ(probe.send().outcome, policy::post_outcome::accepted);
    return probe.seen().first;
}

TEST(cut_at_every_byte, of_the_request) {
    const std::size_t size = request_size();
    ASSERT_GT(size, 100u);
    for (const cut_kind how : {cut_kind::end, cut_kind::reset}) {
        for (std::size_t after = 0; after <= size; ++after) {
            posting attempt([after, how](peer_ptr connected, std::size_t) {
                return cut_while_reading(std::move(connected), after, how);
            });
            const post_result sent = attempt.send();
            const auto [bytes, connections] = attempt.seen();
            EXPECT_LE(connections, 1) << "a POST is never sent twice";
            EXPECT_NE(sent.outcome, policy::post_outcome::accepted);
            EXPECT_NE(sent.outcome, policy::post_outcome::rejected);
            EXPECT_TRUE(sent.error);
            if (sent.outcome == policy::post_outcome::not_sent) {
                EXPECT_EQ(bytes, 0u) << after;
                EXPECT_EQ(sent.error->kind, errc::network);
            } else {
                EXPECT_EQ(sent.error->kind, errc::outcome_unknown);
            }
            if (after > 0) {
                EXPECT_EQ(sent.outcome, policy::post_outcome::unknown) << after;
            }
        }
    }
}

TEST(cut_at_every_byte, of_the_response) {
    for (const std::string& whole :
         {created, "HTTP/1.1 100 Continue\r\n\r\n" + created,
          std::string("HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{\"a\"\r\n3\r\n:1}\r\n0\r\n\r\n"),
          response_text("429 Too Many Requests", R"({"error":"rate_limited"})"),
          response_text("503 Service Unavailable", R"({"error":"service_busy"})"),
          response_text("502 Bad Gateway", "<html>proxy</html>"), response_text("500 Internal Server Error", "")}) {
        for (const bool kept : {false, true}) {
            for (std::size_t after = 0; after <= whole.size(); ++after) {
                const std::string part = whole.substr(0, after);
                SCOPED_TRACE(part);
                posting attempt([part](peer_ptr connected, std::size_t) {
                    return cut_while_answering(std::move(connected), part);
                });
                if (kept) {
                    ASSERT_TRUE(attempt.get());
                }
                const post_result sent = attempt.send();
                EXPECT_EQ(attempt.seen().second, 1) << "a POST is never sent twice";
                const bool complete = after == whole.size();
                const int status = std::stoi(whole.substr(whole.rfind("HTTP/1.1 ") + 9, 3));
                policy::post_outcome wanted = policy::post_outcome::unknown;
                if (complete && status < 300) {
                    wanted = policy::post_outcome::accepted;
                } else if (complete && (status < 500 || whole.find("\"error\"") != std::string::npos)) {
                    wanted = policy::post_outcome::rejected;
                }
                EXPECT_EQ(sent.outcome, wanted);
                EXPECT_EQ(sent.error.has_value(), wanted != policy::post_outcome::accepted);
                if (wanted == policy::post_outcome::unknown) {
                    EXPECT_EQ(sent.error->kind, errc::outcome_unknown);
                }
            }
        }
    }
}

// Large bodies do not fit into the buffers on the way: the server refuses while the client still writes.
TEST(refused_early, is_known_to_have_had_no_effect) {
    for (const auto& [status, code] :
         {std::pair("401 Unauthorized", "unauthorized"), std::pair("413 Content Too Large", "request_too_large"),
          std::pair("429 Too Many Requests", "rate_limited")}) {
        const std::string text = response_text(status, R"({"error":")" + std::string(code) + R"("})");
        posting attempt([text](peer_ptr connected, std::size_t) { return answer_early(std::move(connected), text); });
        const post_result sent = attempt.send(no_deadline, std::string(16 << 20, ' '));
        EXPECT_EQ(sent.outcome, policy::post_outcome::rejected) << status;
        EXPECT_EQ(attempt.seen().second, 1) << "a POST is never sent twice";
    }
}

}  // namespace
}  // namespace vembed::http
