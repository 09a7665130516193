#pragma once
/// What the tests of the socket transport share: requests, a sink that keeps everything, scripts of servers.

#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <vembed/core/secret.hpp>
#include <vembed/runtime/environment.hpp>
#include <vembed/transport/transport.hpp>

#include "http/socket/socket_transport.hpp"
#include "support/loopback.hpp"

namespace vembed::http {

using testing_support::loopback_server;
using testing_support::peer_ptr;
using testing_support::running;

/// Keeps a response. Refuses to begin where told to, and bodies over its limit.
class keeping_sink final : public response_sink {
public:
    std::size_t limit = std::size_t(-1);
    std::optional<error> refusal;
    std::optional<error> commit_refusal;
    int begun = 0;
    std::string body;

    result<void> begin(const response_head&) override {
        ++begun;
        body.clear();
        if (refusal) {
            return *refusal;
        }
        return {};
    }

    std::span<std::byte> prepare(std::size_t at_most) override {
        room_.resize(std::min(at_most, limit - body.size()));
        return room_;
    }

    result<void> commit(std::size_t size) override {
        body.append(reinterpret_cast<const char*>(room_.data()), size);
        if (commit_refusal) {
            return *commit_refusal;
        }
        return {};
    }

private:
    std::vector<std::byte> room_;
};

inline std::shared_ptr<transport_request> get(std::string target) {
    auto request = std::make_shared<transport_request>();
    request->target = std::move(target);
    return request;
}

inline std::shared_ptr<transport_request> post(std::string target, std::string body) {
    auto request = get(std::move(target));
    request->method = http_method::post;
    request->headers.emplace_back("Content-Type", "application/json");
    request->body = std::move(body);
    return request;
}

inline std::string response_text(std::string_view status, std::string_view body, std::string_view fields = "") {
    return "HTTP/1.1 " + std::string(status) + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
           std::string(fields) + "\r\n" + std::string(body);
}

/// Answers every request on a connection with the same text.
inline asio::awaitable<void> answer_all(peer_ptr connected, std::string text) {
    for (;;) {
        const auto request = co_await connected->read_request();
        if (!request) {
            co_return;
        }
        std::string copy = text;
        co_await connected->write(std::move(copy));
    }
}

/// Answers one request and ends the connection.
inline asio::awaitable<void> answer_and_end(peer_ptr connected, std::string text) {
    (void)co_await connected->read_request();
    co_await connected->write(std::move(text));
    connected->end();
}

/// Reads a request, answers it and is silent from then on.
inline asio::awaitable<void> answer_and_stall(peer_ptr connected, std::string text) {
    (void)co_await connected->read_request();
    co_await connected->write(std::move(text));
}

/// Answers when it has read the beginning of a request, and reads no more.
inline asio::awaitable<void> answer_early(peer_ptr connected, std::string text) {
    (void)co_await connected->read_some(1000);
    co_await connected->write(std::move(text));
}

/// Writes before it reads the rest of a request, and answers that.
inline asio::awaitable<void> answer_early_and_late(peer_ptr connected, std::string early, std::string late) {
    (void)co_await connected->read_some(1000);
    co_await connected->write(std::move(early));
    (void)co_await connected->read_request();
    co_await connected->write(std::move(late));
}

inline testing_support::script always(asio::awaitable<void> (*what)(peer_ptr, std::string), std::string text) {
    return [what, text](peer_ptr connected, std::size_t) { return what(std::move(connected), text); };
}

/// A transport to a loopback server, and exchanges over it.
class connected_client {
public:
    explicit connected_client(asio::io_context& context, const loopback_server& server,
                              socket_transport_options options = {}, const std::string& scheme = "http",
                              const std::string& host = "127.0.0.1")
        : context_(&context), env(make_system_environment()) {
        origin to = origin::parse(scheme + "://" + host + ":" + server.port()).value();
        over = make_socket_transport(context.get_executor(), env, std::move(to), std::move(options)).value();
    }

    [[nodiscard]] monotonic_time in(std::chrono::milliseconds delay) const { return deadline_after(env->now(), delay); }

    exchange_outcome exchange(std::shared_ptr<const transport_request> request, monotonic_time deadline = no_deadline) {
        return testing_support::run(*context_, over->exchange(std::move(request), &sink, deadline));
    }

private:
    asio::io_context* context_;

public:
    std::shared_ptr<environment> env;
    std::shared_ptr<transport> over;
    keeping_sink sink;
};

inline std::string kind_of(const exchange_outcome& outcome) {
    return outcome.error ? outcome.error->describe() : "ok";
}

inline ::testing::AssertionResult failed_with(const exchange_outcome& outcome, errc kind) {
    if (outcome.error && outcome.error->kind == kind) {
        return ::testing::AssertionSuccess();
    }
    return ::testing::AssertionFailure() << kind_of(outcome) << " where " << to_string(kind) << " was expected";
}

inline ::testing::AssertionResult succeeded(const exchange_outcome& outcome) {
    if (!outcome.error && outcome.head && outcome.request_written && outcome.response_begun) {
        return ::testing::AssertionSuccess();
    }
    return ::testing::AssertionFailure() << kind_of(outcome);
}

}  // namespace vembed::http
