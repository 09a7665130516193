#include "cli/folder_verification.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <vembed/verify/output_check.hpp>
#include <vembed/verify/receipt_hash.hpp>

#include "bulk/byte_reader.hpp"
#include "bulk/line_reader.hpp"
#include "cli/folder_lines.hpp"
#include "cli/interrupts.hpp"
#include "cli/json_fields.hpp"
#include "cli/reused_rows.hpp"
#include "cli/text_format.hpp"

namespace vembed::cli {
namespace {

constexpr const char* assumed_scheme = "assumed:rfc8785+rfc6962";
// A job's proof is written before its rows: where a process died in between, the next run writes them.
constexpr const char* not_written_yet = "the run is unfinished and may not have written all of its rows yet";

/// How many lines a JSONL file has; nothing where it cannot be read.
std::optional<std::uint64_t> count_lines(const std::string& path) {
    auto bytes = bulk::open_stored_bytes(path);
    if (!bytes) {
        return std::nullopt;
    }
    bulk::line_reader lines(std::move(*bytes), path, line_bytes_max);
    std::string_view line;
    for (;;) {
        const auto more = lines.next(line);
        if (!more) {
            return std::nullopt;
        }
        if (!*more) {
            return lines.number();
        }
    }
}

class folder_verifier {
public:
    folder_verifier(std::string folder, embedding_file embeddings, std::optional<manifest> recorded)
        : folder_(std::move(folder)), embeddings_(std::move(embeddings)), manifest_(std::move(recorded)) {
        report_.complete = embeddings_.complete();
        report_.rows = embeddings_.rows();
        report_.dimensions = embeddings_.dimensions();
        covered_.resize(embeddings_.rows());
    }

    result<folder_report> run() {
        check_shape();
        check_files();
        auto jobs =
            for_each_proven_job(folder_ + "/receipts.jsonl", [this](const proven_job& job) { return check_job(job); });
        if (!jobs && jobs.error().kind != errc::verification_failed) {
            return jobs.error();
        }
        if (!jobs) {
            receipts_.fail(jobs.error().message);
        }
        if (auto failed = check_failed_rows(); !failed) {
            return failed.error();
        }
        if (auto reused = check_reused_rows(); !reused) {
            return reused.error();
        }
        check_coverage();
        return finish();
    }

private:
    void check_shape();
    void check_files();
    result<void> check_job(const proven_job& job);
    result<void> check_chunks(const proven_job& job);
    result<digest> read_chunk(const proven_job& job, std::uint64_t first, std::uint64_t end, sha256* whole);
    void check_values(std::uint64_t first_row, std::span<const float> values);
    void compare_commitment(const proven_job& job, const expected_chunk& chunk, const digest& actual);
    void check_receipt(const proven_job& job);
    void check_service_word(const proven_job& job);
    bool cover(const proven_job& job);
    result<void> check_failed_rows();
    result<void> check_failed_row(std::string_view line, std::uint64_t number);
    result<void> check_reused_rows();
    result<void> check_cached(std::uint64_t first, std::uint64_t end);
    result<void> check_copy(std::uint64_t row, std::uint64_t same_as);
    void check_coverage();
    folder_report finish();

    std::string folder_;
    embedding_file embeddings_;
    std::optional<manifest> manifest_;
    std::vector<bool> covered_;
    std::vector<bool> cached_;  ///< Empty where no row is.
    std::vector<float> original_;
    std::uint64_t failed_rows_ = 0;
    std::uint64_t failed_inside_ = 0;  ///< Of those, rows that the file has.
    folder_report report_;

