/// Rows per second, CPU time and memory of the client, beside a bare Beast client and a read() loop that do the same
/// against the same service. Service and client are processes of their own on different cores; the variants take turns,
/// and medians are printed.
///
///     throughput [--rows 50000] [--rounds 5] [--schemes plain,tls] [--jobs 1000,100] [--in-flight 8]
///                [--variants read,bare-none,jobs-none,…]

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
    std::string variant;  ///< "read", or bare, jobs or bulk with the level of checking: "bulk-hash".
    std::uint64_t rows = 0;
    std::uint64_t rows_per_job = 0;
    std::uint32_t in_flight = 8;

    setting() = default;
    [[nodiscard]] std::string kind() const { return variant.substr(0, variant.find('-')); }
    [[nodiscard]] std::string level() const {
        return variant.substr(std::min(variant.find('-'), variant.size() - 1) + 1);
    }
};

void run_client_bulk(const service_process& service, const jobs_plan& plan) {
    asio::io_context loop(1);
    client through(loop.get_executor(), options_for(service.base_url, service.api_key, service.ca_file));
    asio::co_spawn(loop, run_bulk(&through, plan), rethrow);
    loop.run();
}

bare_plan bare_plan_of(const service_process& service, const setting& what, const std::vector<std::string>& texts,
                       std::span<float> output) {
    bare_plan plan;
    plan.port = service.port();
    plan.ca_file = service.ca_file;
    plan.api_key = service.api_key;
    plan.connections = what.in_flight;
    plan.rows_per_job = what.rows_per_job;
    plan.level = what.level() == "receipt" ? checks::receipt : what.level() == "hash" ? checks::hash : checks::none;
    plan.texts = &texts;
    plan.output = output;
    return plan;
}

jobs_plan jobs_plan_of(const setting& what, const std::vector<std::string>& texts, std::span<float> output) {
    jobs_plan plan;
    plan.rows_per_job = what.rows_per_job;
    plan.jobs_in_flight = what.in_flight;
    plan.level = what.level() == "receipt" ? verify_level::receipt
                 : what.level() == "hash"  ? verify_level::hash
                                           : verify_level::none;
    plan.texts = &texts;
    plan.output = output;
    return plan;
}

// In the client's process: one measured run.
void measure(const service_process& service, const setting& what, int to) {
    const std::vector<std::string> texts = make_texts(what.rows_per_job);
    // Touched, so that no page fault of fresh memory is measured.
    std::vector<float> output(what.rows * bench_dimensions, 1.0f);
    const bare_plan bare = bare_plan_of(service, what, texts, output);
    const jobs_plan jobs = jobs_plan_of(what, texts, output);
    bare_plan one_job = bare;
    one_job.output = bare.output.first(what.rows_per_job * bench_dimensions);
    const std::string job_id = what.kind() == "read" ? run_bare_jobs(one_job) : "";
    const std::uint64_t memory_before = output.size() * sizeof(float);
    const double cpu_before = cpu_seconds();
    const double began = seconds_now();
    if (what.kind() == "read") {
        run_read_floor(bare, job_id);
    } else if (what.kind() == "bare") {
        run_bare_jobs(bare);
    } else if (what.kind() == "jobs") {
        run_jobs(options_for(service.base_url, service.api_key, service.ca_file), jobs);
    } else if (what.kind() == "bulk") {
        run_client_bulk(service, jobs);
    } else {
        throw std::runtime_error("there is no variant " + what.variant);
    }
    json::object line;
    line["seconds"] = seconds_now() - began;
    line["cpu_seconds"] = cpu_seconds() - cpu_before;
    line["memory_bytes"] = resident_bytes_peak() - memory_before;
    write_line(to, json::serialize(line));
}

class samples {
public:
    std::vector<double> rows_per_second;
    std::vector<double> cpu_per_million;
    std::vector<double> memory_mib;

    samples() = default;
    void add(const json::value& line, std::uint64_t rows) {
        const auto count = static_cast<double>(rows);
        rows_per_second.push_back(count / line.at("seconds").as_double());
        cpu_per_million.push_back(line.at("cpu_seconds").as_double() * 1e6 / count);
        memory_mib.push_back(line.at("memory_bytes").to_number<double>() / (1 << 20));
    }
};

void report(const std::string& scheme, std::uint64_t rows_per_job, const std::vector<std::string>& variants,
            std::map<std::string, samples>& seen, table& people) {
    for (const std::string& variant : variants) {
        const samples& of = seen[variant];
        if (of.rows_per_second.empty()) {
            continue;
        }
        json::object line;
        line["benchmark"] = "throughput";
        line["scheme"] = scheme;
        line["rows_per_job"] = rows_per_job;
        line["variant"] = variant;
        line["rows_per_second"] = median(of.rows_per_second);
        line["cpu_seconds_per_million_rows"] = median(of.cpu_per_million);
        line["memory_mib_above_output"] = median(of.memory_mib);
        print_json(line);
        people.add({scheme, std::to_string(rows_per_job), variant, fixed(median(of.rows_per_second), 0),
                    fixed(median(of.cpu_per_million), 2), fixed(median(of.memory_mib), 1)});
    }
}

int run(const arguments& given) {
    const cores on;
    const certificate shown;
    const auto variants = given.list("variants",
                                     "read,bare-none,jobs-none,bulk-none,bare-hash,jobs-hash,bulk-hash,bare-receipt,"
                                     "jobs-receipt,bulk-receipt");
    table people({"scheme", "rows a job", "variant", "rows/s", "client CPU s per M rows", "MiB above the output"});
    for (const std::string& scheme : given.list("schemes", "plain,tls")) {
        const service_process service(on.server, scheme == "tls" ? &shown : nullptr);
        for (const std::string& job_size : given.list("jobs", "1000,100")) {
            std::map<std::string, samples> seen;
            setting what;
            what.rows_per_job = std::stoull(job_size);
            what.in_flight = static_cast<std::uint32_t>(given.number("in-flight", 8));
            what.rows = given.number("rows", 50'000) / what.rows_per_job * what.rows_per_job;
            for (std::uint64_t round = 0; round < given.number("rounds", 5); ++round) {
                for (const std::string& variant : variants) {
                    what.variant = variant;
                    if (variant == "read" && scheme == "tls") {
                        continue;
                    }
                    child one(on.client, [&](int to) { measure(service, what, to); });
                    seen[variant].add(json::parse(one.result_line()), what.rows);
                }
            }
            report(scheme, what.rows_per_job, variants, seen, people);
        }
    }
    people.print();
    return 0;
}

}  // namespace
}  // namespace vembed::bench

constexpr std::string_view help =
    R"(Rows per second, CPU time and memory of the client, beside a bare Beast client and a read() loop that do the same.
Usage: throughput [OPTIONS]
  --rows 50000        rows of each variant in each round
  --rounds 5          how often the variants take turns; medians are printed
  --schemes plain,tls
  --jobs 1000,100     rows of one job
  --in-flight 8       jobs under way at once
  --variants LIST     of read, bare-…, jobs-… and bulk-… (see bench/README.md); all, if not given
)";

int main(int argc, char** argv) {
    try {
        return vembed::bench::run(
            vembed::bench::arguments(argc, argv, {"rows", "rounds", "schemes", "jobs", "in-flight", "variants"}, help));
    } catch (const std::exception& e) {
        std::cerr << "throughput: " << e.what() << '\n';
        return 1;
    }
}
