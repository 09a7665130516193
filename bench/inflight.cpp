/// Many jobs in flight at once: jobs that take two seconds to settle, N of them kept in flight over real sockets. The
/// ideal rate is N / 2 s; what is lost is the time of submitting and fetching. Also the memory of a job that waits.
///
///     inflight [--in-flight 64,256,1024] [--seconds 8] [--rounds 3] [--schemes plain,tls]

#include <iostream>
#include <string_view>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "client_runs.hpp"
#include "harness.hpp"
#include "service_process.hpp"

namespace vembed::bench {
namespace {

namespace json = boost::json;

constexpr std::uint32_t settle_ms = 2000;
constexpr std::uint64_t rows_per_job = 10;

// Jobs kept in flight. The first ones are spread over one settling time, as they are in a run that has been going on
// for a while.
class steady_state {
public:
    std::shared_ptr<detail::client_core> core;
    jobs_plan plan;
    std::uint32_t in_flight = 0;
    monotonic_time began{};
    monotonic_time count_from{};
    monotonic_time end{};
    std::uint64_t counted = 0;
    std::uint64_t resident = 0;

    steady_state() = default;
};

asio::awaitable<void> keep_one(steady_state* all, std::uint32_t number) {
    const std::shared_ptr<environment> env = all->core->env;
    std::vector<float> rows(rows_per_job * bench_dimensions, 1.0f);
    const auto apart = std::chrono::nanoseconds(std::chrono::milliseconds(settle_ms)) * number / all->in_flight;
    co_await sleep_until(env, deadline_after(all->began, apart));
    while (env->now() < all->end) {
        co_await run_one_job(all->core, &all->plan, std::span<float>(rows));
        const monotonic_time now = env->now();
        if (now >= all->count_from && now < all->end) {
            ++all->counted;
        }
    }
}

// In the middle, when all but a few jobs wait.
asio::awaitable<void> look_at_memory(steady_state* all) {
    const monotonic_time middle = all->count_from + (all->end - all->count_from) / 2;
    co_await sleep_until(all->core->env, middle);
    all->resident = resident_bytes();
}

asio::awaitable<void> begin(steady_state* all, std::chrono::seconds counted_for) {
    const result<void> learned = co_await all->core->learn_limits(no_deadline);
    learned.value();
    all->began = all->core->env->now();
    all->count_from = deadline_after(all->began, 2 * std::chrono::milliseconds(settle_ms));
    all->end = deadline_after(all->count_from, counted_for);
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    for (std::uint32_t i = 0; i < all->in_flight; ++i) {
        asio::co_spawn(executor, keep_one(all, i), rethrow);
    }
    asio::co_spawn(executor, look_at_memory(all), rethrow);
}

// In the client's process: one measured run.
void measure(const service_process& service, std::uint32_t in_flight, std::uint64_t seconds, int to) {
    raise_file_limit();
    const std::vector<std::string> texts = make_texts(rows_per_job);
    asio::io_context loop(1);
    client_options options = options_for(service.base_url, service.api_key, service.ca_file);
    options.connections_max = 2 * in_flight;
    steady_state all;
    all.core = detail::client_core::make(loop.get_executor(), options).value();
    all.plan.rows_per_job = rows_per_job;
    all.plan.texts = &texts;
    all.in_flight = in_flight;
    const std::uint64_t resident_before = resident_bytes();
    const double cpu_before = cpu_seconds();
    asio::co_spawn(loop, begin(&all, std::chrono::seconds(seconds)), rethrow);
    loop.run();
    const double ideal = static_cast<double>(in_flight) * static_cast<double>(seconds) * 1000.0 / settle_ms;
    // The rows of a job are the caller's.
    const auto rows_kib = static_cast<double>(rows_per_job * bench_dimensions * sizeof(float)) / 1024;
    const auto grown_kib = static_cast<double>(all.resident - std::min(all.resident, resident_before)) / 1024;
    json::object line;
    line["achieved"] = static_cast<double>(all.counted) / ideal;
    line["cpu_seconds"] = cpu_seconds() - cpu_before;
    line["kib_per_job"] = grown_kib / in_flight - rows_kib;
    write_line(to, json::serialize(line));
}

int run(const arguments& given) {
    const cores on;
    const certificate shown;
    table people({"scheme", "in flight", "achieved of ideal", "KiB a job", "client CPU s"});
    const std::uint64_t seconds = given.number("seconds", 8);
    for (const std::string& scheme : given.list("schemes", "plain,tls")) {
        const service_process service(on.server, scheme == "tls" ? &shown : nullptr, settle_ms);
        for (const std::string& number : given.list("in-flight", "64,256,1024")) {
            std::vector<double> achieved;
            std::vector<double> kib;
            std::vector<double> cpu;
            for (std::uint64_t round = 0; round < given.number("rounds", 3); ++round) {
                child one(on.client, [&](int to) {
                    measure(service, static_cast<std::uint32_t>(std::stoul(number)), seconds, to);
                });
                const json::value line = json::parse(one.result_line());
                achieved.push_back(line.at("achieved").as_double());
                kib.push_back(line.at("kib_per_job").as_double());
                cpu.push_back(line.at("cpu_seconds").as_double());
            }
            json::object line;
            line["benchmark"] = "inflight";
            line["scheme"] = scheme;
            line["in_flight"] = std::stoul(number);
            line["achieved_of_ideal"] = median(achieved);
            line["kib_per_job"] = median(kib);
            line["client_cpu_seconds"] = median(cpu);
            print_json(line);
            people.add({scheme, number, fixed(median(achieved), 4), fixed(median(kib), 1), fixed(median(cpu), 2)});
        }
    }
    people.print();
    return 0;
}

}  // namespace
}  // namespace vembed::bench

constexpr std::string_view help =
    R"(Jobs that take two seconds to settle, many of them in flight: the rate, and the memory of a job that waits.
Usage: inflight [OPTIONS]
  --in-flight 64,256,1024   jobs in flight
  --seconds 8               length of each measurement
  --rounds 3                how often the variants take turns; medians are printed
  --schemes plain,tls
)";

int main(int argc, char** argv) {
    try {
        return vembed::bench::run(
            vembed::bench::arguments(argc, argv, {"in-flight", "seconds", "rounds", "schemes"}, help));
    } catch (const std::exception& e) {
        std::cerr << "inflight: " << e.what() << '\n';
        return 1;
    }
}
