#include "cli/commands/receipt_file_check.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>

#include <boost/json/array.hpp>

#include <vembed/verify/claim_check.hpp>
#include <vembed/verify/offline_check.hpp>

#include "audit/check_tally.hpp"
#include "cli/options/few_texts.hpp"
#include "cli/options/known_account.hpp"
#include "cli/report/json_report.hpp"
#include "client/jobs/settled_job.hpp"
#include "cyberian/wire/codec.hpp"
#include "folder/records/npy_input.hpp"
#include "storage/file_ops.hpp"
#include "text/json_fields.hpp"
#include "text/json_value.hpp"
#include "text/text_format.hpp"

namespace vembed::cli {
namespace {

constexpr std::size_t results_bytes_max = std::size_t{16} << 20;
constexpr std::size_t printed_receipt_bytes_max = 8 * receipt_bytes_max;  // Escapes and fields make it longer.
constexpr std::uint64_t rows_read_at_once = 1024;

/// What the user has besides the receipt.
class brought {
public:
    std::string receipt;
    std::optional<job_results> results;
    std::optional<std::vector<input_digests>> inputs;
    std::optional<folder::npy_input> rows;
    account_pins pins;

    brought() = default;
};

// `vembed receipt get ID --json` prints the receipt's own text as a string, besides its fields. People read the fields,
// so they have to agree with that text. Any other text is the receipt itself.
result<std::string> receipt_text_in(std::string text, const std::string& path) {
    const auto object = text::object_of(text);
    if (!object || text::text_of(*object, "type") != "receipt" || !object->contains("receipt_text")) {
        return text;
    }
    std::string own = text::text_of(*object, "receipt_text");
    const auto read = cyberian::read_receipt(own);
    if (!read) {
        return error(errc::bad_input, path + ": its receipt_text is no receipt: " + read.error().message);
    }
    boost::json::object expected = receipt_object(*read);
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

result<brought> gather(const receipt_arguments& arguments) {
    brought out;
    auto known = read_known_account(arguments.pins_file, arguments.account);
    if (!known) {
        return known.error();
    }
    out.pins = std::move(known->pins);
    auto text = read_text(arguments.file, printed_receipt_bytes_max);
    if (!text) {
        return text.error();
    }
    auto own_text = receipt_text_in(std::move(*text), arguments.file);
    if (!own_text) {
        return own_text.error();
    }
    out.receipt = std::move(*own_text);
    if (!arguments.results_file.empty()) {
        const auto listed = read_text(arguments.results_file, results_bytes_max);
        if (!listed) {
            return listed.error();
        }
        auto results = cyberian::read_results(*listed);
        if (!results && listed->find_first_not_of(" \t\r\n") != listed->find('{')) {
            return error(
                errc::bad_input,
                arguments.results_file +
                    " is not JSON: use `vembed job results ID --json`, or the response to GET /jobs/ID/results");
        }
        if (!results) {
            return error(errc::bad_input, arguments.results_file + " is not the response to GET /jobs/ID/results: " +
                                              results.error().message);
        }
        out.results = std::move(*results);
    }
    if (!arguments.corpus.inputs.empty()) {
        const auto texts = read_few_texts(arguments.corpus);
        if (!texts) {
            return texts.error();
        }
        out.inputs.emplace(texts->begin(), texts->end());
    }
    if (!arguments.npy_file.empty()) {
        auto rows = folder::npy_input::open(arguments.npy_file);
        if (!rows) {
            return rows.error();
        }
        out.rows = std::move(*rows);
    }
    return out;
}

// The SHA-256 of the rows [first, end).
result<digest> hash_rows(const folder::npy_input& rows, std::uint64_t first, std::uint64_t end) {
    sha256 hash;
    while (first < end) {
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

result<output_evidence> output_of(const folder::npy_input& rows, const std::vector<expected_chunk>& chunks) {
    output_evidence output;
    output.rows = rows.layout().rows;
    output.dimensions = rows.layout().dimensions;
    output.bytes = output.rows * output.dimensions * sizeof(float);
    if (!check_tiling(chunks, output.rows)) {
        return output;  // The check of the ranges says what is wrong.
    }
    for (const expected_chunk& chunk : chunks) {
        const auto hashed = hash_rows(rows, chunk.row_start, chunk.row_end);
        if (!hashed) {
            return hashed.error();
        }
        output.chunk_digests.push_back(*hashed);
    }
    return output;
}

// Checks the receipt with the job's results, which name every chunk.
result<offline_report> check_with_results(const brought& have) {
    offline_evidence evidence;
    evidence.job_id = have.results->job_id;
    evidence.receipt_id = have.results->receipt_id.value_or("");
    results_evidence listed;
    listed.job_id = have.results->job_id;
    listed.receipt_id = have.results->receipt_id;
    listed.chunks = detail::listed_chunks(*have.results);
    for (const expected_chunk& chunk : listed.chunks) {
        evidence.rows = std::max(evidence.rows, chunk.row_end);
    }
    if (have.rows) {
        auto output = output_of(*have.rows, listed.chunks);
        if (!output) {
            return output.error();
        }
        evidence.output = std::move(*output);
    }
    evidence.results = std::move(listed);
    evidence.inputs = have.inputs;
    return verify_receipt_offline(have.receipt, evidence, have.pins);
}

// Checks the receipt without the job's results; it tries the rows as one chunk.
result<offline_report> check_alone(const brought& have) {
    claim_evidence claim;
    claim.inputs = have.inputs;
    claim.rows = have.inputs ? have.inputs->size() : 0;
    if (have.rows) {
        const std::uint64_t rows = have.rows->layout().rows;
        if (have.inputs && rows != have.inputs->size()) {
            return error(errc::invalid_argument, "there are " + text::grouped(have.inputs->size()) + " texts and " +
                                                     text::grouped(rows) + " rows: they are not of one job");
        }
        claim.rows = rows;
        const auto hashed = hash_rows(*have.rows, 0, rows);
        if (!hashed) {
            return hashed.error();
        }
        claim.commitment = to_hex(*hashed);
    }
    offline_report report = verify_claim_offline(have.receipt, claim, have.pins);
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

// The checks that the user gave the data for, and those that the user named.
std::vector<std::string> required_of(const brought& have, const receipt_arguments& arguments) {
    std::vector<std::string> names = {"receipt_form", "receipt_hash"};
    if (have.inputs) {
        names.emplace_back("inputs_root");
    }
    if (have.results || have.rows) {
        names.emplace_back("outputs_root");
    }
    if (have.results && have.rows) {
        names.emplace_back("output_commitment");
    }
    for (const std::string& named : arguments.required) {
        if (named != "all") {
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

exit_code code_of(const offline_report& report, const std::vector<std::string>& required) {
    if (report.first_failed() != nullptr) {
        return exit_code::verification_failed;
    }
    return report.not_verified(required).empty() ? exit_code::done : exit_code::not_checkable;
}

std::string summary(const offline_report& report, const std::vector<std::string>& required) {
    if (const offline_check* const bad = report.first_failed()) {
        return "failed: " + bad->name;
    }
    std::string names;
    for (const offline_check& check : report.checks) {
        const std::vector<std::string> one = {check.name};
        const bool asked = std::ranges::find(required, check.name) != required.end();
        if (asked && !report.not_verified(one).empty()) {
            names += (names.empty() ? "" : ", ") + check.name;
        }
    }
    return names.empty() ? "verified, as far as it could be checked: see above" : "could not be checked: " + names;
}

boost::json::object check_object(const std::string& file, const offline_report& report,
                                 const std::vector<std::string>& required, exit_code code) {
    boost::json::object out;
    out["file"] = text::json_string(file);
    boost::json::array checks;
    for (const offline_check& check : report.checks) {
        boost::json::object one;
        one["name"] = text::json_string(check.name);
        one["verdict"] = to_string(check.verdict);
        one["basis"] = text::json_string(check.basis_text());
        one["required"] = std::ranges::find(required, check.name) != required.end();
        one["reason"] = text::json_string(check.reason);
        checks.push_back(std::move(one));
    }
    out["checks"] = std::move(checks);
    out["chunks_reexecuted"] = text::rows_array(report.chunks_reexecuted);
    out["chunks_not_reexecuted"] = text::rows_array(report.chunks_not_reexecuted);
    out["receipts_signed"] = false;
    out["origin"] = origin_line;
    out["exit_code"] = static_cast<int>(code);
    return out;
}

result<void> check_names(const std::vector<std::string>& required) {
    for (const std::string& name : required) {
        if (name != "all" && std::ranges::find(offline_check_names, name) == std::end(offline_check_names)) {
            return error(errc::invalid_argument, "--require " + name +
                                                     ": there is no check of that name; `vembed receipt check "
                                                     "--help` lists them");
        }
    }
    return {};
}

}  // namespace

exit_code check_one_receipt(const command_context& context, const receipt_arguments& arguments) {
    if (auto named = check_names(arguments.required); !named) {
        return give_up(context.out, named.error());
    }
    const auto have = gather(arguments);
    if (!have) {
        return give_up(context.out, have.error());
    }
    const auto report = have->results ? check_with_results(*have) : check_alone(*have);
    if (!report) {
        return give_up(context.out, report.error());
    }
    const std::vector<std::string> required = required_of(*have, arguments);
    const exit_code code = code_of(*report, required);
    if (context.out.json()) {
        context.out.print_object("receipt_check", check_object(arguments.file, *report, required, code));
        return code;
    }
    context.out.write_data(text::printable_lines(report->text()));
    const std::string line = text::printable(arguments.file) + ": " + summary(*report, required);
    code == exit_code::done ? context.out.say(line) : context.out.warn(line);
    return code;
}

}  // namespace vembed::cli
