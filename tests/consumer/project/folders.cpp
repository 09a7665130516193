// A user's program that takes a corpus through everything the library does with an output folder: it plans it, embeds
// it with a stop in the middle, asks how far it is, verifies, proves, exports, and has the rows attested.
//
//   usage: folders SCRATCH_FOLDER
//
// CYBERIAN_BASE_URL and CYBERIAN_API_KEY say which service: one of 5 rows a chunk that takes its time for each job, as
// `vembed serve --chunk-size 5 --settle-delay 30` is. Exit status: 0 everything is as it should be, 1 it is not and
// standard error names what was wrong, 2 usage.

#include <cstdint>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <vembed/vembed.hpp>

namespace {

namespace asio = boost::asio;

constexpr std::uint64_t all_rows = 60;
constexpr std::uint64_t first_copied = 3;
constexpr std::uint64_t empty_row = 7;
constexpr std::uint64_t copy_row = 40;
constexpr std::uint64_t good_rows = all_rows - 1;     // All but the empty one.
constexpr std::uint64_t rows_to_buy = good_rows - 1;  // The copy costs nothing.
constexpr std::uint64_t chunks_to_buy = 12;           // 58 rows, 5 in a chunk.
constexpr const char* model = "bge-small-v1.5";

void expect(bool holds, const std::string& what) {
    if (!holds) {
        throw std::runtime_error(what);
    }
}

std::string text_of(std::uint64_t row) {
    if (row == empty_row) {
        return "";
    }
    return "text number " + std::to_string(row == copy_row ? first_copied : row);
}

/// Where everything is.
class places {
public:
    explicit places(std::string scratch) : in(std::move(scratch)) {}

    [[nodiscard]] std::string file(const std::string& name) const { return in + "/" + name; }
    [[nodiscard]] std::string corpus() const { return file("corpus.jsonl"); }
    [[nodiscard]] std::string out() const { return file("out"); }

private:
    std::string in;
};

void write_corpus(const places& at) {
    std::ofstream file(at.corpus());
    for (std::uint64_t row = 0; row < all_rows; ++row) {
        file << R"({"id":"id)" << row << R"(","text":")" << text_of(row) << "\"}\n";
    }
    expect(static_cast<bool>(file.flush()), at.corpus() + " cannot be written");
}

vembed::file_source_options reading() {
    vembed::file_source_options format;
    format.id_field = "id";
    return format;
}

void plan(const places& at, vembed::blocking_client& client) {
    vembed::plan_corpus_options options;
    options.inputs = {at.corpus()};
    options.format = reading();
    options.model = model;
    options.rows_per_job = 10;
    options.rows_per_chunk = 5;
    options.folder = at.out();
    std::uint64_t surveyed = 0;
    options.reading.on_survey = [&surveyed](const vembed::corpus_survey& seen) { surveyed = seen.rows; };
    const vembed::corpus_plan made = vembed::plan_corpus(client, options).value();
    expect(made.seen.rows == all_rows && surveyed == all_rows, "the plan counts other rows than the corpus has");
    expect(made.seen.defective == 1 && made.seen.defects.at(0).row == empty_row, "the plan misses the empty row");
    expect(made.duplicates == 1, "the plan misses the copy");
    expect(made.purchases.size() == 1 && made.purchases[0].rows == rows_to_buy, "the plan buys other rows");
    expect(made.purchases[0].chunks == chunks_to_buy, "the plan buys other chunks");
    expect(made.account && made.purchases[0].finish, "the plan does not know the account");
    expect(!made.trouble, "the plan has trouble with the service");
    const vembed::corpus_plan alone = vembed::plan_corpus(options).value();
    expect(!alone.account && alone.purchases[0].rows == rows_to_buy, "the plan without a service is another one");
}

vembed::run_folder_options run_options(const places& at) {
    vembed::run_folder_options options;
    options.inputs = {at.corpus()};
    options.format = reading();
    options.folder = at.out();
    options.bulk.model = model;
    options.bulk.rows_per_job = 10;
    options.bulk.jobs_in_flight = 2;
    return options;
}

asio::awaitable<void> embed(vembed::client& client, vembed::run_folder_options options, vembed::bulk_report* report) {
    auto done = co_await vembed::run_folder(client, std::move(options));
    *report = std::move(done).value().bulk;
}

