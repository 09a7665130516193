// A process that has few file descriptors: exchanges wait for one instead of failing.

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "http/exchange_support.hpp"
#include "http/socket/descriptor_room.hpp"

namespace vembed::http {
namespace {

using namespace std::chrono_literals;

/// Lowers the limit of open files until it goes out of scope.
class file_limit {
public:
    explicit file_limit(rlim_t files) {
        EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0);
        rlimit lowered = before_;
        lowered.rlim_cur = files;
        EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &lowered), 0);
    }
    file_limit(const file_limit&) = delete;
    file_limit& operator=(const file_limit&) = delete;
    ~file_limit() { EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before_), 0); }

private:
    rlimit before_{};
};

/// UndefinedBehaviorSanitizer opens a pipe to look at virtual tables, and takes it for a finding that it cannot.
constexpr bool sanitizer_needs_descriptors =
#if defined(__has_feature)
#if __has_feature(undefined_behavior_sanitizer)
    true;
#else
    false;
#endif
#else
    false;
#endif

/// Holds every descriptor that the process may still have.
class all_descriptors {
public:
    all_descriptors() {
        for (int held = ::open("/dev/null", O_RDONLY); held >= 0; held = ::open("/dev/null", O_RDONLY)) {
            held_.push_back(held);
        }
    }
    all_descriptors(const all_descriptors&) = delete;
    all_descriptors& operator=(const all_descriptors&) = delete;
    ~all_descriptors() {
        for (const int held : held_) {
            ::close(held);
        }
    }

private:
    std::vector<int> held_;
};

TEST(descriptors, exchanges_beyond_the_limit_of_open_files_wait) {
    asio::io_context context;
    loopback_server server(context, always(answer_all, response_text("200 OK", "x")));
    connected_client client(context, server);
    const file_limit few(32 + 3);  // The pool leaves 32 to others.
    std::vector<std::unique_ptr<keeping_sink>> sinks;
    std::vector<std::unique_ptr<running<exchange_outcome>>> exchanges;
    for (int i = 0; i < 40; ++i) {
        sinks.push_back(std::make_unique<keeping_sink>());
        exchanges.push_back(std::make_unique<running<exchange_outcome>>(
            context, client.over->exchange(get("/"), sinks.back().get(), no_deadline)));
    }
    for (auto& exchange : exchanges) {
        EXPECT_TRUE(succeeded(exchange->wait()));
    }
    EXPECT_LE(server.peers.size(), 3u);
}

TEST(descriptors, the_limit_of_open_files_says_how_many_exchanges_there_are_at_once) {
    asio::io_context context;
    loopback_server server(context, always(answer_all, response_text("200 OK", "x")));
    socket_transport_options options;
    options.connections_max = 150;
    connected_client client(context, server, options);
    for (const std::uint64_t files : {31, 32, 33, 100, 1000}) {
        const file_limit some(files);
        EXPECT_EQ(client.over->exchanges_at_once(), std::min<std::uint64_t>(connections_within(files), 150));
    }
}

TEST(descriptors, an_exchange_without_one_waits_for_a_connection_that_ends) {
    if (sanitizer_needs_descriptors) {
        GTEST_SKIP() << "this build needs descriptors of its own";
    }
    asio::io_context context;
    loopback_server server(context, always(answer_and_stall, ""));
    connected_client client(context, server);
    keeping_sink other;
    running<exchange_outcome> first(context, client.over->exchange(get("/a"), &client.sink, no_deadline));
    while (server.peers.empty() || server.peers.front()->seen.find("\r\n\r\n") == std::string::npos) {
        ASSERT_GT(context.run_one_for(20s), 0u);
    }
    const file_limit some(256);
    const all_descriptors none_left;
    running<exchange_outcome> second(context, client.over->exchange(get("/b"), &other, no_deadline));
    context.poll();
    testing_support::run(context, server.peers.front()->write(response_text("200 OK", "x")));
    EXPECT_TRUE(succeeded(first.wait()));
    while (server.peers.front()->seen.find("GET /b") == std::string::npos) {
        (void)testing_support::run(context, server.peers.front()->read_some(1000));
    }
    testing_support::run(context, server.peers.front()->write(response_text("200 OK", "y")));
    EXPECT_TRUE(succeeded(second.wait()));
    EXPECT_EQ(other.body, "y");
    EXPECT_EQ(server.peers.size(), 1u);
}

TEST(descriptors, an_exchange_that_has_none_to_wait_for_fails) {
    if (sanitizer_needs_descriptors) {
        GTEST_SKIP() << "this build needs descriptors of its own";
    }
    asio::io_context context;
    loopback_server server(context, always(answer_all, response_text("200 OK", "x")));
    connected_client client(context, server);
    const file_limit some(256);
    const all_descriptors none_left;
    const exchange_outcome outcome = client.exchange(get("/"));
    ASSERT_TRUE(failed_with(outcome, errc::network));
    EXPECT_NE(outcome.error->message.find("Too many open files"), std::string::npos) << outcome.error->message;
}

}  // namespace
}  // namespace vembed::http
