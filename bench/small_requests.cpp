/// Small requests on kept-alive connections: the client's against a bare Beast client's, and wrk's where it is
/// installed, all on one core against the same service on another, taking turns.
///
///     small_requests [--requests 100000] [--rounds 5] [--connections 32] [--schemes plain,tls]
///                    [--variants bare,transport,client,wrk]

#include <cstdio>
#include <iostream>
#include <map>
#include <string_view>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "bare_client.hpp"
#include "client_runs.hpp"
#include "harness.hpp"
#include "service_process.hpp"

namespace vembed::bench {
namespace {

namespace json = boost::json;

class setting {
public:
    std::string variant;
    std::string target;
    std::string job_id;
    std::uint64_t requests = 0;
    std::uint32_t connections = 0;

    setting() = default;
};

// The whole of the public interface: describe, launch, pass the gate, exchange, read the JSON, complete.
asio::awaitable<void> get_jobs(client* through, std::uint64_t* left, std::string job_id) {
    while (*left > 0) {
        --*left;
        std::string id = job_id;
        const result<job> got = co_await through->get_job(std::move(id));
        got.value();
    }
}

class collecting_sink final : public response_sink {
public:
    result<void> begin(const response_head& head) override {
        body_.clear();
        return head.status == 200 ? result<void>() : error(errc::protocol, "not answered 200");
    }
    std::span<std::byte> prepare(std::size_t at_most) override {
        const std::size_t before = body_.size();
        body_.resize(before + at_most);
        return {body_.data() + before, at_most};
    }
    result<void> commit(std::size_t) override { return {}; }

private:
    std::vector<std::byte> body_;
};

// The transport alone: what its pool, parser and interface cost over the bare client.
asio::awaitable<void> exchange_alone(std::shared_ptr<transport> over, std::shared_ptr<const secret> key,
                                     std::uint64_t* left, std::string target) {
    while (*left > 0) {
        --*left;
        auto request = std::make_shared<transport_request>();
        request->target = target;
        request->key = key;
        collecting_sink sink;
        const exchange_outcome outcome = co_await over->exchange(std::move(request), &sink, no_deadline);
        if (outcome.error) {
            throw std::runtime_error(outcome.error->message);
        }
    }
}

void run_client(const service_process& service, const setting& what) {
    asio::io_context loop(1);
    client through(loop.get_executor(), options_for(service.base_url, service.api_key, service.ca_file));
    std::uint64_t left = what.requests;
    for (std::uint32_t i = 0; i < what.connections; ++i) {
        asio::co_spawn(loop, get_jobs(&through, &left, what.job_id), rethrow);
    }
    loop.run();
}

void run_transport(const service_process& service, const setting& what) {
    asio::io_context loop(1);
    const client_options options = options_for(service.base_url, service.api_key, service.ca_file);
    const auto core = detail::client_core::make(loop.get_executor(), options).value();
    std::uint64_t left = what.requests;
    for (std::uint32_t i = 0; i < what.connections; ++i) {
        asio::co_spawn(loop, exchange_alone(core->over, options.api_key, &left, what.target), rethrow);
    }
    loop.run();
}

bare_plan bare_plan_of(const service_process& service, const setting& what) {
    bare_plan plan;
    plan.port = service.port();
    plan.ca_file = service.ca_file;
    plan.api_key = service.api_key;
    plan.connections = what.connections;
    return plan;
}

// In the client's process: one measured run.
void measure(const service_process& service, const setting& what, int to) {
    const double cpu_before = cpu_seconds();
    const double began = seconds_now();
    if (what.variant == "bare") {
        run_bare_gets(bare_plan_of(service, what), what.target, what.requests);
    } else if (what.variant == "transport") {
        run_transport(service, what);
    } else {
        run_client(service, what);
    }
    const auto count = static_cast<double>(what.requests);
    json::object line;
    line["per_second"] = count / (seconds_now() - began);
    line["cpu_us"] = (cpu_seconds() - cpu_before) * 1e6 / count;
    write_line(to, json::serialize(line));
}

// wrk runs for a time instead of a number of requests; it inherits the core of this process.
void measure_wrk(const service_process& service, const setting& what, int to) {
    const std::string command = "wrk -t1 -c" + std::to_string(what.connections) + " -d2 -H 'Authorization: Bearer " +
                                service.api_key + "' " + service.base_url + what.target + " 2>/dev/null";
    std::FILE* out = ::popen(command.c_str(), "r");
    double per_second = 0;
    char text[512];
    while (out != nullptr && std::fgets(text, sizeof text, out) != nullptr) {
        double number = 0;
        if (std::sscanf(text, "Requests/sec: %lf", &number) == 1) {
            per_second = number;
        }
    }
    if (out != nullptr) {
        ::pclose(out);
    }
    json::object line;
    line["per_second"] = per_second;
    line["cpu_us"] = per_second > 0 ? child_cpu_seconds() * 1e6 / (per_second * 2) : 0.0;
    write_line(to, json::serialize(line));
}

class samples {
public:
    std::vector<double> per_second;
    std::vector<double> cpu_us;

