/// What SHA-256 costs, beside `openssl speed -evp sha256 -bytes 16384` on the same core in the same rounds. All rates
/// are per second of CPU time, as openssl's own are.
///
/// stream: an output hashed chunk by chunk while it arrives in pieces, as the client does it; also with the hash over
/// the whole output. sink: what the hashes of texts and rows cost npy_sink. folder: `vembed embed` of a corpus, then
/// `vembed verify` of its folder, without and with the hashes of the rows.
///
///     hashing [--mode stream,sink,folder] [--rounds 5] [--seconds 3] [--rows 117659]
///             [--program build/release/bin/vembed]

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string_view>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <vembed/bulk/sink.hpp>
#include <vembed/folder/npy_sink.hpp>
#include <vembed/verify/output_check.hpp>

#include "client_runs.hpp"
#include "folder/records/row_hashes.hpp"
#include "harness.hpp"
#include "service_process.hpp"

namespace vembed::bench {
namespace {

namespace json = boost::json;

constexpr std::uint64_t rows_per_job = 1000;
constexpr std::uint64_t rows_per_chunk = 100;
constexpr std::uint64_t row_bytes = bench_dimensions * sizeof(float);
constexpr const char* yardstick = "openssl";

using figures = std::map<std::string, std::vector<double>>;

template <class T>
void must(const result<T>& done) {
    if (!done) {
        throw std::runtime_error(done.error().describe());
    }
}

// "+F:25:sha256:1627914240.00" is openssl's line for programs.
double openssl_bytes_per_second(std::uint64_t seconds) {
    const std::string command =
        "openssl speed -mr -evp sha256 -bytes 16384 -seconds " + std::to_string(seconds) + " 2>/dev/null";
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> out(::popen(command.c_str(), "r"), &::pclose);
    double found = 0;
    char line[256];
    while (out && std::fgets(line, sizeof line, out.get()) != nullptr) {
        const std::string_view text(line);
        if (text.starts_with("+F:")) {
            found = std::strtod(line + text.rfind(':') + 1, nullptr);
        }
    }
    if (found <= 0) {
        throw std::runtime_error("`openssl speed` gave no figure; is openssl installed?");
    }
    return found;
}

double cpu_of(const std::function<void()>& work) {
    const double before = cpu_seconds();
    work();
    return cpu_seconds() - before;
}

/// One output of a job, and the commitments of its chunks.
class job_output {
public:
    std::vector<float> values;
    std::vector<expected_chunk> chunks;

