// The in-memory transport: bodies that go on, and what the service is told of a request.

#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <vembed/testing/simulation.hpp>

namespace vembed::testing {
namespace {

using namespace std::chrono_literals;

class text_sink final : public response_sink {
public:
    result<void> begin(const response_head& head) override {
        length = head.content_length;
        return {};
    }
    std::span<std::byte> prepare(std::size_t at_most) override {
        return std::span(buffer_).first(std::min<std::size_t>(at_most, 3));
    }
    result<void> commit(std::size_t size) override {
        text.append(reinterpret_cast<const char*>(buffer_), size);
        return {};
    }

    std::string text;
    std::optional<std::uint64_t> length;

private:
    std::byte buffer_[3];
};

class timed_body final : public continuing_body {
public:
    explicit timed_body(std::vector<body_piece> pieces) : pieces_(std::move(pieces)) {}
    body_piece next(monotonic_time now, wall_time) override {
        body_piece piece = pieces_.at(at_++);
        piece.next_at = deadline_after(now, piece.next_at.time_since_epoch());
        return piece;
    }

private:
    std::vector<body_piece> pieces_;
    std::size_t at_ = 0;
};

class scripted_service final : public local_service {
public:
    service_arrival arrive(std::uint64_t) override { return {}; }
    service_response handle(std::uint64_t, const service_request& request, monotonic_time, wall_time) override {
        asked = request;
        service_response response = answer;
        if (!pieces.empty()) {
            response.rest = std::make_shared<timed_body>(pieces);
        }
        return response;
    }

    service_request asked;
    service_response answer;
    std::vector<body_piece> pieces;
};

body_piece piece_of(std::string bytes, body_piece::then after, std::chrono::seconds pause = 0s) {
    body_piece piece;
    piece.bytes = std::move(bytes);
    piece.after = after;
    piece.next_at = monotonic_time(pause);
    return piece;
}

class memory_transport : public ::testing::Test {
protected:
    exchange_outcome exchange(monotonic_clock::duration patience = 1h) {
        network_options network;
        network.latency_min = network.latency_max = 0us;
        const std::shared_ptr<transport> to = make_memory_transport(env, service, network);
        auto request = std::make_shared<transport_request>();
        request->target = "/x";
        request->headers.emplace_back("Range", "bytes=5-");
        request->key = secret::from_key("cyb_abcdefgh").value();
        std::optional<exchange_outcome> outcome;
        boost::asio::co_spawn(context,
                              keep(to->exchange(request, &sink, deadline_after(env->now(), patience)), &outcome),
                              boost::asio::detached);
        env->run([&outcome] { return outcome.has_value(); });
        return outcome.value();
    }
    static boost::asio::awaitable<void> keep(boost::asio::awaitable<exchange_outcome> from,
                                             std::optional<exchange_outcome>* into) {
        into->emplace(co_await std::move(from));
    }

    boost::asio::io_context context{1};
    std::shared_ptr<simulated_environment> env = std::make_shared<simulated_environment>(context, 1);
    std::shared_ptr<scripted_service> service = std::make_shared<scripted_service>();
    text_sink sink;
};

TEST_F(memory_transport, the_pieces_of_a_body_come_at_their_times) {
    service->answer.text = "begin ";
    service->pieces = {piece_of("one ", body_piece::then::more, 10s), piece_of("", body_piece::then::more, 5s),
                       piece_of("two", body_piece::then::end)};
    const monotonic_time begun = env->now();
    const exchange_outcome outcome = exchange();
    EXPECT_FALSE(outcome.error);
    EXPECT_EQ(sink.text, "begin one two");
    EXPECT_FALSE(sink.length);
    EXPECT_EQ(std::chrono::floor<std::chrono::seconds>(env->now() - begun), 15s);
}

TEST_F(memory_transport, a_body_may_be_cut_after_a_piece) {
    service->pieces = {piece_of("one", body_piece::then::more), piece_of("two", body_piece::then::cut)};
    const exchange_outcome outcome = exchange();
    ASSERT_TRUE(outcome.error);
    EXPECT_EQ(outcome.error->kind, errc::network);
    EXPECT_TRUE(outcome.head);
    EXPECT_EQ(sink.text, "onetwo");
}

TEST_F(memory_transport, a_body_that_goes_on_is_cut_at_a_byte_of_the_response) {
    service->pieces = {piece_of("one", body_piece::then::more), piece_of("two", body_piece::then::end)};
    std::size_t cut_bodies = 0;
    for (std::uint64_t at = 0; at < 200; ++at) {
        service->answer.cut_after = at;
        sink.text.clear();
        const exchange_outcome outcome = exchange();
        EXPECT_EQ(sink.text, std::string("onetwo").substr(0, sink.text.size()));
        EXPECT_EQ(outcome.error.has_value(), sink.text.size() < 6) << at;
        cut_bodies += sink.text.size() > 0 && sink.text.size() < 6 ? 1 : 0;
    }
    EXPECT_EQ(cut_bodies, 5u);
}

TEST_F(memory_transport, a_body_is_held_against_the_length_that_was_told) {
    service->answer.length = 5;
    service->pieces = {piece_of("one", body_piece::then::end)};
    EXPECT_EQ(exchange().error.value().kind, errc::network);
    EXPECT_EQ(sink.length, 5u);
    service->answer.length = 3;
    EXPECT_FALSE(exchange().error);
}

TEST_F(memory_transport, a_body_that_goes_on_ends_at_the_deadline) {
    service->pieces = {piece_of("one", body_piece::then::more, 100s), piece_of("two", body_piece::then::end)};
    EXPECT_EQ(exchange(50s).error.value().kind, errc::timeout);
    EXPECT_EQ(sink.text, "one");
}

TEST_F(memory_transport, the_service_is_told_every_header) {
    EXPECT_FALSE(exchange().error);
    EXPECT_EQ(service->asked.find("range").value(), "bytes=5-");
    EXPECT_EQ(service->asked.find("AUTHORIZATION").value(), "Bearer cyb_abcdefgh");
    EXPECT_EQ(service->asked.authorization, "Bearer cyb_abcdefgh");
}

TEST_F(memory_transport, a_network_leads_each_origin_to_its_service) {
    const auto store = std::make_shared<scripted_service>();
    const auto network = make_memory_network(env, {{"http://api.test", service}, {"http://store.test", store}});
    auto request = std::make_shared<transport_request>();
    request->target = "/file";
    std::optional<exchange_outcome> outcome;
    const std::shared_ptr<transport> to = network("http://store.test");
    ASSERT_TRUE(to);
    boost::asio::co_spawn(context, keep(to->exchange(request, &sink, no_deadline), &outcome), boost::asio::detached);
    env->run();
    EXPECT_EQ(store->asked.target, "/file");
    EXPECT_EQ(service->asked.target, "");
    EXPECT_FALSE(network("http://elsewhere.test"));
}

}  // namespace
}  // namespace vembed::testing
