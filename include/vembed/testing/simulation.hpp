#pragma once
/// @file
/// The simulator: virtual time and an in-memory transport over a local service, for tests that run days of quota in
/// milliseconds and repeat exactly from a seed.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include <vembed/runtime/environment.hpp>
#include <vembed/testing/local_service.hpp>
#include <vembed/transport/transport.hpp>

namespace vembed::testing {

/// Time that moves only when nothing is left to do at the present moment. Single-threaded: everything that uses it
/// runs on `context`, and run() is called on the thread that made it. Blocking work runs at once, in place.
class simulated_environment final : public environment {
public:
    /// Monotonic time begins at one hour, wall time at `wall_start`.
    explicit simulated_environment(asio::io_context& context, std::uint64_t seed,
                                   wall_time wall_start = wall_time(std::chrono::seconds(1'767'225'600)));
    ~simulated_environment() override;

    [[nodiscard]] monotonic_time now() const override { return now_; }
    [[nodiscard]] wall_time wall_now() const override;
    [[nodiscard]] std::uint64_t random() override;
    [[nodiscard]] std::unique_ptr<timer> make_timer(const asio::any_io_executor& executor) override;
    asio::awaitable<void> run_blocking(std::function<void()> work) override;
    void log(log_level level, std::string_view event, std::initializer_list<log_field> fields) override;

    /// Runs until nothing is ready and nobody sleeps, or until `done` returns true, jumping from each moment to the
    /// next at which a sleeper wakes. Returns false if virtual time reached `limit` first.
    bool run(const std::function<bool()>& done = {}, monotonic_time limit = no_deadline);

    /// Sets the hook that log records go to.
    void set_log_hook(log_hook hook) { hook_ = std::move(hook); }

private:
    class simulated_timer;
    class alarm;
    friend class simulated_timer;

    void set_alarm(monotonic_time at, const std::shared_ptr<alarm>& who);

    struct entry {
        monotonic_time at;
        std::uint64_t sequence = 0;
        std::weak_ptr<alarm> who;
        friend bool operator>(const entry& a, const entry& b) noexcept {
            return a.at != b.at ? a.at > b.at : a.sequence > b.sequence;
        }
    };

    asio::io_context* context_;
    monotonic_time now_{};
    monotonic_time start_{};
    wall_time wall_start_;
    std::uint64_t random_state_;
    std::uint64_t sequence_ = 0;
    std::priority_queue<entry, std::vector<entry>, std::greater<>> alarms_;
    log_hook hook_;
};

/// How the simulated network behaves.
class network_options {
public:
    std::chrono::microseconds latency_min{200};  ///< One way.
    std::chrono::microseconds latency_max{2000};
    std::uint64_t bytes_per_second = 1'000'000'000;

    network_options() = default;
};

/// Carries requests to a service in the same thread: with latency, the service's own faults (cut connections, delays),
/// and the same rules as the socket transport (deadlines, cancellation, what was written).
std::shared_ptr<transport> make_memory_transport(std::shared_ptr<environment> env, std::shared_ptr<local_service> to,
                                                 network_options network = {});

/// Routes by origin ("http://store.test", as transport_factory is asked) to several services, each with a network of
/// its own like make_memory_transport(). Null for an origin that is not in the list. The result may be given to a
/// client as its transport_factory.
std::function<std::shared_ptr<transport>(const std::string& origin)> make_memory_network(
    std::shared_ptr<environment> env, std::map<std::string, std::shared_ptr<local_service>> services,
    network_options network = {});

}  // namespace vembed::testing
