#include <algorithm>
#include <cstring>
#include <limits>
#include <span>

#include <boost/asio/this_coro.hpp>
#include <vembed/testing/simulation.hpp>

namespace vembed::testing {
namespace {

// Bytes of a head besides the text of its fields: the status or request line and what the transports add.
constexpr std::uint64_t head_overhead = 64;

std::uint64_t head_size(const std::vector<header_field>& fields, std::uint64_t line) {
    std::uint64_t size = head_overhead + line;
    for (const header_field& field : fields) {
        size += field.name.size() + field.value.size() + 4;
    }
    return size;
}

error lost(std::string_view when) {
    return {errc::network, "the connection was cut " + std::string(when)};
}

error interrupted(wait_outcome outcome) {
    if (outcome == wait_outcome::cancelled) {
        return {errc::cancelled, "cancelled during the exchange"};
    }
    return {errc::timeout, "the deadline passed during the exchange"};
}

class memory_transport final : public transport {
public:
    memory_transport(std::shared_ptr<environment> env, std::shared_ptr<local_service> to, network_options network)
        : env_(std::move(env)), service_(std::move(to)), network_(network) {}

    asio::awaitable<exchange_outcome> exchange(std::shared_ptr<const transport_request> request, response_sink* sink,
                                               monotonic_time deadline) override;
    void close() noexcept override { closed_ = true; }

private:
    monotonic_clock::duration travel_time(std::uint64_t bytes);
    asio::awaitable<std::optional<error>> pause(monotonic_time until, monotonic_time deadline);
    asio::awaitable<std::optional<error>> ask(std::uint64_t ordinal, const service_request* request,
                                              service_response* response, monotonic_time deadline);
    monotonic_clock::duration transfer_time(std::uint64_t bytes) const;
    asio::awaitable<std::optional<error>> deliver_rest(service_response* response, response_sink* sink,
                                                       monotonic_time deadline);

