// The front against peers that are broken, greedy or slow.

#include <poll.h>

#include <gtest/gtest.h>

#include "front/running_front.hpp"

namespace vembed {
namespace {

using namespace std::chrono_literals;

service_front::front_options quick() {
    service_front::front_options options;
    options.handshake_timeout = 60ms;
    options.header_timeout = 60ms;
    options.body_timeout = 60ms;
    options.write_timeout = 60ms;
    options.idle_timeout = 60ms;
    options.linger_timeout = 60ms;
    return options;
}

TEST(front_limits, malformed_requests_get_400_and_the_end) {
    const char* const cases[] = {
        "\r\n\r\n\r\n",
        "rubbish\r\n\r\n",
        "GET /health\r\n\r\n",
        "GET /health HTTP/9.9\r\nHost: x\r\n\r\n",
        "GET /health HTTP/1.1\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: x\r\n: empty\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: x\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "POST /jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST /jobs HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
        "POST /jobs HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "POST /jobs HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "\x16\x03\x01\x02\x05\x01\x01\xfc\x03\x03 a TLS hello\r\n\r\n",
    };
    running_front running;
    for (const char* const request : cases) {
        raw_connection peer(running.front.port());
        peer.send(request);
        peer.half_close();
        const std::string response = peer.read_to_end();
        EXPECT_EQ(status_of(response), 400) << request;
        EXPECT_NE(response.find("Connection: close"), std::string::npos) << request;
        EXPECT_NE(response.find("\"error\":\"invalid_request\""), std::string::npos) << request;
        EXPECT_EQ(peer.error, 0) << request;
    }
    EXPECT_EQ(running.counters().jobs_created, 0u);
}

TEST(front_limits, a_header_flood_gets_431) {
    running_front running;
    std::string many = "GET /health HTTP/1.1\r\nHost: x\r\n";
    for (int i = 0; i < 200; ++i) {
        many += "X: y\r\n";
    }
    const std::string cases[] = {
        many + "\r\n",
        "GET /health HTTP/1.1\r\nHost: x\r\nX: " + std::string(20'000, 'y') + "\r\n\r\n",
        "GET /" + std::string(20'000, 'y') + " HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: x\r\nX: " + std::string(1'000'000, 'y'),
        std::string(1'000'000, 'G'),
    };
    for (const std::string& request : cases) {
        raw_connection peer(running.front.port());
        peer.try_send(request);
        EXPECT_EQ(status_of(peer.read_to_end()), 431) << request.substr(0, 40);
    }
}

TEST(front_limits, an_endless_chunk_extension_is_refused) {
    running_front running;
    raw_connection peer(running.front.port());
    peer.try_send("POST /jobs HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;" + std::string(200'000, 'x'));
    const int status = status_of(peer.read_to_end());
    EXPECT_TRUE(status == 400 || status == 431) << status;
}

TEST(front_limits, an_oversized_body_gets_413_before_it_is_read) {
    service_front::front_options options;
    options.body_bytes_max = 1000;
    running_front running({}, options);
    const std::string head = "POST /jobs HTTP/1.1\r\nHost: x\r\n";
    for (const std::string& request :
         {head + "Content-Length: 1001\r\n\r\n", head + "Content-Length: 18446744073709551615\r\n\r\n",
          head + "Transfer-Encoding: chunked\r\n\r\n400\r\n" + std::string(1024, 'x')}) {
        raw_connection peer(running.front.port());
        peer.send(request);
        const std::string response = peer.read_response();
        EXPECT_EQ(status_of(response), 413) << request.substr(0, 80);
        EXPECT_NE(response.find("request_too_large"), std::string::npos);
    }
}

TEST(front_limits, who_sends_on_after_a_refusal_still_gets_it) {
    service_front::front_options options;
    options.body_bytes_max = 1000;
    running_front running({}, options);
    raw_connection peer(running.front.port());
    peer.try_send("POST /jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n" + std::string(4'000'000, 'x'));
    peer.half_close();
    EXPECT_EQ(status_of(peer.read_to_end()), 413);
    EXPECT_EQ(peer.error, 0);
}

TEST(front_limits, bodies_of_all_connections_together_are_bounded) {
    service_front::front_options options;
    options.bodies_bytes_max = 100'000;
    running_front running({}, options);
    const std::string head = "POST /jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n";
    raw_connection first(running.front.port());
    first.send(head + std::string(80'000, 'x'));
    raw_connection second(running.front.port());
    second.send(head + std::string(80'000, 'x'));
    // The one whose bytes crossed the bound is refused; the other is answered once it is whole.
    std::array<pollfd, 2> waiting{pollfd{first.handle(), POLLIN, 0}, pollfd{second.handle(), POLLIN, 0}};
    ASSERT_EQ(poll(waiting.data(), waiting.size(), 10'000), 1);
    const bool first_refused = waiting[0].revents != 0;
    raw_connection& refused = first_refused ? first : second;
    raw_connection& taken = first_refused ? second : first;
    EXPECT_EQ(status_of(refused.read_response()), 503);
    taken.send(std::string(10'000, 'x'));
    EXPECT_EQ(status_of(taken.read_response()), 401);
    raw_connection third(running.front.port());
    third.send(head + std::string(90'000, 'x'));
    EXPECT_EQ(status_of(third.read_response()), 401) << "the room comes back";
}

TEST(front_limits, slow_and_silent_peers_are_closed) {
    running_front running({}, quick());
    const std::string key = running.service->api_key();
    const std::string cases[] = {
        "",
        "G",
        "GET /health HTTP/1.1\r\nHost: x\r\n",
        "POST /jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n",
        "POST /jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
    };
    for (const std::string& request : cases) {
        raw_connection peer(running.front.port());
        peer.send(request);
        EXPECT_EQ(peer.read_to_end(), "") << request;
        EXPECT_NE(peer.error, EAGAIN) << "not closed within ten seconds: " << request;
    }
    raw_connection idle(running.front.port());
    idle.send(get("/health"));
    EXPECT_EQ(status_of(idle.read_response()), 200);
    EXPECT_EQ(idle.read_to_end(), "");
    EXPECT_NE(idle.error, EAGAIN);
}

// A peer that drips bytes for as long as the front lets it.
bool is_cut_while_dripping(running_front& running, const std::string& begin) {
    raw_connection peer(running.front.port());
    peer.send(begin);
    for (int i = 0; i < 1'000'000; ++i) {
        try {
            peer.send("x");
        } catch (const boost::system::system_error&) {
            return true;
        }
        std::this_thread::yield();
    }
    return false;
}

TEST(front_limits, dripping_bytes_do_not_hold_a_connection) {
    running_front running({}, quick());
    EXPECT_TRUE(is_cut_while_dripping(running, "GET /health HTTP/1.1\r\nHost: x\r\nX: "));
}

TEST(front_limits, a_peer_that_does_not_read_is_closed) {
    running_front running({}, quick());
    const std::string key = running.service->api_key();
    raw_connection peer(running.front.port());
    std::string body = R"({"model":"bench-1024","inputs":["a")";
    for (int i = 1; i < 1000; ++i) {
        body += ",\"a\"";
    }
    peer.send(post("/jobs", key, body + "]}"));
    const std::string path = "/jobs/" + job_id_of(peer.read_response()) + "/output";
    for (int i = 0; i < 20; ++i) {
        peer.try_send(get(path, key));
    }
    // By the time that five silent connections were closed, one after the other, so was the one that does not read.
    for (int i = 0; i < 5; ++i) {
        raw_connection silent(running.front.port());
        silent.read_to_end();
    }
    const std::string received = peer.read_to_end();
    EXPECT_LT(received.size(), 20u * 1000 * 4096);
    EXPECT_NE(peer.error, EAGAIN);
}

TEST(front_limits, more_connections_wait_until_one_ends) {
    service_front::front_options options;
    options.connections_max = 2;
    running_front running({}, options);
    auto first = std::make_unique<raw_connection>(running.front.port());
    raw_connection second(running.front.port());
    raw_connection third(running.front.port());
    for (raw_connection* peer : {first.get(), &second}) {
        peer->send(get("/health"));
        EXPECT_EQ(status_of(peer->read_response()), 200);
    }
    third.send(get("/health"));
    second.send(get("/health"));
    EXPECT_EQ(status_of(second.read_response()), 200);
    EXPECT_EQ(running.counters().requests, 3u);
    first.reset();
    EXPECT_EQ(status_of(third.read_response()), 200);
}

TEST(front_limits, survives_random_bytes) {
    running_front running;
    std::uint64_t state = 1;
    for (int i = 0; i < 300; ++i) {
        std::string rubbish;
        state = state * 6364136223846793005u + 1442695040888963407u;
        const std::size_t size = 1 + (state >> 33) % 2000;
        while (rubbish.size() < size) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            rubbish += static_cast<char>(state >> 56);
        }
        raw_connection peer(running.front.port());
        peer.try_send(i % 3 == 0 ? "POST /jobs HTTP/1.1\r\nHost: x\r\n" + rubbish : rubbish);
        peer.half_close();
        peer.read_to_end();
    }
    raw_connection peer(running.front.port());
    peer.send(get("/health"));
    EXPECT_EQ(status_of(peer.read_response()), 200);
}

}  // namespace
}  // namespace vembed
