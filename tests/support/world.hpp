#pragma once
/// A client, the local service and a network between them, in one thread and in virtual time.

#include <memory>
#include <optional>
#include <string>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <vembed/client/client.hpp>
#include <vembed/testing/service.hpp>
#include <vembed/testing/simulation.hpp>

namespace vembed::testing {

class world {
public:
    explicit world(service_options options, std::uint64_t seed = 1, client_options chosen = {})
        : env(std::make_shared<simulated_environment>(context, seed)),
          remote(std::make_shared<service>(std::move(options))),
          network(make_memory_transport(env, remote)) {
        chosen.base_url = "https://service.test";
        chosen.api_key = secret::from_key(remote->api_key()).value();
        chosen.env = env;
        chosen.transport_override = network;
        subject.emplace(context.get_executor(), std::move(chosen));
    }

    ~world() {
        subject.reset();
        env->run();
    }

    /// Runs one operation to its end and returns its result.
    template <class T>
    result<T> run(asio::awaitable<result<T>> operation) {
        std::optional<result<T>> outcome;
        asio::co_spawn(context, keep(std::move(operation), &outcome), [](const std::exception_ptr& thrown) {
            if (thrown) {
                std::rethrow_exception(thrown);
            }
        });
        env->run([&outcome] { return outcome.has_value(); });
        return outcome ? std::move(*outcome) : failure(errc::timeout, "the operation never ended");
    }

    asio::io_context context{1};
    std::shared_ptr<simulated_environment> env;
    std::shared_ptr<service> remote;
    std::shared_ptr<transport> network;
    std::optional<client> subject;

private:
    template <class T>
    static asio::awaitable<void> keep(asio::awaitable<result<T>> operation, std::optional<result<T>>* into) {
        into->emplace(co_await std::move(operation));
    }
};

}  // namespace vembed::testing
