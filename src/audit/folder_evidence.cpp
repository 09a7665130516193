#include "audit/folder_evidence.hpp"

#include <tuple>
#include <utility>
#include <vector>

#include "cyberian/wire/listed_chunks.hpp"
#include "folder/records/row_cursor.hpp"

namespace vembed::audit {
namespace {

// The hashes are in the order in which the texts were submitted.
result<std::vector<input_digests>> read_inputs(const folder::proven_job& job, folder::digest_records& texts) {
    constexpr std::uint64_t records_a_block = 4096;
    std::vector<input_digests> inputs;
    inputs.reserve(job.row_count());
    folder::row_cursor rows(job.rows);
    for (auto [first, end] = rows.take(records_a_block); first < end;
         std::tie(first, end) = rows.take(records_a_block)) {
        const auto records = texts.read(first, end - first);
        if (!records) {
            return records.error();
        }
        for (std::size_t at = 0; at < records->size(); at += folder::text_digests_bytes) {
            input_digests input;
            input.text = folder::digest_at(records->subspan(at));
            input.prefixed = folder::digest_at(records->subspan(at + folder::row_digest_bytes));
            inputs.push_back(input);
        }
    }
    return inputs;
}

}  // namespace

result<offline_evidence> evidence_of(const folder::proven_job& job, const run_facts_recorded& facts,
                                     folder::digest_records* texts) {
    offline_evidence evidence;
    evidence.job_id = job.job_id;
    evidence.model = facts.model;
    evidence.rows = job.row_count();
    evidence.dimensions = facts.dimensions;
    if (!facts.spec_hash.empty()) {
        evidence.spec_hash = facts.spec_hash;
    }
    if (job.results) {
        evidence.receipt_id = job.results->receipt_id.value_or("");
        evidence.results.emplace();
        evidence.results->job_id = job.results->job_id;
        evidence.results->receipt_id = job.results->receipt_id;
        evidence.results->chunks = cyberian::listed_chunks(*job.results);
    }
    if (texts != nullptr) {
        auto inputs = read_inputs(job, *texts);
        if (!inputs) {
            return inputs.error();
        }
        evidence.inputs = std::move(*inputs);
    }
    return evidence;
}

}  // namespace vembed::audit