/// Each run has a client of its own, as in a process of its own.
vembed::bulk_report run(vembed::run_folder_options options) {
    asio::io_context loop(1);
    vembed::client client(loop.get_executor());
    vembed::bulk_report report;
    asio::co_spawn(loop, embed(client, std::move(options), &report), [](const std::exception_ptr& thrown) {
        if (thrown) {
            std::rethrow_exception(thrown);
        }
    });
    loop.run();
    return report;
}

std::uint64_t stop_in_the_middle(const places& at) {
    std::stop_source stop;
    std::uint64_t told = 0;
    vembed::run_folder_options options = run_options(at);
    options.bulk.stop = stop.get_token();
    options.bulk.progress_interval = {};
    options.bulk.on_progress = [&stop, &told](const vembed::progress& now) {
        told = now.rows_done;
        if (now.rows_done > 0) {
            stop.request_stop();
        }
    };
    const vembed::bulk_report report = run(std::move(options));
    expect(report.reason == vembed::stop_reason::stopped, "the stop did not end the run: " + report.message);
    expect(report.rows_done > 0 && report.rows_done < good_rows, "the stopped run is not in its middle");
    expect(told > 0 && told <= report.rows_done, "the progress did not come");
    expect(report.unknown.empty() && report.jobs_left.empty(), "the stop left jobs behind");
    return report.chunks_used;
}

void refuse_what_needs_the_whole(const places& at) {
    const auto status = vembed::read_folder_status(at.out()).value();
    expect(status.state == vembed::folder_state::unfinished, "the status does not call the run unfinished");
    expect(status.rows_total == all_rows && status.rows_left > 0, "the status counts wrongly");
    const auto proof = vembed::prove_row(at.out(), first_copied);
    expect(!proof && proof.error().obstacle == vembed::proof_obstacle::run_unfinished, "a row of half a run is proved");
    vembed::export_options whole;
    whole.file = at.file("half.fbin");
    const auto exported = vembed::export_folder(at.out(), whole);
    expect(!exported && exported.error().kind == vembed::errc::run_unfinished, "half a run is exported");
    const vembed::folder_report seen = vembed::verify_folder(at.out()).value();
    expect(!seen.complete && seen.judgement.verdict != vembed::check_verdict::failed, seen.text());
}

void go_on(const places& at, std::uint64_t chunks_before) {
    const vembed::bulk_report report = run(run_options(at));
    expect(report.reason == vembed::stop_reason::complete, "the second run does not end it: " + report.message);
    expect(report.rows_done == good_rows && report.rows_failed == 1, "the second run leaves rows out");
    expect(report.rows_done_before > 0, "the second run began anew");
    expect(report.chunks_used + chunks_before == chunks_to_buy, "the two runs bought something twice");
    const vembed::bulk_report again = run(run_options(at));
    expect(again.reason == vembed::stop_reason::complete && again.jobs == 0, "a finished folder is bought again");
    const auto status = vembed::read_folder_status(at.out()).value();
    expect(status.state == vembed::folder_state::complete, "the status does not call the run complete");
    expect(status.rows_done == good_rows && status.rows_failed == 1 && status.rows_left == 0,
           "the status of the finished folder counts wrongly");
    expect(status.chunks_charged == chunks_to_buy, "the status names other chunks than were bought");
}

void refuse_another_corpus(const places& at, vembed::blocking_client& client) {
    vembed::run_folder_options options = run_options(at);
    options.inputs.push_back(at.corpus());
    const auto refused = vembed::run_folder(client, std::move(options));
    expect(!refused && refused.error().kind == vembed::errc::folder_mismatch, "the folder takes another corpus");
}

void verify(const places& at, vembed::blocking_client& client) {
    vembed::verify_folder_options options;
    options.required = {std::string(vembed::online_check)};
    options.service = vembed::receipts_of(client);
    const vembed::folder_report seen = vembed::verify_folder(at.out(), options).value();
    expect(seen.judgement.verdict == vembed::check_verdict::verified && seen.complete, seen.text());
    expect(seen.rows == all_rows && seen.rows_failed == 1 && seen.rows_copied == 1, "verified are other rows");
    const vembed::check_tally* asked = seen.find(vembed::online_check);
    expect(asked != nullptr && asked->verified == seen.jobs, "the service was not asked about each receipt");
    expect(seen.learnable_account().has_value(), "the folder does not say whose receipts it has");
}

