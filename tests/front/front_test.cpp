// The front over real sockets: well-formed requests, order, cuts, and its end.

#include <gtest/gtest.h>

#include "front/running_front.hpp"

namespace vembed {
namespace {

using namespace std::chrono_literals;

constexpr const char* bench_body = R"({"model":"bench-1024","inputs":["a","b"]})";

TEST(front, serves_many_requests_on_one_connection) {
    running_front running;
    raw_connection peer(running.front.port());
    for (int i = 0; i < 100; ++i) {
        peer.send(get("/health"));
        const std::string response = peer.read_response();
        ASSERT_EQ(status_of(response), 200);
        ASSERT_TRUE(body_of(response).starts_with("{\"ok\":true"));
    }
    EXPECT_EQ(running.counters().requests, 100u);
}

TEST(front, names_its_address) {
    running_front running;
    EXPECT_NE(running.front.port(), 0);
    EXPECT_EQ(running.front.base_url(), "http://127.0.0.1:" + std::to_string(running.front.port()));
}

TEST(front, answers_pipelined_requests_in_order) {
    running_front running;
    const std::string key = running.service->api_key();
    raw_connection peer(running.front.port());
    std::string requests;
    for (int i = 0; i < 500; ++i) {
        requests += get(i % 2 == 0 ? "/health" : "/nothing", key);
        requests += post("/jobs", key, bench_body);
    }
    peer.send(requests);
    for (int i = 0; i < 500; ++i) {
        ASSERT_EQ(status_of(peer.read_response()), i % 2 == 0 ? 200 : 404);
        ASSERT_EQ(status_of(peer.read_response()), 201);
    }
    EXPECT_EQ(running.counters().jobs_created, 500u);
}

TEST(front, takes_a_request_byte_by_byte) {
    running_front running;
    raw_connection peer(running.front.port());
    const std::string request = post("/jobs", running.service->api_key(), bench_body);
    for (const char c : request) {
        peer.send(std::string_view(&c, 1));
    }
    EXPECT_EQ(status_of(peer.read_response()), 201);
}

TEST(front, takes_a_chunked_body) {
    running_front running;
    raw_connection peer(running.front.port());
    const std::string body = bench_body;
    peer.send("POST /jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + running.service->api_key() +
              "\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n" + body.substr(0, 5) + "\r\n" + "24;ext=1\r\n" +
              body.substr(5, 36) + "\r\n0\r\nAuthorization: Bearer trailer\r\n\r\n");
    EXPECT_EQ(body.size(), 41u);
    EXPECT_EQ(status_of(peer.read_response()), 201);
    peer.send(get("/health"));
    EXPECT_EQ(status_of(peer.read_response()), 200);
}

TEST(front, serves_an_output_byte_for_byte) {
    running_front running;
    const std::string key = running.service->api_key();
    raw_connection peer(running.front.port());
    std::string body = R"({"model":"bench-1024","inputs":["a")";
    for (int i = 1; i < 1000; ++i) {
        body += ",\"a\"";
    }
    peer.send(post("/jobs", key, body + "]}"));
    const std::string path = "/jobs/" + job_id_of(peer.read_response()) + "/output";
    peer.send(get(path, key));
    const std::string response = peer.read_response();
    ASSERT_EQ(body_of(response).size(), 1000u * 4096);
    EXPECT_NE(response.find("X-Cyberian-Shape: 1000,1024\r\n"), std::string::npos);

    testing::service twin{testing::service_options()};
    testing::service_request request;
    request.authorization = "Bearer " + twin.api_key();
    request.method = "POST";
    request.target = "/jobs";
    const std::string whole = body + "]}";
    request.body = whole;
    twin.handle(twin.arrive(0).ordinal, request, monotonic_time{}, wall_time{});
    request.method = "GET";
    request.target = path;
    request.body = {};
    const auto direct = twin.handle(twin.arrive(0).ordinal, request, monotonic_time{}, wall_time{});
    const auto expected = direct.body();
    ASSERT_EQ(expected.size(), body_of(response).size());
    EXPECT_EQ(std::memcmp(expected.data(), body_of(response).data(), expected.size()), 0);
}

TEST(front, says_continue_to_who_waits_for_it) {
    running_front running;
    raw_connection peer(running.front.port());
    const std::string body = bench_body;
    peer.send("POST /jobs HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nAuthorization: Bearer " +
              running.service->api_key() + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n");
    EXPECT_EQ(peer.read_response(), "HTTP/1.1 100 Continue\r\n\r\n");
    peer.send(body);
    EXPECT_EQ(status_of(peer.read_response()), 201);
}

TEST(front, closes_after_a_last_request) {
    running_front running;
    for (const char* request :
         {"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "GET /health HTTP/1.0\r\n\r\n"}) {
        raw_connection peer(running.front.port());
        peer.send(request);
        const std::string response = peer.read_to_end();
        EXPECT_EQ(status_of(response), 200) << request;
        EXPECT_NE(response.find("Connection: close\r\n"), std::string::npos);
        EXPECT_EQ(peer.error, 0);
    }
}

TEST(front, answers_head_without_a_body) {
    running_front running;
    raw_connection peer(running.front.port());
    peer.send("HEAD /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer " +
              running.service->api_key() + "\r\n\r\n");
    const std::string response = peer.read_to_end();
    EXPECT_EQ(status_of(response), 405);
    EXPECT_TRUE(response.ends_with("\r\n\r\n"));
}

TEST(front, answers_who_has_half_closed) {
    running_front running;
    raw_connection peer(running.front.port());
    peer.send(get("/health"));
    peer.half_close();
    EXPECT_EQ(status_of(peer.read_to_end()), 200);
}

TEST(front, holds_a_long_poll_until_the_job_settles) {
    testing::service_options options;
    options.settle_delay_ms = 50;
    running_front running(options);
    const std::string key = running.service->api_key();
    raw_connection peer(running.front.port());
    peer.send(post("/jobs", key, bench_body));
    peer.send(get("/jobs/" + job_id_of(peer.read_response()) + "/wait?max_wait=20", key));
    EXPECT_NE(peer.read_response().find("\"SETTLED\""), std::string::npos);
}

TEST(front, cuts_where_the_plan_says) {
    testing::service_options options;
    options.faults.drop = 1;
    running_front running(options);
    int empty = 0;
    int part = 0;
    for (int i = 0; i < 60; ++i) {
        raw_connection peer(running.front.port());
        peer.try_send(get("/health"));
        const std::string response = peer.read_to_end();
        empty += response.empty() ? 1 : 0;
        part += response.empty() ? 0 : 1;
    }
    EXPECT_GT(empty, 5);
    EXPECT_GT(part, 5);
    EXPECT_EQ(running.counters().requests, 60u);
}

TEST(front, truncates_an_output_in_its_body) {
    testing::service_options options;
    options.faults.truncate = 1;
    running_front running(options);
    const std::string key = running.service->api_key();
    raw_connection peer(running.front.port());
    peer.send(post("/jobs", key, bench_body));
    peer.send(get("/jobs/" + job_id_of(peer.read_response()) + "/output", key));
    const std::string response = peer.read_to_end();
    EXPECT_EQ(raw_connection::content_length(response), 2u * 4096);
    EXPECT_LT(body_of(response).size(), 2u * 4096);
}

TEST(front, stops_with_idle_waiting_and_reading_connections) {
    testing::service_options options;
    options.settle_delay_ms = 60'000;
    running_front running(options);
    const std::string key = running.service->api_key();
    raw_connection idle(running.front.port());
    idle.send(get("/health"));
    idle.read_response();
    raw_connection reading(running.front.port());
    reading.send("GET /hea");
    raw_connection waiting(running.front.port());
    waiting.send(post("/jobs", key, bench_body));
    waiting.send(get("/jobs/" + job_id_of(waiting.read_response()) + "/wait", key));
    idle.send(get("/health"));
    idle.read_response();
    running.front.stop();
    running.front.stop();
    running.join();
    EXPECT_EQ(idle.read_to_end(), "");
    EXPECT_EQ(reading.read_to_end(), "");
    EXPECT_EQ(waiting.read_to_end(), "");
    EXPECT_THROW(raw_connection(running.front.port()), boost::system::system_error);
}

TEST(front, stops_while_connections_come_in) {
    service_front::front_options options;
    options.idle_timeout = 1h;  // A connection that the stop missed would hold the loop longer than the test may take.
    for (int i = 0; i < 50; ++i) {
        running_front running({}, options);
        std::vector<std::unique_ptr<raw_connection>> peers;
        for (int k = 0; k < 8; ++k) {
            peers.push_back(std::make_unique<raw_connection>(running.front.port()));
        }
        running.front.stop();
        running.join();
    }
}

TEST(front, can_be_destroyed_with_its_loop_while_connections_are_open) {
    testing::service_options service_options;
    service_options.settle_delay_ms = 60'000;
    auto service = std::make_shared<testing::service>(service_options);
    const std::string key = service->api_key();
    auto loop = std::make_unique<net::io_context>(1);
    auto front = std::make_unique<service_front::front>(loop->get_executor(), make_system_environment(), service,
                                                        service_front::front_options());
    ASSERT_TRUE(front->start());
    raw_connection reading(front->port());
    reading.send("GET /health");
    raw_connection waiting(front->port());
    waiting.send(post("/jobs", key, bench_body));
    while (service->counters().jobs_created == 0) {
        loop->run_one();
    }
    waiting.send(get("/jobs/" + job_id_of(waiting.read_response()) + "/wait", key));
    while (service->counters().requests < 3) {
        loop->run_one();
    }
    front.reset();
    loop.reset();
    EXPECT_EQ(reading.read_to_end(), "");
    EXPECT_EQ(waiting.read_to_end(), "");
}

TEST(front, refuses_what_it_cannot_bind) {
    net::io_context loop;
    auto service = std::make_shared<testing::service>(testing::service_options());
    service_front::front_options options;
    options.address = "localhost";
    service_front::front by_name(loop.get_executor(), make_system_environment(), service, options);
    EXPECT_EQ(by_name.start().error().kind, errc::invalid_argument);
    running_front running;
    options.address = "127.0.0.1";
    options.port = running.front.port();
    service_front::front taken(loop.get_executor(), make_system_environment(), service, options);
    const result<void> started = taken.start();
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().kind, errc::io);
    EXPECT_NE(started.error().message.find(std::to_string(options.port)), std::string::npos);
}

}  // namespace
}  // namespace vembed
