// Bodies that go on, and what of a request the service is told.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <vector>

#include <gtest/gtest.h>

#include "front/running_front.hpp"

namespace vembed {
namespace {

using namespace std::chrono_literals;
using then = testing::body_piece::then;

class listed_body final : public testing::continuing_body {
public:
    listed_body(std::vector<std::string> pieces, std::chrono::milliseconds pause, then last,
                std::function<void()> dropped)
        : pieces_(std::move(pieces)), pause_(pause), last_(last), dropped_(std::move(dropped)) {}
    ~listed_body() override { dropped_(); }

    testing::body_piece next(monotonic_time now, wall_time) override {
        testing::body_piece piece;
        piece.bytes = pieces_.empty() ? "" : pieces_[at_++ % pieces_.size()];
        piece.after = last_ == then::more || at_ < pieces_.size() ? then::more : last_;
        piece.next_at = deadline_after(now, pause_);
        return piece;
    }

private:
    std::vector<std::string> pieces_;
    std::chrono::milliseconds pause_;
    then last_;
    std::function<void()> dropped_;
    std::size_t at_ = 0;
};

// Answers every request alike; tells of the request in headers of the response.
class scripted_service final : public testing::local_service {
public:
    testing::service_arrival arrive(std::uint64_t) override { return {}; }
    testing::service_response handle(std::uint64_t, const testing::service_request& request, monotonic_time,
                                     wall_time) override {
        testing::service_response response;
        response.headers.emplace_back("X-Method", request.method);
        response.headers.emplace_back("X-Count", std::to_string(request.headers.size()));
        response.headers.emplace_back("X-Range", std::string(request.find("range").value_or("none")));
        response.text = begun;
        response.length = length;
        response.cut_after = cut_after;
        response.rest = std::make_shared<listed_body>(pieces, pause, last, [this] {
            if (dropped++ == 0) {
                first_dropped.set_value();
            }
        });
        return response;
    }

    std::string begun;
    std::vector<std::string> pieces;
    std::chrono::milliseconds pause{0};
    then last = then::end;
    std::optional<std::uint64_t> length;
    std::optional<std::uint64_t> cut_after;
    std::atomic<int> dropped = 0;
    std::promise<void> first_dropped;
};

class continuing_body : public ::testing::Test {
protected:
    void start() {
        front_.emplace(loop_.get_executor(), make_system_environment(), service, service_front::front_options());
        ASSERT_TRUE(front_->start());
        thread_ = std::thread([this] { loop_.run(); });
    }
    void TearDown() override {
        front_->stop();
        thread_.join();
    }
    std::string ask(const std::string& request) {
        raw_connection peer(front_->port());
        peer.send(request);
        return peer.read_to_end();
    }

    std::shared_ptr<scripted_service> service = std::make_shared<scripted_service>();
    net::io_context loop_{1};
    std::optional<service_front::front> front_;
    std::thread thread_;
};

const std::string once = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

TEST_F(continuing_body, is_sent_in_chunks) {
    service->begun = "one ";
    service->pieces = {"two ", "", "three"};
    service->pause = 1ms;
    start();
    const std::string response = ask(once);
    EXPECT_NE(response.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
    EXPECT_EQ(response.find("Content-Length"), std::string::npos);
    EXPECT_EQ(body_of(response), "4\r\none \r\n4\r\ntwo \r\n5\r\nthree\r\n0\r\n\r\n");
    service->first_dropped.get_future().wait();
    EXPECT_EQ(service->dropped, 1);
}

TEST_F(continuing_body, the_connection_goes_on_after_the_last_chunk) {
    service->pieces = {"a"};
    start();
    raw_connection peer(front_->port());
    peer.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n" + once);
    const std::string both = peer.read_to_end();
    EXPECT_EQ(std::count(both.begin(), both.end(), '0') > 0, true);
    EXPECT_NE(both.find("0\r\n\r\nHTTP/1.1 200 OK"), std::string::npos);
}

TEST_F(continuing_body, a_length_may_be_told_instead) {
    service->begun = "ab";
    service->pieces = {"cd", "ef"};
    service->length = 6;
    start();
    const std::string response = ask(once);
    EXPECT_NE(response.find("Content-Length: 6\r\n"), std::string::npos);
    EXPECT_EQ(response.find("chunked"), std::string::npos);
    EXPECT_EQ(body_of(response), "abcdef");
}

TEST_F(continuing_body, http_10_has_no_chunks) {
    service->pieces = {"two ", "three"};
    start();
    const std::string response = ask("GET / HTTP/1.0\r\n\r\n");
    EXPECT_EQ(response.find("chunked"), std::string::npos);
    EXPECT_EQ(body_of(response), "two three");
}

TEST_F(continuing_body, head_has_none) {
    service->pieces = {"two"};
    start();
    EXPECT_EQ(body_of(ask("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")), "");
}

TEST_F(continuing_body, a_piece_may_be_the_last_before_a_cut) {
    service->pieces = {"one", "two"};
    service->last = then::cut;
    start();
    EXPECT_EQ(body_of(ask(once)), "3\r\none\r\n3\r\ntwo\r\n");
}

TEST_F(continuing_body, is_cut_at_any_byte) {
    service->begun = "one";
    service->pieces = {"two", "three"};
    start();
    const std::string whole = ask(once);
    for (std::uint64_t at = 0; at <= whole.size(); ++at) {
        net::post(loop_, [this, at] { service->cut_after = at; });
        EXPECT_EQ(ask(once), whole.substr(0, at)) << at;
    }
}

TEST_F(continuing_body, a_peer_that_leaves_is_noticed_while_nothing_is_sent) {
    service->last = then::more;
    service->pause = 1ms;
    start();
    {
        raw_connection peer(front_->port());
        peer.send(once);
    }
    service->first_dropped.get_future().wait();
    EXPECT_EQ(service->dropped, 1);
}

TEST_F(continuing_body, a_stop_ends_one_that_waits) {
    service->begun = "one";
    service->last = then::more;
    service->pause = 1h;
    start();
    raw_connection peer(front_->port());
    peer.send(once);
    front_->stop();
    EXPECT_EQ(peer.read_to_end().find("0\r\n\r\n"), std::string::npos);
}

TEST_F(continuing_body, the_service_is_told_every_method_and_header) {
    service->pieces = {"x"};
    start();
    raw_connection peer(front_->port());
    peer.send(
        "DELETE / HTTP/1.1\r\nHost: x\r\nRANGE: bytes=1-\r\nA: 1\r\nA: 2\r\n\r\nPUT / HTTP/1.1\r\nHost: x\r\n"
        "Connection: close\r\nContent-Length: 1\r\n\r\ny");
    const std::string both = peer.read_to_end();
    EXPECT_NE(both.find("X-Method: DELETE\r\nX-Count: 4\r\nX-Range: bytes=1-\r\n"), std::string::npos) << both;
    EXPECT_NE(both.find("X-Method: PUT\r\nX-Count: 3\r\nX-Range: none\r\n"), std::string::npos) << both;
}

}  // namespace
}  // namespace vembed