    check_tally shape_{"shape", "recorded", "files", true};
    check_tally files_{"file hashes", "recorded", "files", true};
    check_tally coverage_{"row coverage", "recorded", "rows", true};
    check_tally values_{"values", "implied", "rows", true};
    check_tally copies_{"copies of other rows", "recorded", "rows", true};
    check_tally from_cache_{"rows from the cache", "recorded", "rows", false};
    check_tally outputs_{"job outputs", "recorded", "jobs", false};
    check_tally receipts_{"receipt of job", "specified", "jobs", true};
    check_tally service_{"service's own check", "specified", "jobs", true};
    check_tally inputs_root_{"inputs_root", assumed_scheme, "jobs", false};
    check_tally attestation_{"verification_attestation", "specified", "jobs", false};
    pinned_check commitments_{check_tally("chunk commitments", "implied", "chunks", true)};
    pinned_check receipt_hash_{check_tally("receipt_hash", assumed_scheme, "jobs", false)};
    pinned_check outputs_root_{check_tally("outputs_root", assumed_scheme, "jobs", false)};
};

void folder_verifier::check_shape() {
    const auto ids = count_lines(folder_ + "/ids.jsonl");
    if (!report_.complete) {
        shape_.leave("the run is unfinished: embeddings.npy is not there yet");
        return;
    }
    if (!manifest_ || !manifest_->complete) {
        shape_.leave(
            "manifest.json is missing or older than the result: run the same `vembed embed` again to write it");
    } else if (manifest_->rows == report_.rows && manifest_->dimensions == report_.dimensions) {
        shape_.pass();
    } else {
        shape_.fail("embeddings.npy is " + std::to_string(report_.rows) + " x " + std::to_string(report_.dimensions) +
                    ", manifest.json says " + std::to_string(manifest_->rows) + " x " +
                    std::to_string(manifest_->dimensions));
    }
    if (ids == report_.rows) {
        shape_.pass();
    } else {
        shape_.fail("ids.jsonl has " + (ids ? std::to_string(*ids) : std::string("no readable")) + " lines for the " +
                    std::to_string(report_.rows) + " rows of embeddings.npy");
    }
}

void folder_verifier::check_files() {
    if (!report_.complete || !manifest_ || !manifest_->complete) {
        files_.leave(report_.complete ? "there is no manifest.json of the finished run" : "the run is unfinished");
        return;
    }
    for (const auto& [name, recorded] : manifest_->files) {
        // Names come from a file: nothing outside the folder is read.
        if (name.find('/') != std::string::npos) {
            files_.fail("manifest.json names a file outside the folder");
            continue;
        }
        const auto actual = digest_of_file(folder_ + "/" + name);
        if (!actual) {
            files_.fail(name + ": " + actual.error().message);
        } else if (actual->sha256 != recorded.sha256) {
            files_.fail(name + " has changed since the run: SHA-256 " + actual->sha256 + ", recorded " +
                        recorded.sha256);
        } else {
            files_.pass();
        }
    }
}

bool folder_verifier::cover(const proven_job& job) {
    for (const auto& [first, end] : job.rows) {
        if (end > covered_.size() && !report_.complete) {
            commitments_.leave(not_written_yet);
            return false;
        }
        if (end > covered_.size()) {
            coverage_.fail("job " + job.job_id + " has " + describe_ranges(job.rows) + ", beyond the last row");
            return false;
        }
        for (std::uint64_t row = first; row < end; ++row) {
            if (covered_[row]) {
                coverage_.fail("row " + std::to_string(row) + " belongs to more than one job");
                return false;
            }
            covered_[row] = true;
        }
    }
    return true;
}

result<void> folder_verifier::check_job(const proven_job& job) {
    if (interrupted()) {
        return failure(errc::cancelled, "interrupted");
    }
    ++report_.jobs;
    if (job.receipt) {
        report_.receipt_ids.push_back(job.receipt->receipt_id);
    }
    check_receipt(job);
    check_service_word(job);
    return cover(job) ? check_chunks(job) : result<void>();
}

void folder_verifier::check_values(std::uint64_t first_row, std::span<const float> values) {
    const std::uint64_t dimensions = report_.dimensions;
    const std::uint64_t rows = values.size() / dimensions;
    if (check_rows(values, rows, dimensions)) {
        values_.pass(rows);
        return;
    }
    for (std::uint64_t i = 0; i < rows; ++i) {
        if (check_rows(values.subspan(i * dimensions, dimensions), 1, dimensions)) {
            values_.pass();
        } else if (!report_.complete) {
            values_.leave(not_written_yet);
        } else {
            values_.fail("row " + std::to_string(first_row + i) + " is all zero, or holds what is not a number");
        }
    }
}

result<digest> folder_verifier::read_chunk(const proven_job& job, std::uint64_t first, std::uint64_t end,
                                           sha256* whole) {
    sha256 hash;
    for (const auto& [range_first, range_end] : job.corpus_rows(first, end)) {
        std::uint64_t row = range_first;
        auto read = embeddings_.read_rows(range_first, range_end, [&](std::span<const float> values) -> result<void> {
            check_values(row, values);
            row += values.size() / report_.dimensions;
            hash.update(std::as_bytes(values));
            whole->update(std::as_bytes(values));
            return {};
        });
        if (!read) {
            return read.error();
        }
    }
    return hash.finish();
}

void folder_verifier::compare_commitment(const proven_job& job, const expected_chunk& chunk, const digest& actual) {
    if (!chunk.commitment) {
        commitments_.leave("the service gave no commitment for some chunks");
        return;
    }
    if (digest_from_hex(*chunk.commitment) == actual) {
        commitments_.match();
        return;
    }
    if (!report_.complete) {
        commitments_.leave(not_written_yet);
        return;
    }
    commitments_.differ("job " + job.job_id + ", chunk " + std::to_string(chunk.index) + ": " +
                        describe_ranges(job.corpus_rows(chunk.row_start, chunk.row_end)) +
                        " are not the bytes of the chunk's commitment");
}

result<void> folder_verifier::check_chunks(const proven_job& job) {
    std::vector<expected_chunk> chunks;
    if (job.results) {
        for (const chunk_result& chunk : job.results->chunks) {
            chunks.emplace_back(chunk.chunk_index, chunk.row_start, chunk.row_end, chunk.output_commitment,
                                chunk.selected_for_verification);
            report_.chunks_sampled += chunk.selected_for_verification ? 1 : 0;
        }
        report_.chunks += chunks.size();
    }
    const result<void> tiling = check_tiling(chunks, job.row_count());
    if (!job.results) {
        commitments_.leave("the run did not ask for commitments (--verify none)");
    } else if (!tiling) {
        commitments_.differ("job " + job.job_id + ": " + tiling.error().message);
    }
    const bool comparable = job.results && tiling;
    if (!comparable) {
        chunks.assign(1, expected_chunk(0, 0, job.row_count()));
    }
    sha256 whole;
    for (const expected_chunk& chunk : chunks) {
        auto actual = read_chunk(job, chunk.row_start, chunk.row_end, &whole);
        if (!actual) {
            return actual.error();
        }
        if (comparable) {
            compare_commitment(job, chunk, *actual);
        }
    }
    if (job.output_sha256.empty()) {
        return {};
    }
    if (digest_from_hex(job.output_sha256) == whole.finish()) {
        outputs_.pass();
    } else if (!report_.complete) {
        outputs_.leave(not_written_yet);
    } else {
        outputs_.fail("job " + job.job_id + ": " + describe_ranges(job.rows) +
                      " have changed since they were received");
    }
    return {};
}

void folder_verifier::check_receipt(const proven_job& job) {
    if (!job.receipt) {
        receipts_.leave("the run did not ask for receipts");
        return;
    }
    const receipt& with = *job.receipt;
    const bool of_job = with.job_id == job.job_id && (!job.results || job.results->job_id == job.job_id);
    if (of_job && (!job.results || !job.results->receipt_id || *job.results->receipt_id == with.receipt_id)) {
        receipts_.pass();
    } else {
        receipts_.fail("receipt " + with.receipt_id + " does not belong to job " + job.job_id);
    }
    const auto hash = receipt_hash(with.raw_text);
    if (!hash) {
        receipt_hash_.leave("a receipt is not JSON that has a canonical form");
    } else if (*hash == with.receipt_hash) {
        receipt_hash_.match();
    } else {
        receipt_hash_.differ("receipt " + with.receipt_id + " of job " + job.job_id + " does not have its own hash");
    }
    inputs_root_.leave("the folder does not hold the texts");
    attestation_.leave("the service does not say what it is made over");
    std::vector<digest> commitments;
    for (const chunk_result& chunk : job.results ? job.results->chunks : std::vector<chunk_result>()) {
        if (const auto commitment = digest_from_hex(chunk.output_commitment.value_or(""))) {
            commitments.push_back(*commitment);
        }
    }
    if (!job.results || commitments.size() != job.results->chunks.size()) {
        outputs_root_.leave("some chunks have no commitment");
    } else if (outputs_root(commitments) == with.outputs_root) {
        outputs_root_.match();
    } else {
        outputs_root_.differ("receipt " + with.receipt_id + " of job " + job.job_id +
                             " has another root than its chunks' commitments");
    }
}

void folder_verifier::check_service_word(const proven_job& job) {
    if (!job.verification) {
        service_.leave("the run did not ask for it");
    } else if (job.verification->valid) {
        service_.pass();
    } else {
        service_.fail("the service said that the receipt of job " + job.job_id + " is not valid");
    }
}

result<void> folder_verifier::check_failed_row(std::string_view line, std::uint64_t number) {
    const auto object = object_of(line);
    const auto named = object ? number_of(*object, "row") : std::nullopt;
    if (!named) {
        coverage_.fail("failed.jsonl:" + std::to_string(number) + " names no row");
        return {};
    }
    const std::uint64_t index = *named;
    ++failed_rows_;
    if (index >= covered_.size()) {
        if (report_.complete) {
            coverage_.fail("failed.jsonl names row " + std::to_string(index) + ", beyond the last row");
        }
        return {};
    }
    if (covered_[index]) {
        coverage_.fail("row " + std::to_string(index) + " failed and belongs to a job too");
        return {};
    }
    covered_[index] = true;
    ++failed_inside_;
    if (!report_.complete || report_.dimensions == 0) {
        return {};
    }
    return embeddings_.read_rows(index, index + 1, [this, index](std::span<const float> values) -> result<void> {
        if (std::all_of(values.begin(), values.end(), [](float value) { return std::isnan(value); })) {
            values_.pass();
        } else {
            values_.fail("row " + std::to_string(index) + " failed, yet holds numbers");
        }
        return {};
    });
}

result<void> folder_verifier::check_failed_rows() {
    return for_each_line(folder_ + "/failed.jsonl", [this](std::string_view line, std::uint64_t number) {
        return check_failed_row(line, number);
    });
}

/// A file of either kind that cannot be understood is a finding, one that cannot be read is a failure.
result<void> folder_verifier::check_reused_rows() {
    result<void> read = for_each_cached_range(
        folder_, [this](std::uint64_t first, std::uint64_t end) { return check_cached(first, end); });
    if (read) {
        read = for_each_copied_row(
            folder_, [this](std::uint64_t row, std::uint64_t same_as) { return check_copy(row, same_as); });
    }
    if (!read && read.error().kind == errc::verification_failed) {
        coverage_.fail(read.error().message);
        return {};
    }
    return read;
}

result<void> folder_verifier::check_cached(std::uint64_t first, std::uint64_t end) {
    if (end > covered_.size()) {
        if (report_.complete) {
            coverage_.fail("cached.jsonl names row " + std::to_string(end - 1) + ", beyond the last row");
        }
        return {};
    }
    cached_.resize(covered_.size());
    for (std::uint64_t row = first; row < end; ++row) {
        // A row that a job of this folder bought too is as good as its receipt.
        if (!covered_[row]) {
            covered_[row] = cached_[row] = true;
            ++report_.rows_cached;
            from_cache_.leave("they were bought by another run, whose folder has their receipts");
        }
    }
    std::uint64_t row = first;
    return embeddings_.read_rows(first, end, [this, &row](std::span<const float> values) -> result<void> {
        check_values(row, values);
        row += values.size() / std::max<std::uint64_t>(report_.dimensions, 1);
        return {};
    });
}

result<void> folder_verifier::check_copy(std::uint64_t row, std::uint64_t same_as) {
    const bool inside = row < covered_.size() && same_as < covered_.size();
    if (!inside || !report_.complete) {
        if (report_.complete) {
            coverage_.fail("duplicates.jsonl names row " + std::to_string(row) + " as a copy of " +
                           std::to_string(same_as) + ", beyond the last row");
        }
        return {};
    }
    if (covered_[row]) {
        return {};
    }
    if (!covered_[same_as]) {
        coverage_.fail("row " + std::to_string(row) + " is a copy of row " + std::to_string(same_as) +
                       ", which belongs to no job");
        return {};
    }
    covered_[row] = true;
    ++report_.rows_copied;
    if (!cached_.empty() && cached_[same_as]) {
        ++report_.rows_copied_from_cached;
    }
    const auto keep = [this](std::span<const float> values) -> result<void> {
        original_.assign(values.begin(), values.end());
        return {};
    };
    if (auto read = embeddings_.read_rows(same_as, same_as + 1, keep); !read) {
        return read;
    }
    return embeddings_.read_rows(row, row + 1, [&](std::span<const float> values) -> result<void> {
        const auto bytes = std::as_bytes(values);
        const auto expected = std::as_bytes(std::span<const float>(original_));
        if (std::equal(bytes.begin(), bytes.end(), expected.begin(), expected.end())) {
            copies_.pass();
        } else {
            copies_.fail("row " + std::to_string(row) + " has other values than row " + std::to_string(same_as) +
                         ", of which it is a copy");
        }
        return {};
    });
}

void folder_verifier::check_coverage() {
    if (!report_.complete) {
        coverage_.leave("the run is unfinished");
        return;
    }
    for (std::uint64_t row = 0; row < covered_.size(); ++row) {
        if (covered_[row]) {
            coverage_.pass();
        } else {
            coverage_.fail("row " + std::to_string(row) +
                           " belongs to no job of receipts.jsonl, is no copy, came from no cache and has not failed");
        }
    }
    if (manifest_ && manifest_->complete && manifest_->rows_failed != failed_rows_) {
        coverage_.fail("manifest.json says " + std::to_string(manifest_->rows_failed) + " rows failed, failed.jsonl " +
                       "has " + std::to_string(failed_rows_));
    }
}

folder_report folder_verifier::finish() {
    if (manifest_ && manifest_->verify != verify_level::receipt) {
        receipts_.required = false;
        service_.required = false;
    }
    const bool bytes_changed = files_.failed > 0 || outputs_.failed > 0;
    report_.checks = {shape_, files_, coverage_, values_, commitments_.judge(bytes_changed)};
    report_.rows_in_receipts = 0;
    for (const bool covered : covered_) {
        report_.rows_in_receipts += covered ? 1 : 0;
    }
    report_.rows_in_receipts -= failed_inside_ + report_.rows_copied + report_.rows_cached;
    if (copies_.verified + copies_.failed > 0) {
        report_.checks.push_back(copies_);
    }
    if (from_cache_.not_checkable > 0) {
        report_.checks.push_back(from_cache_);
    }
    if (outputs_.verified + outputs_.failed > 0) {
        report_.checks.push_back(outputs_);
    }
    for (const check_tally& check : {receipts_, receipt_hash_.judge(bytes_changed), outputs_root_.judge(bytes_changed),
                                     inputs_root_, attestation_, service_}) {
        // A folder without jobs of its own has nothing that could be called verified here.
        if (report_.jobs > 0 || check.answer() != check_answer::verified) {
            report_.checks.push_back(check);
        }
    }
    return std::move(report_);
}

}  // namespace

std::string_view to_string(check_answer answer) noexcept {
    switch (answer) {
        case check_answer::verified: return "verified";
        case check_answer::failed: return "failed";
        case check_answer::not_checkable: return "not_checkable";
    }
    return "not_checkable";
}

void check_tally::fail(std::string finding) {
    if (failed++ < findings_max) {
        findings.push_back(std::move(finding));
    }
}

void check_tally::leave(std::string why, std::uint64_t count) {
    not_checkable += count;
    if (reason.empty()) {
        reason = std::move(why);
    }
}

check_answer check_tally::answer() const noexcept {
    if (failed > 0) {
        return check_answer::failed;
    }
    return not_checkable > 0 ? check_answer::not_checkable : check_answer::verified;
}

void pinned_check::differ(std::string finding) {
    if (different_++ < check_tally::findings_max) {
        findings_.push_back(std::move(finding));
    }
}

check_tally pinned_check::judge(bool certain) {
    if (different_ == 0) {
        return tally_;
    }
    if (tally_.verified == 0 && !certain) {
        tally_.leave("nothing in the folder follows the rule that is taken for the service's", different_);
        return tally_;
    }
    tally_.failed += different_;
    tally_.findings.insert(tally_.findings.end(), findings_.begin(), findings_.end());
    return tally_;
}

result<folder_report> verify_folder(const std::string& folder) {
    auto recorded = read_manifest(folder);
    if (!recorded) {
        return recorded.error();
    }
    auto embeddings = embedding_file::open(folder);
    if (!embeddings) {
        return embeddings.error();
    }
    return folder_verifier(folder, std::move(*embeddings), std::move(*recorded)).run();
}

}  // namespace vembed::cli
