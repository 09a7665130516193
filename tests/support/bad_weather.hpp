#pragma once
/// A world whose network decides the fate of each request, and whose wall clock can be set.

#include <chrono>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "support/world.hpp"

namespace vembed::testing {

enum class fate : std::uint8_t {
    pass,         ///< The request reaches the service, and the response comes back.
    swallow,      ///< Written, but it does not arrive before the deadline.
    cut,          ///< Written, then the connection is cut before the service saw it.
    bad_gateway,  ///< A proxy answers instead of the service.
    refuse,       ///< No connection is made.
    portal,       ///< A network with a sign-in page answers everything with that page.
};

/// A network that decides the fate of each request.
class unreliable final : public transport {
public:
    unreliable(std::shared_ptr<environment> env, std::shared_ptr<transport> to)
        : env_(std::move(env)), to_(std::move(to)) {}

    asio::awaitable<exchange_outcome> exchange(std::shared_ptr<const transport_request> request, response_sink* sink,
                                               monotonic_time deadline) override {
        const bool submits = request->method == http_method::post && request->target == "/jobs";
        submissions += submits ? 1 : 0;
        const fate what = decide ? decide(submits ? submissions : 0) : fate::pass;
        exchange_outcome outcome;
        outcome.bytes_written = 1000;
        outcome.request_written = true;
        switch (what) {
            case fate::pass: break;
            case fate::swallow: {
                lost = request;
                const wait_outcome waited = co_await sleep_until(env_, deadline);
                outcome.error = error(waited == wait_outcome::cancelled ? errc::cancelled : errc::timeout, "lost");
                co_return outcome;
            }
            case fate::cut: outcome.error = error(errc::network, "the connection was cut"); co_return outcome;
            case fate::refuse:
                outcome.bytes_written = 0;
                outcome.request_written = false;
                outcome.error = error(errc::network, "connection refused");
                co_return outcome;
            case fate::portal: answer(200, "<html>Sign in</html>", sink, &outcome); co_return outcome;
            case fate::bad_gateway: answer(502, "<html>502 Bad Gateway</html>", sink, &outcome); co_return outcome;
        }
        co_return co_await to_->exchange(request, sink, deadline);
    }
    [[nodiscard]] std::optional<std::uint64_t> exchanges_at_once() const override { return connections; }
    void close() noexcept override { to_->close(); }

    std::function<fate(std::uint64_t)> decide;  ///< Takes the number of the submission, or 0 for any other request.
    std::uint64_t submissions = 0;
    std::optional<std::uint64_t> connections;
    std::shared_ptr<const transport_request> lost;  ///< The last request that was swallowed.

private:
    static void answer(int status, const std::string& body, response_sink* sink, exchange_outcome* outcome) {
        outcome->response_begun = true;
        outcome->head.emplace();
        outcome->head->status = status;
        outcome->head->content_length = body.size();
        (void)sink->begin(*outcome->head);
        const std::span<std::byte> room = sink->prepare(body.size());
        std::memcpy(room.data(), body.data(), body.size());
        (void)sink->commit(body.size());
    }

    std::shared_ptr<environment> env_;
    std::shared_ptr<transport> to_;
};

/// A simulated machine whose wall clock can be set.
class clock_of_its_own final : public environment {
public:
    explicit clock_of_its_own(std::shared_ptr<environment> of) : of_(std::move(of)) {}
    [[nodiscard]] monotonic_time now() const override { return of_->now(); }
    [[nodiscard]] wall_time wall_now() const override { return of_->wall_now() + set_ahead; }
    std::uint64_t random() override { return of_->random(); }
    std::unique_ptr<timer> make_timer(const asio::any_io_executor& executor) override {
        return of_->make_timer(executor);
    }
    asio::awaitable<void> run_blocking(std::function<void()> work) override {
        if (disk_takes) {
            const monotonic_time until = deadline_after(now(), disk_takes());
            co_await sleep_until(of_, until);
        }
        co_await of_->run_blocking(std::move(work));
    }
    asio::awaitable<void> read_blocking(std::function<void()> work) override {
        return of_->read_blocking(std::move(work));
    }
    void log(log_level level, std::string_view event, std::initializer_list<log_field> fields) override {
        of_->log(level, event, fields);
    }

    std::chrono::milliseconds set_ahead{0};
    std::function<std::chrono::milliseconds()> disk_takes;  ///< The time for each piece of blocking work.

private:
    std::shared_ptr<environment> of_;
};

/// A world whose client uses an `unreliable` network.
class bad_weather : public world {
public:
    explicit bad_weather(service_options options, std::optional<std::uint64_t> connections = {})
        : world(std::move(options)), machine(std::make_shared<clock_of_its_own>(env)) {
        again({}, connections);
    }

    void again(client_options chosen = {}, std::optional<std::uint64_t> connections = {}) {
        subject.reset();
        env->run();
        net = std::make_shared<unreliable>(env, make_memory_transport(env, remote));
        net->connections = connections;
        chosen.base_url = "https://service.test";
        chosen.api_key = secret::from_key(remote->api_key()).value();
        chosen.env = machine;
        watched = std::make_shared<recorder>(env, net);
        chosen.transport_override = connections ? std::shared_ptr<transport>(net) : watched;
        subject.emplace(context.get_executor(), std::move(chosen));
    }

    // Delivers the swallowed request to the service at last.
    int deliver_late() {
        service_request late;
        late.method = "POST";
        late.target = "/jobs";
        late.authorization = "Bearer " + remote->api_key();
        late.content_type = "application/json";
        late.body = net->lost->body;
        const auto arrived = remote->arrive(1000);
        return remote->handle(arrived.ordinal, late, env->now(), env->wall_now()).status;
    }

    std::shared_ptr<clock_of_its_own> machine;
    std::shared_ptr<unreliable> net;
    std::shared_ptr<recorder> watched;  ///< Between the client and `net` if connections are not limited.
};

inline service_options quick_service(std::uint32_t chunk_size) {
    service_options options;
    options.settle_delay_ms = 900;
    options.chunk_size = chunk_size;
    return options;
}

}  // namespace vembed::testing