    job_output() : values(rows_per_job * bench_dimensions) {
        for (std::size_t i = 0; i < values.size(); ++i) {
            values[i] = static_cast<float>(i % 977) + 1;
        }
        const auto bytes = std::as_bytes(std::span<const float>(values));
        for (std::uint64_t row = 0; row < rows_per_job; row += rows_per_chunk) {
            const digest hash = sha256_of(bytes.subspan(row * row_bytes, rows_per_chunk * row_bytes));
            chunks.emplace_back(chunks.size(), row, row + rows_per_chunk, to_hex(hash));
        }
    }
};

double stream_bytes_per_second(const job_output& output, std::size_t piece_bytes, std::uint64_t jobs,
                               bool with_whole = false) {
    const auto bytes = std::as_bytes(std::span<const float>(output.values));
    const double cpu = cpu_of([&] {
        for (std::uint64_t job = 0; job < jobs; ++job) {
            output_hasher hasher(output.chunks, row_bytes, with_whole);
            for (auto rest = bytes; !rest.empty(); rest = rest.subspan(std::min(piece_bytes, rest.size()))) {
                hasher.update(rest.first(std::min(piece_bytes, rest.size())));
            }
            must(hasher.finish());
        }
    });
    return static_cast<double>(jobs * bytes.size()) / cpu;
}

void stream_round(const arguments& given, figures& into) {
    static const job_output output;
    constexpr std::uint64_t jobs = 500;
    into[yardstick].push_back(openssl_bytes_per_second(given.number("seconds", 3)));
    const std::uint64_t before = resident_bytes();
    for (const std::size_t piece : {std::size_t{1460}, std::size_t{16384}, std::size_t{262144}}) {
        into["pieces of " + std::to_string(piece)].push_back(stream_bytes_per_second(output, piece, jobs));
    }
    into["and the whole, 16384"].push_back(stream_bytes_per_second(output, 16384, jobs, true));
    into["KiB grown"].push_back(static_cast<double>(resident_bytes()) / 1024 - static_cast<double>(before) / 1024);
}

std::vector<std::uint64_t> numbers(std::uint64_t first, std::uint64_t count) {
    std::vector<std::uint64_t> out(count);
    for (std::uint64_t i = 0; i < count; ++i) {
        out[i] = first + i;
    }
    return out;
}

// CPU seconds a million rows of each step, with files that stay in the page cache.
void sink_round(const arguments&, figures& into) {
    static const job_output output;
    static const std::vector<std::string> texts = make_texts(rows_per_job);
    constexpr std::uint64_t jobs = 50;
    constexpr double millions = static_cast<double>(jobs * rows_per_job) / 1e6;
    const scratch_folder folder;
    npy_sink sink(folder.file("sink"));
    std::filesystem::create_directories(folder.file("hashes"));
    folder::row_hashes hashes(storage::system_file_ops(), folder.file("hashes"));
    must(hashes.open(false));
    const std::span<const float> values(output.values);
    for (std::uint64_t job = 0; job < jobs; ++job) {
        const std::uint64_t first = job * rows_per_job;
        row_batch batch;
        batch.indices = numbers(first, rows_per_job);
        batch.dimensions = bench_dimensions;
        batch.values = values;
        source_row row;
        const auto each_row = [&](const std::function<void(std::uint64_t)>& work) {
            return cpu_of([&] {
                for (std::uint64_t i = 0; i < rows_per_job; ++i) {
                    row.text = texts[i];
                    work(first + i);
                }
            });
        };
        into["describe"].push_back(each_row([&](std::uint64_t i) { must(sink.declare_row(i, row)); }));
        into["describe: text hashes"].push_back(each_row([&](std::uint64_t i) { must(hashes.describe(i, row.text)); }));
        into["write"].push_back(cpu_of([&] { must(sink.write(batch)); }));
        into["write: row hashes"].push_back(cpu_of([&] { must(hashes.write(first, bench_dimensions, values)); }));
    }
    for (auto& [name, seconds] : into) {
        (void)name;
        double sum = 0;
        for (const double one : seconds) {
            sum += one;
        }
        seconds.assign(1, sum / millions);
    }
}

/// Runs a program and gives the CPU seconds it took.
double cpu_of_program(const std::string& command) {
    const double before = child_cpu_seconds();
    if (std::system((command + " >/dev/null 2>&1").c_str()) != 0) {
        throw std::runtime_error("this failed: " + command);
    }
    return child_cpu_seconds() - before;
}

void folder_round(const arguments& given, const std::string& folder, figures& into) {
    const std::string verify = given.text("program", "build/release/bin/vembed") + " verify " + folder;
    const double bytes = static_cast<double>(given.number("rows", 117'659) * row_bytes);
    into[yardstick].push_back(openssl_bytes_per_second(given.number("seconds", 3)));
    into["verify, chunks only"].push_back(bytes / cpu_of_program(verify + " --skip-rows"));
    into["verify"].push_back(bytes / cpu_of_program(verify));
}

/// The folder of a corpus, made by the program; its CPU seconds.
double make_folder(const arguments& given, const service_process& service, const scratch_folder& in) {
    const std::uint64_t rows = given.number("rows", 117'659);
    const std::vector<std::string> texts = make_texts(rows);
    std::ofstream corpus(in.file("corpus.txt"), std::ios::binary);
    for (const std::string& text : texts) {
        corpus << text << '\n';
    }
    corpus.close();
    ::setenv("CYBERIAN_BASE_URL", service.base_url.c_str(), 1);
    ::setenv("CYBERIAN_API_KEY", service.api_key.c_str(), 1);
    ::setenv("XDG_STATE_HOME", in.file("state").c_str(), 1);
    return cpu_of_program(given.text("program", "build/release/bin/vembed") + " embed " + in.file("corpus.txt") +
                          " -o " + in.file("out") + " --model " + bench_model);
}

json::object to_json(const figures& seen) {
    json::object out;
    for (const auto& [name, values] : seen) {
        out[name] = median(values);
    }
    return out;
}

// In the process on the client's core.
void measure(const std::string& mode, const arguments& given, const service_process* service, int to) {
    figures seen;
    const std::uint64_t rounds = given.number("rounds", 5);
    const scratch_folder folder;
    if (mode == "folder") {
        seen["embed, CPU s"].push_back(make_folder(given, *service, folder));
    }
    for (std::uint64_t round = 0; round < rounds; ++round) {
        if (mode == "stream") {
            stream_round(given, seen);
        } else if (mode == "folder") {
            folder_round(given, folder.file("out"), seen);
        } else {
            figures one;
            sink_round(given, one);
            for (const auto& [name, values] : one) {
                seen[name].push_back(values.front());
            }
        }
    }
    write_line(to, json::serialize(to_json(seen)));
}

void run(const std::string& mode, const arguments& given, const cores& on) {
    std::unique_ptr<service_process> service;
    if (mode == "folder") {
        service = std::make_unique<service_process>(on.server, nullptr);
    }
    child one(on.client, [&](int to) { measure(mode, given, service.get(), to); });
    json::object line = json::parse(one.result_line()).as_object();
    table people({"hashing " + mode, "seen", "of openssl"});
    const json::value* base = line.if_contains(yardstick);
    for (const auto& member : line) {
        const double value = member.value().to_number<double>();
        const bool rate = value > 1e6;
        people.add({std::string(member.key()), rate ? fixed(value / 1e9, 2) + " GB/s" : fixed(value, 2),
                    base != nullptr && rate ? fixed(value / base->to_number<double>(), 2) : ""});
    }
    line["benchmark"] = "hashing-" + mode;
    print_json(line);
    people.print();
}

}  // namespace
}  // namespace vembed::bench

constexpr std::string_view help =
    R"(What SHA-256 costs the client and the program, beside `openssl speed` on the same core.
Usage: hashing [OPTIONS]
  --mode stream,sink,folder
  --rounds 5          how often the variants take turns; medians are printed
  --seconds 3         length of one measurement
  --rows 117659       folder: rows of the corpus
  --program build/release/bin/vembed   folder: the program that is measured
)";

int main(int argc, char** argv) {
    try {
        const vembed::bench::arguments given(argc, argv, {"mode", "rounds", "seconds", "rows", "program"}, help);
        const vembed::bench::cores on;
        for (const std::string& mode : given.list("mode", "stream,sink,folder")) {
            if (mode != "stream" && mode != "sink" && mode != "folder") {
                throw std::runtime_error("there is no mode " + mode);
            }
            vembed::bench::run(mode, given, on);
        }
        return 0;
    } catch (const std::exception& e) {
        std::cerr << "hashing: " << e.what() << '\n';
        return 1;
    }
}
