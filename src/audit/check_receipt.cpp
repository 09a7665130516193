#include <vembed/audit/check_receipt.hpp>

#include <algorithm>
#include <span>
#include <utility>

#include <vembed/verify/claim_check.hpp>

#include "audit/report/judging.hpp"
#include "audit/report/report_json.hpp"
#include "cyberian/wire/codec.hpp"
#include "cyberian/wire/listed_chunks.hpp"
#include "folder/records/npy_input.hpp"
#include "storage/file_ops.hpp"
#include "text/json/json_fields.hpp"
#include "text/json/json_value.hpp"
#include "text/text_format.hpp"

namespace vembed {
namespace {

constexpr std::size_t results_bytes_max = std::size_t{16} << 20;
constexpr std::size_t printed_receipt_bytes_max = 8 * receipt_bytes_max;  // Escapes and fields make it longer.
constexpr std::uint64_t rows_read_at_once = 1024;

// `vembed receipt get ID --json` prints the receipt's own text as a string, besides its fields. People read the fields,
// so they have to agree with that text. Any other text is the receipt itself.
result<std::string> receipt_text_in(std::string text, const std::string& path) {
    const auto object = text::object_of(text);
    if (!object || text::text_of(*object, "type") != "receipt" || !object->contains("receipt_text")) {
        return text;
    }
    std::string own = text::text_of(*object, "receipt_text");
    const auto read = cyberian::read_response<receipt>(own);
    if (!read) {
        return error(errc::bad_input, path + ": its receipt_text is no receipt: " + read.error().message);
    }
    boost::json::object expected = audit::json_of(*read);
    expected["type"] = "receipt";
    expected["receipt_text"] = text::json_string(own);
    if (*object != expected) {
        return error(errc::verification_failed, path + ": its fields are not those of the receipt in receipt_text");
    }
    return own;
}

// If the file is too long, the text is cut just past the limit, which shows that.
result<std::string> read_text(const std::string& path, std::size_t bytes_max) {
    auto text = storage::read_beginning(path, bytes_max + 1);
    if (!text) {
        return text;
    }
    // The line end that a shell or an editor added is not part of the service's bytes.
    while (text->ends_with('\n') || text->ends_with('\r')) {
        text->pop_back();
    }
    return text;
}

// The SHA-256 of the rows [first, end).
result<digest> hash_rows(const folder::npy_input& rows, std::uint64_t first, std::uint64_t end,
                         const std::stop_token& stop) {
    sha256 hash;
    while (first < end) {
        if (stop.stop_requested()) {
            return error(errc::cancelled, "interrupted");
        }
        const std::uint64_t count = std::min(end - first, rows_read_at_once);
        matrix block(static_cast<Eigen::Index>(count), static_cast<Eigen::Index>(rows.layout().dimensions));
        if (auto read = rows.read(first, block); !read) {
            return read.error();
        }
        hash.update(std::as_bytes(std::span(block.data(), static_cast<std::size_t>(block.size()))));
        first += count;
    }
    return hash.finish();
}

result<output_evidence> output_of(const folder::npy_input& rows, const std::vector<expected_chunk>& chunks,
                                  const std::stop_token& stop) {
    output_evidence output;
    output.rows = rows.layout().rows;
    output.dimensions = rows.layout().dimensions;
    output.bytes = output.rows * output.dimensions * sizeof(float);
    if (!check_tiling(chunks, output.rows)) {
        return output;  // The check of the ranges says what is wrong.
    }
    for (const expected_chunk& chunk : chunks) {
        const auto hashed = hash_rows(rows, chunk.row_start, chunk.row_end, stop);
        if (!hashed) {
            return hashed.error();
        }
        output.chunk_digests.push_back(*hashed);
    }
    return output;
}

// Checks the receipt with the job's results, which name every chunk.
result<offline_report> check_with_results(std::string_view receipt_text, const receipt_evidence& have,
                                          const std::optional<folder::npy_input>& rows) {
    offline_evidence evidence;
    evidence.job_id = have.results->job_id;
    evidence.receipt_id = have.results->receipt_id.value_or("");
    results_evidence listed;
    listed.job_id = have.results->job_id;
    listed.receipt_id = have.results->receipt_id;
    listed.chunks = cyberian::listed_chunks(*have.results);
    for (const expected_chunk& chunk : listed.chunks) {
        evidence.rows = std::max(evidence.rows, chunk.row_end);
    }
    if (rows) {
        auto output = output_of(*rows, listed.chunks, have.stop);
        if (!output) {
            return output.error();
        }
        evidence.output = std::move(*output);
    }
    evidence.results = std::move(listed);
    evidence.inputs = have.inputs;
    return verify_receipt_offline(receipt_text, evidence, have.pins);
}

// Checks the receipt without the job's results; it tries the rows as one chunk.
result<offline_report> check_alone(std::string_view receipt_text, const receipt_evidence& have,
                                   const std::optional<folder::npy_input>& npy) {
    claim_evidence claim;
    claim.inputs = have.inputs;
    claim.rows = have.inputs ? have.inputs->size() : 0;
    if (npy) {
        const std::uint64_t rows = npy->layout().rows;
        if (have.inputs && rows != have.inputs->size()) {
            return error(errc::invalid_argument, "there are " + text::grouped(have.inputs->size()) + " texts and " +
                                                     text::grouped(rows) + " rows: they are not of one job");
        }
        claim.rows = rows;
        const auto hashed = hash_rows(*npy, 0, rows, have.stop);
        if (!hashed) {
            return hashed.error();
        }
        claim.commitment = to_hex(*hashed);
    }
    offline_report report = verify_claim_offline(receipt_text, claim, have.pins);
    for (offline_check& check : report.checks) {
        if (check.name == "receipt_job") {
            check.verdict = check_verdict::not_checkable;
            check.reason = "which job it should be of is not known without --results";
        } else if (check.name == "ranges" || check.name == "results_job" || check.name == "output_commitment") {
            check.reason = "the job's chunks are not known without --results";
        } else if (check.name == "output_shape") {
            check.reason = "how many rows the job had is not known without --results";
        }
    }
    return report;
}

// The checks that the caller gave the data for, and those that were named.
std::vector<std::string> required_of(const receipt_evidence& have) {
    std::vector<std::string> names = {"receipt_form", "receipt_hash"};
    if (have.inputs) {
        names.emplace_back("inputs_root");
    }
    if (have.results || !have.npy_file.empty()) {
        names.emplace_back("outputs_root");
    }
    if (have.results && !have.npy_file.empty()) {
        names.emplace_back("output_commitment");
    }
    for (const std::string& named : have.required) {
        if (named != audit::all_checks) {
            names.push_back(named);
            continue;
        }
        for (const std::string_view check : offline_check_names) {
            if (check != "origin") {
                names.emplace_back(check);
            }
        }
    }
    return names;
}

}  // namespace

bool receipt_report::requires_check(std::string_view name) const {
    return std::ranges::find(required, name) != required.end();
}

check_verdict receipt_report::verdict() const {
    if (checks.first_failed() != nullptr) {
        return check_verdict::failed;
    }
    return checks.not_verified(required).empty() ? check_verdict::verified : check_verdict::not_checkable;
}

std::string receipt_report::summary() const {
    if (const offline_check* const bad = checks.first_failed()) {
        return "failed: " + bad->name;
    }
    std::string names;
    for (const offline_check& check : checks.checks) {
        if (check.verdict != check_verdict::verified && requires_check(check.name)) {
            names += (names.empty() ? "" : ", ") + check.name;
        }
    }
    return names.empty() ? "verified, as far as it could be checked: see above" : "could not be checked: " + names;
}

result<std::string> read_receipt_file(const std::string& path) {
    auto text = read_text(path, printed_receipt_bytes_max);
    if (!text) {
        return text;
    }
    return receipt_text_in(std::move(*text), path);
}

result<job_results> read_results_file(const std::string& path) {
    const auto listed = read_text(path, results_bytes_max);
    if (!listed) {
        return listed.error();
    }
    auto results = cyberian::read_response<job_results>(*listed);
    if (!results && listed->find_first_not_of(" \t\r\n") != listed->find('{')) {
        return error(
            errc::bad_input,
            path + " is not JSON: use `vembed job results ID --json`, or the response to GET /jobs/ID/results");
    }
    if (!results) {
        return error(errc::bad_input,
                     path + " is not the response to GET /jobs/ID/results: " + results.error().message);
    }
    return results;
}

result<receipt_report> check_receipt(std::string_view receipt_text, const receipt_evidence& evidence) {
    for (const std::string& name : evidence.required) {
        if (name != audit::all_checks &&
            std::ranges::find(offline_check_names, name) == std::end(offline_check_names)) {
            return error(errc::invalid_argument, "there is no check called " + name);
        }
    }
    std::optional<folder::npy_input> rows;
    if (!evidence.npy_file.empty()) {
        auto opened = folder::npy_input::open(evidence.npy_file);
        if (!opened) {
            return opened.error();
        }
        rows = std::move(*opened);
    }
    auto checks =
        evidence.results ? check_with_results(receipt_text, evidence, rows) : check_alone(receipt_text, evidence, rows);
    if (!checks) {
        return checks.error();
    }
    receipt_report report;
    report.checks = std::move(*checks);
    report.required = required_of(evidence);
    return report;
}

}  // namespace vembed
