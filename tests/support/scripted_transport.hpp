#pragma once
/// A transport with scripted conversations: expect this request, answer that after 30 ms, cut it here.

#include <algorithm>
#include <chrono>
#include <cstring>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <vembed/runtime/environment.hpp>
#include <vembed/transport/transport.hpp>

namespace vembed::testing_support {

/// One expected request and what happens to it. If neither a response nor an error is set, it is never answered.
class scripted_exchange {
public:
    scripted_exchange(http_method expected_method, std::string expected_target)
        : method(expected_method), target(std::move(expected_target)) {}

    scripted_exchange& with_body(std::string expected) {
        body = std::move(expected);
        return *this;
    }
    scripted_exchange& after(std::chrono::nanoseconds wait) {
        delay = wait;
        return *this;
    }
    scripted_exchange& respond(int status, std::string text, std::vector<header_field> fields = {}) {
        response_head answered;
        answered.status = status;
        answered.headers = std::move(fields);
        answered.content_length = text.size();
        head = std::move(answered);
        response_body = std::move(text);
        return *this;
    }
    /// The response has no Content-Length.
    scripted_exchange& chunked() {
        head->content_length.reset();
        return *this;
    }
    /// Ends with `f` after `written` bytes of the request had left (all of them: all_written).
    scripted_exchange& fail(error f, std::uint64_t written = all_written) {
        error = std::move(f);
        bytes_written = written;
        return *this;
    }
    scripted_exchange& fail(errc kind, std::uint64_t written = all_written) {
        return fail(vembed::error(kind, "scripted"), written);
    }
    /// The connection breaks after that many bytes of the response's body.
    scripted_exchange& breaking_off_after(std::size_t size) {
        break_off_after = size;
        return *this;
    }
    scripted_exchange& on_reused_connection() {
        reused = true;
        return *this;
    }

    static constexpr std::uint64_t all_written = std::uint64_t(-1);

    http_method method;
    std::string target;
    std::optional<std::string> body;
    std::chrono::nanoseconds delay{0};
    std::optional<response_head> head;
    std::string response_body;
    std::optional<vembed::error> error;
    std::uint64_t bytes_written = all_written;
    std::optional<std::size_t> break_off_after;
    bool reused = false;
};

/// A request as it was sent.
class seen_request {
public:
    monotonic_time at{};
    http_method method = http_method::get;
    std::string target;
    std::vector<header_field> headers;
    std::string body;
    bool authorized = false;
    monotonic_time deadline{};

    seen_request() = default;
};

/// Carries out a script in the order written. A request that is not expected, or that differs, fails the test and gets
/// a network error that says nothing was sent. Check finished() at the end.
class scripted_transport final : public transport {
public:
    explicit scripted_transport(std::shared_ptr<environment> env) : env_(std::move(env)) {}

    scripted_exchange& expect(http_method method, std::string target) {
        return *script_.emplace_back(std::make_shared<scripted_exchange>(method, std::move(target)));
    }
    scripted_exchange& expect_get(std::string target) { return expect(http_method::get, std::move(target)); }
    scripted_exchange& expect_post(std::string target) { return expect(http_method::post, std::move(target)); }

    /// Whether every expected request came.
    [[nodiscard]] bool finished() const noexcept { return script_.empty(); }

    std::vector<seen_request> seen;

    asio::awaitable<exchange_outcome> exchange(std::shared_ptr<const transport_request> request, response_sink* sink,
                                               monotonic_time deadline) override {
        exchange_outcome outcome;
        note(*request, deadline);
        const std::shared_ptr<scripted_exchange> planned = take(*request);
        if (!planned) {
            outcome.error = error(errc::network, "not in the script");
            co_return outcome;
        }
        const std::uint64_t size = request->target.size() + request->body.size() + 100;
        outcome.connection_reused = planned->reused;
        outcome.bytes_written = std::min(planned->bytes_written, size);
        outcome.request_written = outcome.bytes_written == size;
        const bool answers = planned->head || planned->error;
        const monotonic_time ends = answers ? deadline_after(env_->now(), planned->delay) : no_deadline;
        const monotonic_time until = std::min(ends, deadline);
        const wait_outcome waited = co_await sleep_until(env_, until);
        if (waited == wait_outcome::cancelled) {
            outcome.error = error(errc::cancelled, "cancelled during the exchange");
        } else if (ends > deadline) {
            outcome.error = error(errc::timeout, "the deadline passed during the exchange");
        } else if (planned->error) {
            outcome.error = planned->error;
        } else {
            outcome.error = deliver(*planned, *sink, outcome);
        }
        co_return outcome;
    }

    void close() noexcept override {}

private:
    void note(const transport_request& request, monotonic_time deadline) {
        seen_request noted;
        noted.at = env_->now();
        noted.method = request.method;
        noted.target = request.target;
        noted.headers = request.headers;
        noted.body = request.body;
        noted.authorized = request.key != nullptr;
        noted.deadline = deadline;
        seen.push_back(std::move(noted));
    }

    std::shared_ptr<scripted_exchange> take(const transport_request& request) {
        const std::string asked = std::string(to_string(request.method)) + " " + request.target;
        if (script_.empty()) {
            ADD_FAILURE() << "nobody expected " << asked;
            return nullptr;
        }
        std::shared_ptr<scripted_exchange> next = script_.front();
        const std::string expected = std::string(to_string(next->method)) + " " + next->target;
        if (asked != expected || (next->body && *next->body != request.body)) {
            ADD_FAILURE() << asked << ' ' << request.body << "\nwhere " << expected << ' ' << next->body.value_or("")
                          << " was expected";
            return nullptr;
        }
        script_.pop_front();
        return next;
    }

    static std::optional<error> deliver(const scripted_exchange& planned, response_sink& sink,
                                        exchange_outcome& outcome) {
        outcome.response_begun = true;
        outcome.head = planned.head;
        const result<void> begun = sink.begin(*planned.head);
        if (!begun) {
            return begun.error();
        }
        std::string_view left = planned.response_body;
        left = left.substr(0, planned.break_off_after.value_or(left.size()));
        while (!left.empty()) {
            const std::span<std::byte> room = sink.prepare(left.size());
            if (room.empty()) {
                return error(errc::response_too_large, "the response is larger than the limit declared for it");
            }
            std::memcpy(room.data(), left.data(), room.size());
            left.remove_prefix(room.size());
            const result<void> taken = sink.commit(room.size());
            if (!taken) {
                return taken.error();
            }
        }
        if (planned.break_off_after) {
            return error(errc::network, "the server closed the connection while its response was read");
        }
        return std::nullopt;
    }

    std::shared_ptr<environment> env_;
    std::deque<std::shared_ptr<scripted_exchange>> script_;
};

}  // namespace vembed::testing_support
