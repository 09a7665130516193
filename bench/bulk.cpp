/// Whole bulk runs with their folder, journal and duplicate index, as the program makes them.
///
/// overhead: jobs of ten rows that take two seconds to settle, N of them in flight. The ideal time is two seconds a
/// wave. memory: many small rows; memory while the run goes on, less what jobs in flight hold.
///
///     bulk [--mode overhead,memory] [--in-flight 64,256,1024] [--waves 10] [--rows 10000000]

#include <iostream>
#include <stdexcept>
#include <string_view>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <vembed/folder/npy_sink.hpp>
#include <vembed/journal/journal.hpp>

#include "client_runs.hpp"
#include "harness.hpp"
#include "service_process.hpp"

namespace vembed::bench {
namespace {

namespace json = boost::json;

constexpr std::uint32_t settle_ms = 2000;
constexpr std::uint64_t mib = 1 << 20;

// Short texts, every one different.
class numbered_source final : public row_source {
public:
    explicit numbered_source(std::uint64_t rows) : rows_(rows) {}
    result<std::optional<source_row>> next() override {
        if (next_ == rows_) {
            return std::optional<source_row>();
        }
        source_row row;
        row.text = "row " + std::to_string(next_++) + " of a long corpus";
        return std::optional<source_row>(std::move(row));
    }
    [[nodiscard]] std::optional<std::uint64_t> size_hint() const override { return rows_; }

private:
    std::uint64_t rows_;
    std::uint64_t next_ = 0;
};

class run_plan {
public:
    std::uint64_t rows = 0;
    std::uint32_t rows_per_job = 10;
    std::uint32_t in_flight = 8;
    const char* model = bench_small_model;
    bool journalled = true;

    run_plan() = default;
};

class run_figures {
public:
    double seconds = 0;
    double cpu_seconds = 0;
    std::uint64_t resident_before = 0;
    std::vector<std::uint64_t> resident;  ///< At each tenth of the rows.

    run_figures() = default;
};

asio::awaitable<void> embed_all(client* through, run_plan plan, std::string folder, run_figures* into) {
    numbered_source source(plan.rows);
    npy_sink sink(folder);
    const auto journal = make_sqlite_journal(folder + "/journal.sqlite");
    bulk_options options;
    options.model = plan.model;
    options.rows_per_job = plan.rows_per_job;
    options.jobs_in_flight = plan.in_flight;
    options.verify = verify_level::hash;
    options.journal = plan.journalled ? journal.get() : nullptr;
    options.progress_interval = std::chrono::milliseconds(20);
    options.on_progress = [into, rows = plan.rows](const progress& now) {
        if (now.rows_done * 10 >= rows * (into->resident.size() + 1)) {
            into->resident.push_back(resident_bytes());
        }
    };
    into->resident_before = resident_bytes();
    const double cpu_before = cpu_seconds();
    const double began = seconds_now();
    const result<bulk_report> report = co_await through->embed_corpus(source, sink, std::move(options));
    into->seconds = seconds_now() - began;
    into->cpu_seconds = cpu_seconds() - cpu_before;
    if (report.value().rows_done != plan.rows) {
        throw std::runtime_error("not every row came: " + report->message);
    }
}

// In the client's process.
void measure(const service_process& service, const run_plan& plan, int to) {
    raise_file_limit();
    const scratch_folder folder;
    asio::io_context loop(1);
    client_options options = options_for(service.base_url, service.api_key, service.ca_file);
    options.connections_max = 2 * plan.in_flight;
    client through(loop.get_executor(), options);
    run_figures seen;
    asio::co_spawn(loop, embed_all(&through, plan, folder.path(), &seen), rethrow);
    loop.run();
    json::object line;
    line["seconds"] = seen.seconds;
    line["cpu_seconds"] = seen.cpu_seconds;
    line["resident_before"] = seen.resident_before;
    json::array tenths;
    for (const std::uint64_t bytes : seen.resident) {
        tenths.emplace_back(bytes);
    }
    line["resident"] = std::move(tenths);
    write_line(to, json::serialize(line));
}

json::value run_in_child(const cores& on, const service_process& service, const run_plan& plan) {
    child one(on.client, [&](int to) { measure(service, plan, to); });
    return json::parse(one.result_line());
}

void run_overhead(const arguments& given, const cores& on) {
    const service_process service(on.server, nullptr, settle_ms);
    const std::uint64_t waves = given.number("waves", 10);
    table people({"in flight", "journal", "achieved of ideal", "client CPU s"});
    for (const std::string& number : given.list("in-flight", "64,256,1024")) {
        for (const bool journalled : {false, true}) {
            run_plan plan;
            plan.in_flight = static_cast<std::uint32_t>(std::stoul(number));
            plan.rows = waves * plan.in_flight * plan.rows_per_job;
            plan.journalled = journalled;
            const json::value seen = run_in_child(on, service, plan);
            const double ideal = static_cast<double>(waves) * settle_ms / 1000.0;
            const double achieved = ideal / seen.at("seconds").as_double();
            json::object line;
            line["benchmark"] = "bulk-overhead";
            line["in_flight"] = plan.in_flight;
            line["journal"] = journalled;
            line["achieved_of_ideal"] = achieved;
            line["client_cpu_seconds"] = seen.at("cpu_seconds");
            print_json(line);
            people.add(
                {number, journalled ? "yes" : "no", fixed(achieved, 4), fixed(seen.at("cpu_seconds").as_double(), 2)});
        }
    }
    people.print();
}

void run_memory(const arguments& given, const cores& on) {
    const service_process service(on.server, nullptr, 0);
    run_plan plan;
    plan.rows = given.number("rows", 10'000'000);
    plan.rows_per_job = 1000;
    const json::value seen = run_in_child(on, service, plan);
    const auto before = seen.at("resident_before").to_number<std::uint64_t>();
    table people({"rows done", "MiB above the start"});
    json::array grown;
    std::uint64_t tenth = 0;
    for (const json::value& bytes : seen.at("resident").as_array()) {
        const auto now = bytes.to_number<std::uint64_t>();
        const double above = static_cast<double>(now - std::min(now, before)) / static_cast<double>(mib);
        people.add({std::to_string(++tenth * plan.rows / 10), fixed(above, 1)});
        grown.emplace_back(above);
    }
    json::object line;
    line["benchmark"] = "bulk-memory";
    line["rows"] = plan.rows;
    line["seconds"] = seen.at("seconds");
    line["client_cpu_seconds"] = seen.at("cpu_seconds");
    line["mib_above_start"] = std::move(grown);
    print_json(line);
    people.print();
}

}  // namespace
}  // namespace vembed::bench

constexpr std::string_view help = R"(Whole bulk runs with their folder, journal and duplicate index.
Usage: bulk [OPTIONS]
  --mode overhead,memory
  --in-flight 64,256,1024   overhead: jobs in flight
  --waves 10                overhead: how many times as many jobs
  --rows 10000000           memory: rows of the corpus
)";

int main(int argc, char** argv) {
    try {
        const vembed::bench::arguments given(argc, argv, {"mode", "in-flight", "waves", "rows"}, help);
        const vembed::bench::cores on;
        for (const std::string& mode : given.list("mode", "overhead,memory")) {
            if (mode == "overhead") {
                vembed::bench::run_overhead(given, on);
            } else if (mode == "memory") {
                vembed::bench::run_memory(given, on);
            } else {
                throw std::runtime_error("there is no mode " + mode);
            }
        }
        return 0;
    } catch (const std::exception& e) {
        std::cerr << "bulk: " << e.what() << '\n';
        return 1;
    }
}
