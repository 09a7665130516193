/// Bytes per second of building the body of POST /jobs, beside Boost.JSON's serializer and a plain copy.
///
///     json_body [--text-bytes 1024] [--inputs 1000] [--rounds 9]

#include <cstring>
#include <iostream>
#include <map>
#include <string_view>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "client_runs.hpp"
#include "cyberian/wire/job_request.hpp"
#include "harness.hpp"
#include "service_process.hpp"

namespace vembed::bench {
namespace {

namespace json = boost::json;

std::string with_vembed(const job_request& request) {
    return cyberian::write_job_body(request);
}

std::string with_boost_json(const job_request& request) {
    json::object body;
    body["model"] = request.model;
    json::array& inputs = body["inputs"].emplace_array();
    inputs.reserve(request.inputs.size());
    for (const std::string& text : request.inputs) {
        inputs.emplace_back(text);
    }
    return json::serialize(body);
}

std::string copied(const job_request& request) {
    std::string out;
    out.reserve(request.inputs.size() * (request.inputs.front().size() + 3));
    for (const std::string& text : request.inputs) {
        out += text;
    }
    return out;
}

// Every text gets a line end, a quotation mark and a letter that is not ASCII in each hundred bytes.
void make_harder(std::vector<std::string>& texts) {
    for (std::string& text : texts) {
        for (std::size_t at = 50; at + 4 < text.size(); at += 100) {
            text.replace(at, 4, "\"\n\xc3\xa9");
        }
    }
}

double bytes_per_second(const job_request& request, std::string (*build)(const job_request&)) {
    std::size_t built = 0;
    const double began = seconds_now();
    double took = 0;
    while (took < 0.05) {
        built += build(request).size();
        took = seconds_now() - began;
    }
    return static_cast<double>(built) / took;
}

int run(const arguments& given) {
    table people({"texts", "builder", "GB/s"});
    for (const std::string kind : {"plain", "escapes"}) {
        job_request request = job_request::for_model(
            bench_model, make_texts(given.number("inputs", 1000), given.number("text-bytes", 1024)));
        if (kind == "escapes") {
            make_harder(request.inputs);
        }
        const std::vector<std::pair<std::string, std::string (*)(const job_request&)>> builders{
            {"vembed", &with_vembed}, {"boost.json", &with_boost_json}, {"copy", &copied}};
        std::map<std::string, std::vector<double>> seen;
        for (std::uint64_t round = 0; round < given.number("rounds", 9); ++round) {
            for (const auto& [name, build] : builders) {
                seen[name].push_back(bytes_per_second(request, build));
            }
        }
        for (const auto& [name, build] : builders) {
            json::object line;
            line["benchmark"] = "json_body";
            line["texts"] = kind;
            line["builder"] = name;
            line["bytes_per_second"] = median(seen[name]);
            print_json(line);
            people.add({kind, name, fixed(median(seen[name]) / 1e9, 2)});
        }
    }
    people.print();
    return 0;
}

}  // namespace
}  // namespace vembed::bench

constexpr std::string_view help =
    R"(Bytes per second of building the body of POST /jobs, beside Boost.JSON's serializer and a plain copy.
Usage: json_body [OPTIONS]
  --text-bytes 1024   bytes of one text
  --inputs 1000       texts of one body
  --rounds 9          how often the variants take turns; medians are printed
)";

int main(int argc, char** argv) {
    try {
        return vembed::bench::run(vembed::bench::arguments(argc, argv, {"text-bytes", "inputs", "rounds"}, help));
    } catch (const std::exception& e) {
        std::cerr << "json_body: " << e.what() << '\n';
        return 1;
    }
}