    std::shared_ptr<environment> env_;
    std::shared_ptr<local_service> service_;
    network_options network_;
    bool closed_ = false;
    bool connected_before_ = false;
};

monotonic_clock::duration memory_transport::travel_time(std::uint64_t bytes) {
    const auto spread =
        static_cast<std::uint64_t>(std::max<std::int64_t>((network_.latency_max - network_.latency_min).count(), 0)) +
        1;
    const std::chrono::microseconds latency = network_.latency_min + std::chrono::microseconds(env_->random() % spread);
    return latency + transfer_time(bytes);
}

monotonic_clock::duration memory_transport::transfer_time(std::uint64_t bytes) const {
    return std::chrono::nanoseconds(bytes * 1'000'000'000 / std::max<std::uint64_t>(network_.bytes_per_second, 1));
}

asio::awaitable<std::optional<error>> memory_transport::pause(monotonic_time until, monotonic_time deadline) {
    const monotonic_time nearer = std::min(until, deadline);
    const wait_outcome outcome = co_await sleep_until(env_, nearer);
    if (outcome == wait_outcome::cancelled || until > deadline) {
        co_return interrupted(outcome);
    }
    if (closed_) {
        co_return interrupted(wait_outcome::cancelled);
    }
    co_return std::nullopt;
}

asio::awaitable<std::optional<error>> memory_transport::ask(std::uint64_t ordinal, const service_request* request,
                                                            service_response* response, monotonic_time deadline) {
    for (;;) {
        *response = service_->handle(ordinal, *request, env_->now(), env_->wall_now());
        if (!response->hold_until) {
            co_return std::nullopt;
        }
        const monotonic_time until = *response->hold_until;
        std::optional<error> failed = co_await pause(until, deadline);
        if (failed) {
            co_return failed;
        }
    }
}

// Hands bytes to the sink, and says why it takes no more.
std::optional<error> hand_over(std::span<const std::byte> bytes, response_sink& sink) {
    while (!bytes.empty()) {
        const std::span<std::byte> room = sink.prepare(bytes.size());
        if (room.empty()) {
            return error(errc::response_too_large, "the response is larger than the limit declared for it");
        }
        const std::size_t size = std::min(room.size(), bytes.size());
        std::memcpy(room.data(), bytes.data(), size);
        bytes = bytes.subspan(size);
        const result<void> taken = sink.commit(size);
        if (!taken) {
            return taken.error();
        }
    }
    return std::nullopt;
}

// Delivers the head and what there is of the body, at most as far as the cut.
std::optional<error> deliver(const service_response& response, response_sink& sink, exchange_outcome& outcome) {
    const std::span<const std::byte> body = response.body();
    const std::uint64_t before_body = head_size(response.headers, 0);
    const std::uint64_t whole = before_body + body.size();
    const std::uint64_t sent = std::min(response.cut_after.value_or(whole), whole);
    outcome.response_begun = sent > 0;
    if (sent < before_body) {
        return lost("before the response's head was complete");
    }
    response_head head;
    head.status = response.status;
    head.headers = response.headers;
    head.content_length = response.rest ? response.length : std::optional<std::uint64_t>(body.size());
    outcome.head = head;
    const result<void> begun = sink.begin(head);
    if (!begun) {
        return begun.error();
    }
    std::optional<error> refused = hand_over(body.first(static_cast<std::size_t>(sent - before_body)), sink);
    if (!refused && sent < whole) {
        return lost("before the response's body was complete");
    }
    return refused;
}

// Delivers the pieces of a body that goes on, each at its time.
asio::awaitable<std::optional<error>> memory_transport::deliver_rest(service_response* response, response_sink* sink,
                                                                     monotonic_time deadline) {
    constexpr std::uint64_t without_end = std::numeric_limits<std::uint64_t>::max();
    const std::uint64_t before = head_size(response->headers, 0) + response->body().size();
    std::uint64_t room = response->cut_after ? *response->cut_after - before : without_end;
    std::uint64_t missing = response->length ? *response->length - response->body().size() : without_end;
    for (;;) {
        if (room == 0) {
            co_return lost("before the response's body was complete");
        }
        const body_piece piece = response->rest->next(env_->now(), env_->wall_now());
        const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>({piece.bytes.size(), room, missing}));
        std::optional<error> refused = hand_over(std::as_bytes(std::span(piece.bytes)).first(size), *sink);
        room -= size;
        missing -= response->length ? size : 0;
        const bool short_of_length = response->length && missing > 0;
        if (!refused && (size < piece.bytes.size() || piece.after == body_piece::then::cut ||
                         (piece.after == body_piece::then::end && short_of_length))) {
            refused = lost("before the response's body was complete");
        }
        if (refused || piece.after == body_piece::then::end) {
            co_return refused;
        }
        const monotonic_time next = std::max(piece.next_at, deadline_after(env_->now(), transfer_time(size)));
        if (next > env_->now()) {
            std::optional<error> failed = co_await pause(next, deadline);
            if (failed) {
                co_return failed;
            }
        }
    }
}

// The local service gets bodies whole.
asio::awaitable<result<std::string>> whole_body(std::shared_ptr<const transport_request> request) {
    if (!request->long_body) {
        co_return request->body;
    }
    std::string body(static_cast<std::size_t>(request->long_body->size()), '\0');
    for (std::size_t done = 0; done < body.size();) {
        const std::span<std::byte> room = std::as_writable_bytes(std::span(body)).subspan(done);
        const result<std::size_t> read = co_await request->long_body->read(done, room);
        if (!read) {
            co_return read.error();
        }
        done += *read;
        if (*read == 0) {
            co_return error(errc::io, "the body ended early while it was sent");
        }
    }
    co_return body;
}

service_request as_it_arrives(const transport_request& request, std::string_view body) {
    service_request asked;
    asked.method = std::string(to_string(request.method));
    asked.target = request.target;
    asked.headers = request.headers;
    if (request.key) {
        const key_header in = request.key_in ? *request.key_in : key_header();
        std::string value = in.scheme + (in.scheme.empty() ? "" : " ") + std::string(request.key->reveal());
        asked.headers.emplace_back(in.name, std::move(value));
    }
    if (request.method == http_method::post || request.method == http_method::put) {
        asked.headers.emplace_back("Content-Length", std::to_string(body.size()));
    }
    asked.authorization = asked.find("Authorization").value_or("");
    asked.content_type = asked.find("Content-Type").value_or("");
    asked.body = body;
    return asked;
}

asio::awaitable<exchange_outcome> memory_transport::exchange(std::shared_ptr<const transport_request> request,
                                                             response_sink* sink, monotonic_time deadline) {
    exchange_outcome outcome;
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    if (closed_ || state.cancelled() != asio::cancellation_type::none) {
        outcome.error = error(errc::cancelled, closed_ ? "the client was closed" : "cancelled before it was sent");
        co_return outcome;
    }
    if (env_->now() >= deadline) {
        outcome.error = interrupted(wait_outcome::expired);
        co_return outcome;
    }
    outcome.connection_reused = std::exchange(connected_before_, true);
    const std::uint64_t size = head_size(request->headers, request->target.size()) + request->body_size();
    const service_arrival arrival = service_->arrive(size);
    const monotonic_time arrived = deadline_after(env_->now(), travel_time(size));
    outcome.error = co_await pause(arrived, deadline);
    if (arrival.cut_request_after && *arrival.cut_request_after < size) {
        // The bytes that the service read are a lower bound of the bytes that left the client.
        const std::uint64_t read = *arrival.cut_request_after;
        const bool all_left = read > 0 && (env_->random() & 1) != 0;
        outcome.bytes_written = all_left ? size : read;
        outcome.request_written = all_left;
        if (!outcome.error) {
            outcome.error = lost("while the request was sent");
        }
        co_return outcome;
    }
    outcome.bytes_written = size;
    outcome.request_written = true;
    if (outcome.error) {
        co_return outcome;
    }
    const result<std::string> body = co_await whole_body(request);
    if (!body) {
        outcome.error = body.error();
        co_return outcome;
    }
    const service_request asked = as_it_arrives(*request, *body);
    service_response response;
    outcome.error = co_await ask(arrival.ordinal, &asked, &response, deadline);
    if (outcome.error) {
        co_return outcome;
    }
    const monotonic_time returned = deadline_after(env_->now(), travel_time(response.body().size()));
    outcome.error = co_await pause(returned, deadline);
    if (!outcome.error) {
        outcome.error = deliver(response, *sink, outcome);
    }
    if (!outcome.error && response.rest) {
        outcome.error = co_await deliver_rest(&response, sink, deadline);
    }
    co_return outcome;
}

}  // namespace

std::shared_ptr<transport> make_memory_transport(std::shared_ptr<environment> env, std::shared_ptr<local_service> to,
                                                 network_options network) {
    return std::make_shared<memory_transport>(std::move(env), std::move(to), network);
}

std::function<std::shared_ptr<transport>(const std::string& origin)> make_memory_network(
    std::shared_ptr<environment> env, std::map<std::string, std::shared_ptr<local_service>> services,
    network_options network) {
    return [env = std::move(env), services = std::move(services),
            network](const std::string& origin) -> std::shared_ptr<transport> {
        const auto found = services.find(origin);
        return found == services.end() ? nullptr : make_memory_transport(env, found->second, network);
    };
}

}  // namespace vembed::testing
