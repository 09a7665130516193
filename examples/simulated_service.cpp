// Tests a program of your own without sockets: the local service in memory, two days of quota in virtual time, faults.
//
//   usage: example_simulated_service [SEED]
//
// The same seed gives the same run. Exit status: 0 the run is as it should be, 1 it is not.

#include <chrono>
#include <cstdint>
#include <exception>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <vembed/testing/service.hpp>
#include <vembed/testing/simulation.hpp>
#include <vembed/vembed.hpp>

namespace asio = boost::asio;
namespace simulated = vembed::testing;

// A transport of your own. This one counts what another one carries.
class counting_transport final : public vembed::transport {
public:
    explicit counting_transport(std::shared_ptr<vembed::transport> carrier) : carrier_(std::move(carrier)) {}

    asio::awaitable<vembed::exchange_outcome> exchange(std::shared_ptr<const vembed::transport_request> request,
                                                       vembed::response_sink* sink,
                                                       vembed::monotonic_time deadline) override {
        posts_ += request->method == vembed::http_method::post ? 1 : 0;
        return carrier_->exchange(std::move(request), sink, deadline);
    }
    void close() noexcept override { carrier_->close(); }
    [[nodiscard]] std::uint64_t posts() const { return posts_; }

private:
    std::shared_ptr<vembed::transport> carrier_;
    std::uint64_t posts_ = 0;
};

// The code that is tested. It knows nothing of the simulation.
asio::awaitable<vembed::bulk_report> embed_numbers(vembed::client& client, vembed::matrix* rows, int count) {
    int next = 0;
    vembed::generator_source corpus([&next, count]() -> std::optional<std::string> {
        return next < count ? std::optional("number " + std::to_string(next++)) : std::nullopt;
    });
    vembed::matrix_sink sink(*rows);
    vembed::bulk_options options;
    options.model = "bge-large-v1.5";
    options.wait_for_quota = true;
    auto report = co_await client.embed_corpus(corpus, sink, std::move(options));
    co_return std::move(report).value();
}

int main(int argc, char** argv) {
    try {
        const std::uint64_t seed = argc > 1 ? std::stoull(argv[1]) : 1;
        simulated::service_options remote;
        remote.seed = seed;
        remote.account_tier = simulated::tier::trial;  // 100 chunks a day
        remote.faults = simulated::fault_rates::parse("busy=0.05,rate_limited=0.05,delay=0.1").value();
        const auto service = std::make_shared<simulated::service>(remote);

        asio::io_context loop(1);
        const auto world = std::make_shared<simulated::simulated_environment>(loop, seed);
        const auto network = std::make_shared<counting_transport>(simulated::make_memory_transport(world, service));
        vembed::client_options options;
        options.base_url = "https://service.test";  // only a name
        options.api_key = vembed::secret::from_key(service->api_key()).value();
        options.env = world;
        options.transport_override = network;
        vembed::client client(loop.get_executor(), std::move(options));

        vembed::matrix rows;
        vembed::bulk_report report;
        const vembed::monotonic_time begun = world->now();
        asio::co_spawn(loop, embed_numbers(client, &rows, 15'000), [&](const std::exception_ptr& thrown, auto made) {
            if (thrown) {
                std::rethrow_exception(thrown);
            }
            report = std::move(made);
        });
        world->run();  // jumps from each moment to the next at which something happens
        const auto hours = std::chrono::duration_cast<std::chrono::hours>(world->now() - begun).count();
        std::cout << report.rows_done << " rows in " << hours << " hours of virtual time, " << network->posts()
                  << " POSTs, " << service->counters().chunks_charged << " chunks charged\n";
        const bool good = report.reason == vembed::stop_reason::complete && rows.rows() == 15'000 && hours >= 24 &&
                          service->counters().chunks_charged == report.chunks_used;
        return good ? 0 : 1;
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