void prove(const places& at) {
    vembed::prove_row_options options;
    options.platform = true;
    const vembed::row_proof proof = vembed::prove_row(at.out(), copy_row, options).value();
    expect(proof.platform && proof.platform->of_row == first_copied, "the proof does not name the row that is copied");
    expect(proof == vembed::prove_row(at.out(), "id" + std::to_string(copy_row), options).value(),
           "the row's id leads to another proof than its number");
    vembed::row_proof_expectations known;
    known.root = proof.row.root;
    known.rows = all_rows;
    known.text = text_of(copy_row);
    const vembed::row_proof_report checked = vembed::check_row_proof(proof, known);
    expect(checked.verified(), checked.text());
    std::ofstream(at.file("row.json")) << proof.to_json();
    expect(vembed::check_row_proof_file(at.file("row.json"), known).value().verified(),
           "the proof's file does not hold");
    known.text = "another text";
    const auto* failed = vembed::check_row_proof(proof, known).first_failed();
    expect(failed != nullptr, "the proof holds for another text");
    const auto none = vembed::prove_row(at.out(), empty_row);
    expect(!none && none.error().kind == vembed::errc::bad_input, "a failed row is proved");
}

void export_both(const places& at) {
    vembed::export_options options;
    options.file = at.file("rows.fbin");
    const vembed::export_report all = vembed::export_folder(at.out(), options).value();
    expect(all.rows == all_rows && all.rows_failed == 1, "the export counts other rows");
    expect(std::filesystem::file_size(options.file) == 8 + all_rows * all.dimensions * sizeof(float),
           "the exported file has another size than its rows");
    options.format = vembed::export_format::safetensors;
    options.file = at.file("rows.safetensors");
    options.skip_failed = true;
    const vembed::export_report good = vembed::export_folder(at.out(), options).value();
    expect(good.rows == good_rows && good.bytes == std::filesystem::file_size(options.file),
           "the export without failed rows has other rows");
    expect(std::filesystem::exists(good.ids_file), "the export without failed rows has no ids");
}

void attest(const places& at, vembed::blocking_client& client) {
    std::uint64_t claims = 0;
    vembed::attest_options options;
    options.inputs = {at.corpus()};
    options.format = reading();
    options.npy_file = at.out() + "/embeddings.npy";
    options.output_file = at.file("attested.jsonl");
    options.model = model;
    options.rows_per_chunk = 5;
    options.on_claim = [&claims](const vembed::claim_record& one) {
        claims += one.outcome == vembed::claim_outcome::attested ? 1 : 0;
    };
    const vembed::attest_report first = vembed::attest_corpus(client, options).value();
    expect(!first.ended_by && first.rows_total == all_rows, "not every row was to be attested");
    expect(first.rows_attested == good_rows && first.rows_refused == 1, "other rows were attested than are good");
    expect(claims == first.requests, "the claims were not told as they came");
    const vembed::attest_report again = vembed::attest_corpus(client, options).value();
    expect(again.requests == 0 && again.rows_attested_before == good_rows, "rows were attested twice");
}

void run_all(const places& at) {
    vembed::blocking_client client;
    std::cout << "plan_corpus\n";
    write_corpus(at);
    plan(at, client);
    std::cout << "run_folder, stopped\n";
    const std::uint64_t chunks = stop_in_the_middle(at);
    std::cout << "read_folder_status, and what needs the whole\n";
    refuse_what_needs_the_whole(at);
    std::cout << "run_folder again\n";
    go_on(at, chunks);
    refuse_another_corpus(at, client);
    std::cout << "verify_folder\n";
    verify(at, client);
    std::cout << "prove_row, check_row_proof\n";
    prove(at);
    std::cout << "export_folder\n";
    export_both(at);
    std::cout << "attest_corpus\n";
    attest(at, client);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: folders SCRATCH_FOLDER\n";
        return 2;
    }
    try {
        run_all(places(argv[1]));
    } catch (const std::exception& error) {
        std::cerr << "wrong: " << error.what() << '\n';
        return 1;
    }
    std::cout << "folders work\n";
    return 0;
}
