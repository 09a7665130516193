#include "audit/folder_receipts.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <vembed/verify/output_check.hpp>

#include "cyberian/wire/listed_chunks.hpp"
#include "text/text_format.hpp"

namespace vembed::audit {
namespace {

constexpr std::string_view commitment_check = "output_commitment";
constexpr std::string_view shape_check = "output_shape";
constexpr const char* no_receipt = "the run did not ask for receipts";
constexpr const char* not_its_own =
    "rows of the job belong to another one too, or are not in the folder: they were not read for it";
constexpr const char* no_results = "the run did not ask for commitments (--verify none)";

class explained {
public:
    std::string_view name;
    std::string_view unit;
    std::string_view shows;
};

constexpr std::array<explained, std::size(offline_check_names)> explanations = {{
    {"receipt_form", "jobs", "each job has a receipt with the documented fields"},
    {"receipt_job", "jobs", "each receipt names the job it is kept with"},
    {"receipt_id", "jobs", "it is the receipt that the job's results name"},
    {"results_job", "jobs", "the job's results (its chunks) name the job"},
    {"specification", "jobs", "every receipt names the specification of the run: one model for all rows"},
    {"ranges", "jobs", "the job's chunks are all of its rows, without gap or overlap"},
    {"output_shape", "jobs", "the folder has as many rows and numbers as the job had inputs"},
    {"output_commitment", "chunks", "the rows of the chunk are, byte for byte, what the service committed to"},
    {"outputs_root", "jobs", "the receipt is about exactly these commitments"},
    {"inputs_root", "jobs", "the receipt is about exactly these texts, by the hashes kept of them"},
    {"receipt_hash", "jobs", "the receipt is as it was issued"},
    {"verification_attestation", "jobs", "the receipt is about exactly these chunks as the re-executed ones"},
    {"origin", "jobs", "who issued the receipts"},
}};

std::optional<pin_kind> kind_of(std::string_view check_name) {
    const auto found = std::ranges::find(pin_kinds, check_name, [](pin_kind kind) { return to_string(kind); });
    return found == pin_kinds.end() ? std::nullopt : std::optional(*found);
}

std::string place_of(const folder::proven_job& job) {
    return "job " + job.job_id + (job.receipt ? " (receipt " + job.receipt->receipt_id + ")" : "");
}

check_finding finding_of(const folder::proven_job& job, std::string what) {
    check_finding found(std::move(what));
    found.job_id = job.job_id;
    found.receipt_id = job.receipt ? job.receipt->receipt_id : std::string();
    return found;
}

std::vector<expected_chunk> chunks_of(const folder::proven_job& job) {
    return job.results ? cyberian::listed_chunks(*job.results) : std::vector<expected_chunk>();
}

offline_report check_offline(const folder::proven_job& job, const offline_evidence& evidence,
                             const account_pins& pins) {
    return job.receipt_text.empty() ? verify_output_offline(evidence, pins)
                                    : verify_receipt_offline(job.receipt_text, evidence, pins);
}

}  // namespace

folder_receipts::folder_receipts(folder_rows& rows, folder::digest_records* texts, run_facts_recorded facts,
                                 account_pins known, std::stop_token stop)
    : rows_(&rows),
      texts_(texts),
      facts_(std::move(facts)),
      known_(std::move(known)),
      pins_(known_),
      stop_(std::move(stop)) {
    for (std::size_t i = 0; i < explanations.size(); ++i) {
        checks.emplace_back(offline_check_names[i], "", explanations[i].unit, explanations[i].shows);
    }
}

check_tally& folder_receipts::named(std::string_view name) {
    return *std::ranges::find(checks, name, &check_tally::name);
}

result<offline_evidence> folder_receipts::gather(const folder::proven_job& job, bool with_inputs) {
    auto evidence = evidence_of(job, facts_, with_inputs ? texts_ : nullptr);
    if (!evidence || !evidence->inputs || rows_->complete()) {
        return evidence;
    }
    // In an unfinished run, a text that is not recorded yet is no finding.
    const std::vector<input_digests>& inputs = *evidence->inputs;
    if (inputs.size() != job.row_count() || std::ranges::count(inputs, digest{}, &input_digests::text) > 0) {
        evidence->inputs.reset();
    }
    return evidence;
}

void folder_receipts::add_output(const folder::proven_job& job, const std::vector<chunk_reading>& readings,
                                 offline_evidence& evidence) {
    output_evidence output;
    output.dimensions = rows_->dimensions();
    bool whole = true;
    for (const chunk_reading& reading : readings) {
        output.rows += reading.rows_there;
        whole = whole && reading.rows_there == reading.rows;
        if (whole) {
            output.chunk_digests.push_back(reading.bytes);
        }
    }
    output.bytes = output.rows * output.dimensions * sizeof(float);
    // In an unfinished run, a row that is not written yet is no finding.
    if (output.rows == job.row_count() || rows_->complete()) {
        evidence.output = std::move(output);
    }
}

result<void> folder_receipts::learn(const folder::proven_job& job, bool own) {
    if (stop_.stop_requested()) {
        return error(errc::cancelled, "interrupted");
    }
    if (facts_.spec_hash.empty() && job.receipt) {
        facts_.spec_hash = job.receipt->spec_hash;
    }
    // Evidence cannot narrow a pin that has one candidate left.
    auto evidence = gather(job, own && !pins_.pinned(pin_kind::inputs_root));
    if (!evidence) {
        return evidence.error();
    }
    const auto chunks = chunks_of(job);
    if (own && pins_.candidates(pin_kind::output_commitment).empty() && check_tiling(chunks, job.row_count())) {
        auto readings = read_chunks(*rows_, job, chunks, false);
        if (!readings) {
            return readings.error();
        }
        add_output(job, *readings, *evidence);
    }
    pins_ = check_offline(job, *evidence, pins_).pins;
    return {};
}

bool folder_receipts::is_committed(const expected_chunk& chunk, const digest& bytes) const {
    const auto& names = pins_.candidates(pin_kind::output_commitment);
    const auto gives_it = [&](commitment_encoding encoding) {
        return chunk_commitment(bytes, encoding) == chunk.commitment;
    };
    if (names.empty()) {
        return gives_it(commitment_encoding::sha256);
    }
    return std::ranges::any_of(names, [&](const std::string& name) {
        const auto encoding = commitment_encoding_named(name);
        return encoding && gives_it(*encoding);
    });
}

/// A scheme that only this folder's receipts have shown is no pin: nothing earlier says that the service uses it.
offline_check folder_receipts::on_own_ground(offline_check check) const {
    const auto kind = kind_of(check.name);
    if (check.basis != check_basis::pinned || !kind || !known_.candidates(*kind).empty()) {
        return check;
    }
    const bool documented = kind == pin_kind::output_commitment &&
                            check.schemes == std::vector<std::string>{name_of(commitment_encoding::sha256)};
    check.basis = documented ? check_basis::implied : check_basis::assumed;
    return check;
}

void folder_receipts::tally(const folder::proven_job& job, const offline_evidence& evidence, offline_check check,
                            bool own) {
    check = on_own_ground(std::move(check));
    check_tally& to = named(check.name);
    const bool of_results = check.name == "results_job" || check.name == "ranges" || check.name == shape_check;
    to.note_basis(check.basis_text());
    if (job.receipt_text.empty() && !of_results) {
        to.leave(check.name == "origin" ? check.reason : no_receipt);
    } else if (!job.results && of_results && check.verdict != check_verdict::failed) {
        to.leave(no_results);
    } else if (check.name == "inputs_root" && !evidence.inputs) {
        to.leave(!own                ? not_its_own
                 : texts_ == nullptr ? "the folder has no texts.sha256, which has the hashes of the texts"
                                     : not_written_yet);
    } else if (check.verdict == check_verdict::verified) {
        to.pass();
    } else if (check.verdict == check_verdict::not_checkable) {
        to.leave(check.name != shape_check ? check.reason
                 : !own                    ? not_its_own
                 : !rows_->complete()      ? not_written_yet
                                           : check.reason);
    } else {
        to.fail(finding_of(job, place_of(job) + ", " + text::describe_ranges(job.rows) + ": " + check.reason));
    }
}

void folder_receipts::tally_commitments(const folder::proven_job& job, const offline_check& check,
                                        const std::vector<expected_chunk>& chunks,
                                        const std::vector<chunk_reading>& readings, bool own) {
    const offline_check judged = on_own_ground(check);
    check_tally& to = named(commitment_check);
    to.note_basis(judged.basis_text());
    if (!job.results) {
        to.leave(no_results);
        return;
    }
    if (readings.size() != chunks.size() || chunks.empty()) {
        to.leave(own ? "the chunks listed are not the job's rows" : not_its_own,
                 std::max<std::uint64_t>(chunks.size(), 1));
        return;
    }
    bool first = true;  // The check's reason is about the first bad chunk.
    for (std::size_t i = 0; i < chunks.size(); ++i) {
        const bool whole = readings[i].rows_there == readings[i].rows;
        if (whole && is_committed(chunks[i], readings[i].bytes)) {
            to.pass();
        } else if (!rows_->complete()) {
            to.leave(not_written_yet);
        } else if (!chunks[i].commitment) {
            to.leave("the service gave no commitment for some chunks");
        } else if (judged.verdict != check_verdict::failed) {
            to.leave(judged.reason);
        } else if (!to.wants_finding()) {
            to.fail(check_finding());
        } else {
            check_finding found = finding_of(job, place_of(job) + ", chunk " + std::to_string(chunks[i].index) + ": ");
            found.chunk = chunks[i].index;
            found.what += text::describe_ranges(job.corpus_rows(chunks[i].row_start, chunks[i].row_end));
            found.what += !whole  ? " are not all in embeddings.npy"
                          : first ? " of the folder: " + judged.reason
                                  : " of the folder are not what the service committed to";
            to.fail(std::move(found));
            first = first && !whole;
        }
    }
}

void folder_receipts::report_rows(const folder::proven_job& job, const std::vector<expected_chunk>& chunks,
                                  bool committed, const std::vector<chunk_reading>& readings) {
    for (std::size_t i = 0; i < readings.size(); ++i) {
        const bool has_commitment = committed && chunks[i].commitment;
        const bool same = has_commitment && is_committed(chunks[i], readings[i].bytes);
        const std::string_view why =
            same ? "its bytes are those of the chunk's commitment, so it is the hash in rows.sha256 that has changed, "
                   "not the row"
            : has_commitment
                ? "it has changed: its bytes have neither the hash in rows.sha256 nor does their chunk have its "
                  "commitment"
                : "its bytes do not have the hash in rows.sha256";
        for (const std::uint64_t row : readings[i].changed) {
            const std::string chunk = committed ? "chunk " + std::to_string(chunks[i].index) + " of " : std::string();
            check_finding found = finding_of(job, " (" + chunk + place_of(job) + ")");
            if (committed) {
                found.chunk = chunks[i].index;
            }
            rows_->report_changed(std::move(found), row, why);
        }
    }
}

void folder_receipts::check_service_word(const folder::proven_job& job) {
    if (!job.verification) {
        service.leave("the run did not ask for it");
    } else if (job.verification->valid) {
        service.pass();
    } else {
        service.fail(finding_of(job, "the service said that the receipt of " + place_of(job) + " is not valid"));
    }
}

result<void> folder_receipts::check_output(const folder::proven_job& job) {
    sha256 whole;
    bool all_there = true;
    for (const auto& [first, end] : job.rows) {
        const std::uint64_t there = rows_->there(first, end);
        if (auto hashed = rows_->hash(first, first + there, whole); !hashed) {
            return hashed;
        }
        all_there = all_there && there == end - first;
    }
    if (digest_from_hex(job.output_sha256) == whole.finish()) {
        outputs.pass();
    } else if (!rows_->complete()) {
        outputs.leave(not_written_yet);
    } else {
        outputs.fail(finding_of(
            job, place_of(job) + ": " + text::describe_ranges(job.rows) +
                     (all_there ? " have changed since they were received" : " are not all in embeddings.npy")));
    }
    return {};
}

/// The rows are read even if the list of chunks makes no sense.
result<std::vector<chunk_reading>> folder_receipts::read_rows(const folder::proven_job& job,
                                                              const std::vector<expected_chunk>& listed, bool tiled) {
    const std::vector<expected_chunk> in_one(1, expected_chunk(0, 0, job.row_count()));
    return read_chunks(*rows_, job, tiled ? listed : in_one, true);
}

result<void> folder_receipts::judge(const folder::proven_job& job, bool own) {
    if (stop_.stop_requested()) {
        return error(errc::cancelled, "interrupted");
    }
    ++job_count;
    if (job.receipt && keep_receipts) {
        receipt& kept = receipts.emplace_back(*job.receipt);
        kept.raw = nullptr;
        kept.raw_text = std::string();
    }
    auto evidence = gather(job, own);
    if (!evidence) {
        return evidence.error();
    }
    const auto listed = chunks_of(job);
    chunk_count += listed.size();
    chunks_reexecuted += static_cast<std::uint64_t>(std::ranges::count(listed, true, &expected_chunk::sampled));
    const bool tiled = own && check_tiling(listed, job.row_count()).has_value();
    auto readings = own ? read_rows(job, listed, tiled) : std::vector<chunk_reading>();
    if (!readings) {
        return readings.error();
    }
    if (tiled) {
        add_output(job, *readings, *evidence);
    }
    const offline_report report = check_offline(job, *evidence, pins_);
    for (const offline_check& check : report.checks) {
        if (check.name == commitment_check) {
            tally_commitments(job, check, listed, tiled ? *readings : std::vector<chunk_reading>(), own);
        } else {
            tally(job, *evidence, check, own);
        }
    }
    report_rows(job, listed, tiled, *readings);
    check_service_word(job);
    if (!rows_->lacks_hashes() || job.output_sha256.empty()) {
        return {};
    }
    if (!own) {
        outputs.leave(not_its_own);
        return {};
    }
    return check_output(job);
}

}  // namespace vembed::audit
