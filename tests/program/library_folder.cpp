// The library's side of test_library_folder.py: embeds a corpus with run_folder() and prints the report as one JSON
// line.
//
//   usage: library_folder CORPUS FOLDER ID_FIELD|- keep|fail|skip [STOP_AFTER_ROWS]
//
// The fourth argument says what becomes of blank lines. With STOP_AFTER_ROWS a stop is requested once so many rows are
// done. Everything else is what the test gives `vembed embed` as options. Standard error tells how many rows are done,
// a line for each change. CYBERIAN_BASE_URL and CYBERIAN_API_KEY say which service.

#include <cstdint>
#include <exception>
#include <iostream>
#include <stop_token>
#include <string>
#include <vector>

#include <vembed/vembed.hpp>

namespace {

vembed::run_folder_options options_from(const std::vector<std::string>& words) {
    vembed::run_folder_options run;
    run.inputs = {words[0]};
    run.folder = words[1];
    run.format.id_field = words[2] == "-" ? "" : words[2];
    run.format.blank = words[3] == "fail"   ? vembed::blank_lines::fail
                       : words[3] == "skip" ? vembed::blank_lines::skip
                                            : vembed::blank_lines::keep;
    run.bulk.model = "bge-large-v1.5";
    run.bulk.rows_per_job = 10;
    run.bulk.jobs_in_flight = 1;
    return run;
}

void print(const vembed::bulk_report& done) {
    std::cout << R"({"reason":")" << vembed::to_string(done.reason) << R"(","rows_done":)" << done.rows_done
              << R"(,"rows_done_before":)" << done.rows_done_before << R"(,"rows_failed":)" << done.rows_failed
              << R"(,"rows_duplicate":)" << done.rows_duplicate << R"(,"jobs":)" << done.jobs << R"(,"chunks_used":)"
              << done.chunks_used << "}\n";
}

int embed(vembed::run_folder_options run, std::uint64_t stop_after_rows) {
    std::stop_source stop;
    run.bulk.stop = stop.get_token();
    run.bulk.progress_interval = {};
    run.bulk.on_progress = [&stop, stop_after_rows, told = std::uint64_t{0}](const vembed::progress& now) mutable {
        if (now.rows_done != told) {
            told = now.rows_done;
            std::cerr << told << " rows done" << std::endl;
        }
        if (stop_after_rows > 0 && now.rows_done >= stop_after_rows) {
            stop.request_stop();
        }
    };
    vembed::blocking_client client;
    const auto done = vembed::run_folder(client, std::move(run));
    if (!done) {
        std::cerr << done.error() << '\n';
        return 1;
    }
    print(done->bulk);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.size() != 4 && words.size() != 5) {
        std::cerr << "usage: library_folder CORPUS FOLDER ID_FIELD|- keep|fail|skip [STOP_AFTER_ROWS]\n";
        return 2;
    }
    try {
        return embed(options_from(words), words.size() == 5 ? std::stoull(words[4]) : 0);
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
