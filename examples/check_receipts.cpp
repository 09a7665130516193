// Checks receipts as rows come, a kept receipt without the service, and a row proof.
//
//   usage: example_check_receipts embed PINS_FILE TEXT...
//          example_check_receipts proof PROOF_FILE ROOT ROWS TEXT
//
// Exit status: 0 nothing failed, 1 it could not be done, 2 usage, 5 a check failed, 6 a check could not be made.

#include <cstddef>
#include <cstdint>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <vembed/vembed.hpp>

std::string content_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        throw vembed::storage_error(vembed::error(vembed::errc::io, path + " cannot be read"));
    }
    return {std::istreambuf_iterator<char>(file), {}};
}

// What somebody can check who has the job's texts, rows, results and receipt, without asking the service.
bool holds(const vembed::embedded_job& job, const std::vector<std::string>& texts, const vembed::matrix& rows,
           const vembed::account_pins& pins) {
    vembed::offline_evidence evidence;
    evidence.job_id = job.job.id;
    evidence.receipt_id = job.job.receipt_id.value_or("");
    evidence.rows = job.row_count;
    vembed::results_evidence& results = evidence.results.emplace();
    results.job_id = job.results.job_id;
    results.receipt_id = job.results.receipt_id;
    vembed::output_evidence& output = evidence.output.emplace();
    output.rows = job.row_count;
    output.dimensions = static_cast<std::uint64_t>(rows.cols());
    output.bytes = output.rows * output.dimensions * sizeof(float);
    for (const vembed::chunk_result& chunk : job.results.chunks) {
        results.chunks.emplace_back(chunk.chunk_index, chunk.row_start, chunk.row_end, chunk.output_commitment,
                                    chunk.selected_for_verification);
        const auto first = static_cast<Eigen::Index>(job.first_row + chunk.row_start);
        const auto count = static_cast<Eigen::Index>(chunk.row_end - chunk.row_start);
        output.chunk_digests.push_back(*vembed::digest_from_hex(vembed::commitment(rows.middleRows(first, count))));
    }
    const auto first = texts.begin() + static_cast<std::ptrdiff_t>(job.first_row);
    evidence.inputs.emplace(first, first + static_cast<std::ptrdiff_t>(job.row_count));  // their SHA-256 is enough
    const vembed::offline_report report = vembed::verify_receipt_offline(job.receipt.raw_text, evidence, pins);
    std::cout << report.text();
    return report.first_failed() == nullptr;
}

int embed(const std::string& pins_file, const std::vector<std::string>& texts) {
    vembed::client_options options;
    options.verify = vembed::verify_level::offline;  // every receipt is recomputed before the matrix is handed out
    options.pins_file = pins_file;                   // what the account's receipts were seen to follow
    vembed::blocking_client client(std::move(options));
    const auto embedded = client.embed("bge-large-v1.5", texts);
    if (!embedded) {
        std::cerr << embedded.error() << '\n';
        return embedded.error().kind == vembed::errc::verification_failed ? 5 : 1;
    }
    for (const vembed::embedded_job& job : embedded->jobs) {
        std::cout << job.checks.text();  // each check: verified, failed or not checkable, and on what basis
    }
    const vembed::embedded_job& first = embedded->jobs.front();
    return holds(first, texts, embedded->rows, first.checks.pins) ? 0 : 5;  // the pins with what this receipt added
}

int check_proof(const std::string& file, const std::string& root, const std::string& rows, const std::string& text) {
    vembed::row_proof_expectations expected;
    expected.root = vembed::digest_from_hex(root);  // as the folder's owner published it
    expected.rows = std::stoull(rows);              // published with it
    expected.text = text;
    if (!expected.root) {
        std::cerr << "ROOT is not 64 hex digits\n";
        return 2;
    }
    const vembed::row_proof_report report = vembed::check_row_proof_text(content_of(file), expected);
    std::cout << report.text();  // each check, and under whose word it stands
    return report.verified() ? 0 : report.first_failed() != nullptr ? 5 : 6;
}

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    try {
        if (words.size() >= 3 && words[0] == "embed") {
            return embed(words[1], {words.begin() + 2, words.end()});
        }
        if (words.size() == 5 && words[0] == "proof") {
            return check_proof(words[1], words[2], words[3], words[4]);
        }
        std::cerr << "usage: " << argv[0] << " embed PINS_FILE TEXT... | proof PROOF_FILE ROOT ROWS TEXT\n";
        return 2;
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
