#pragma once
/// A client, the local service and a network between them, in one thread and in virtual time.

#include <memory>
#include <optional>
#include <string>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <vembed/client/client.hpp>
#include <vembed/testing/service.hpp>
#include <vembed/testing/simulation.hpp>

#include "support/recorder.hpp"

namespace vembed::testing {

class world {
public:
    explicit world(service_options options, std::uint64_t seed = 1, client_options chosen = {})
        : env(std::make_shared<simulated_environment>(context, seed)),
          remote(std::make_shared<service>(std::move(options))) {
        connect(std::move(chosen));
    }

    ~world() {
        subject.reset();
        env->run();
    }

    /// Makes a new client of the same service, as a new process does. The old client's operations end as cancelled.
    void restart(client_options chosen = {}) {
        subject.reset();
        env->run();
        connect(std::move(chosen));
    }

    /// Runs one operation to its end and returns its result. `at_event` is called after each step with its number.
    template <class T>
    result<T> run(asio::awaitable<result<T>> operation, const std::function<void(std::uint64_t)>& at_event = {},
                  asio::cancellation_slot slot = {}) {
        std::optional<result<T>> outcome;
        asio::co_spawn(context, keep(std::move(operation), &outcome),
                       asio::bind_cancellation_slot(slot, [](const std::exception_ptr& thrown) {
                           if (thrown) {
                               std::rethrow_exception(thrown);
                           }
                       }));
        std::uint64_t events = 0;
        const auto done = [&outcome, &at_event, &events] {
            ++events;
            if (at_event && !outcome) {
                at_event(events);
            }
            return outcome.has_value();
        };
        const bool ended = env->run(done, time_limit);
        if (outcome) {
            return std::move(*outcome);
        }
        // Operations that still wait refer to `outcome`.
        subject.reset();
        env->run();
        return error(errc::timeout, ended ? "the operation never ended: nothing is left to happen"
                                          : "the operation had not ended at the limit of virtual time");
    }

    /// The virtual time since the world began.
    [[nodiscard]] std::chrono::milliseconds now() const {
        return std::chrono::duration_cast<std::chrono::milliseconds>(env->now().time_since_epoch()) -
               std::chrono::hours(1);
    }

    asio::io_context context{1};
    std::shared_ptr<simulated_environment> env;
    std::shared_ptr<service> remote;
    std::shared_ptr<recorder> network;
    std::optional<client> subject;
    monotonic_time time_limit = no_deadline;

private:
    void connect(client_options chosen) {
        network = std::make_shared<recorder>(env, make_memory_transport(env, remote));
        chosen.base_url = "https://service.test";
        if (!chosen.api_key) {
            chosen.api_key = secret::from_key(remote->api_key()).value();
        }
        chosen.env = env;
        chosen.transport_override = network;
        subject.emplace(context.get_executor(), std::move(chosen));
    }

    template <class T>
    static asio::awaitable<void> keep(asio::awaitable<result<T>> operation, std::optional<result<T>>* into) {
        co_await asio::this_coro::throw_if_cancelled(false);
        into->emplace(co_await std::move(operation));
    }
};

}  // namespace vembed::testing