    samples() = default;
};

void report(const std::string& scheme, const std::vector<std::string>& variants, std::map<std::string, samples>& seen,
            table& people) {
    const double bare = median(seen["bare"].per_second);
    for (const std::string& variant : variants) {
        const samples& of = seen[variant];
        const double rate = median(of.per_second);
        if (!(rate > 0)) {
            continue;  // wrk is not installed, or does not accept the certificate.
        }
        json::object line;
        line["benchmark"] = "small_requests";
        line["scheme"] = scheme;
        line["variant"] = variant;
        line["requests_per_second"] = rate;
        line["of_bare"] = rate / bare;
        line["cpu_of_bare"] = median(seen["bare"].cpu_us) / median(of.cpu_us);
        line["client_cpu_us_per_request"] = median(of.cpu_us);
        print_json(line);
        people.add({scheme, variant, fixed(rate, 0), fixed(rate / bare, 3), fixed(median(of.cpu_us), 2),
                    fixed(median(seen["bare"].cpu_us) / median(of.cpu_us), 3)});
    }
}

int run(const arguments& given) {
    const cores on;
    const certificate shown;
    const std::vector<std::string> variants = given.list("variants", "bare,transport,client,wrk");
    table people({"scheme", "variant", "requests/s", "of bare", "client CPU us a request", "bare CPU over this"});
    for (const std::string& scheme : given.list("schemes", "plain,tls")) {
        const service_process service(on.server, scheme == "tls" ? &shown : nullptr);
        const std::vector<std::string> texts = make_texts(1);
        setting what;
        what.connections = static_cast<std::uint32_t>(given.number("connections", 32));
        what.requests = given.number("requests", 100'000);
        bare_plan one = bare_plan_of(service, what);
        one.rows_per_job = 1;
        one.connections = 1;
        one.texts = &texts;
        std::vector<float> row(bench_dimensions);
        one.output = row;
        what.job_id = run_bare_jobs(one);
        what.target = "/jobs/" + what.job_id;
        std::map<std::string, samples> seen;
        for (std::uint64_t round = 0; round < given.number("rounds", 5); ++round) {
            for (const std::string& variant : variants) {
                what.variant = variant;
                child measured(on.client, [&](int to) {
                    what.variant == "wrk" ? measure_wrk(service, what, to) : measure(service, what, to);
                });
                const json::value line = json::parse(measured.result_line());
                seen[variant].per_second.push_back(line.at("per_second").as_double());
                seen[variant].cpu_us.push_back(line.at("cpu_us").as_double());
            }
        }
        report(scheme, variants, seen, people);
    }
    people.print();
    return 0;
}

}  // namespace
}  // namespace vembed::bench

constexpr std::string_view help =
    R"(Small requests on kept-alive connections: the client's against a bare Beast client's and wrk's.
Usage: small_requests [OPTIONS]
  --requests 100000   requests of each variant in each round
  --rounds 5          how often the variants take turns; medians are printed
  --connections 32
  --schemes plain,tls
  --variants bare,transport,client,wrk
)";

int main(int argc, char** argv) {
    try {
        return vembed::bench::run(
            vembed::bench::arguments(argc, argv, {"requests", "rounds", "connections", "schemes", "variants"}, help));
    } catch (const std::exception& e) {
        std::cerr << "small_requests: " << e.what() << '\n';
        return 1;
    }
}
