#include <algorithm>
#include <utility>

#include <vembed/verify/row_proof.hpp>

namespace vembed {
namespace {

error unproven(const std::string& why, errc kind = errc::bad_input) {
    return {kind, "the service's part cannot be proven: " + why};
}

const offline_check* verified_check(const offline_report& report, std::string_view name) {
    const offline_check* check = report.find(name);
    return check != nullptr && check->verdict == check_verdict::verified ? check : nullptr;
}

// Several schemes may give the value, but the proof names one.
based_scheme scheme_of(const offline_check& check) {
    return {check.schemes.empty() ? std::string() : check.schemes.front(), check.basis};
}

// Says which of the pieces that part two requires is missing or failed; nothing if all are there.
std::optional<error> objection_to(const platform_pieces& pieces) {
    if (pieces.evidence == nullptr || pieces.report == nullptr || !pieces.evidence->results) {
        return unproven("the job's results are not at hand");
    }
    if (const offline_check* bad = pieces.report->first_failed()) {
        return unproven(bad->name + ": " + bad->reason, errc::verification_failed);
    }
    for (const std::string_view name : {"receipt_form", "receipt_job", "receipt_id", "results_job", "ranges",
                                        "output_shape", "output_commitment", "outputs_root"}) {
        if (verified_check(*pieces.report, name) == nullptr) {
            const offline_check* check = pieces.report->find(name);
            return unproven(std::string(name) + ": " + (check == nullptr ? "not checked" : check->reason));
        }
    }
    return std::nullopt;
}

// The place of one leaf among the leaves of a check's tree.
template <class Item>
std::optional<tree_place> place_of(const offline_check* check, const std::vector<Item>& items, std::uint64_t index) {
    const auto scheme =
        check == nullptr || check->schemes.empty() ? std::nullopt : tree_scheme_named(check->schemes.front());
    if (!scheme || index >= items.size()) {
        return std::nullopt;
    }
    tree_path_builder builder(index, *scheme);
    tree_place place;
    for (std::size_t i = 0; i < items.size(); ++i) {
        const digest leaf = tree_leaf(items[i], scheme->leaf);
        if (i == index) {
            place.leaf = leaf;
        }
        builder.add(leaf);
    }
    auto path = builder.finish();
    if (!path) {
        return std::nullopt;
    }
    place.tree = scheme_of(*check);
    place.index = index;
    place.size = items.size();
    place.path = std::move(path->siblings);
    return place;
}

void add_trees(platform_part& part, const platform_pieces& pieces, const std::vector<expected_chunk>& chunks,
               std::size_t number) {
    std::vector<digest> all;
    std::vector<digest> sampled;
    std::size_t place = 0;  // Its index among the re-executed chunks.
    for (std::size_t i = 0; i < chunks.size(); ++i) {
        // outputs_root is verified, so every commitment is 64 lower-case hex digits.
        all.push_back(*digest_from_hex(*chunks[i].commitment));
        if (chunks[i].sampled) {
            place = i == number ? sampled.size() : place;
            sampled.push_back(all.back());
        }
    }
    if (auto outputs = place_of(verified_check(*pieces.report, "outputs_root"), all, number)) {
        part.outputs_root = std::move(*outputs);
    }
    if (chunks[number].sampled) {
        part.verification_attestation =
            place_of(verified_check(*pieces.report, "verification_attestation"), sampled, place);
    }
    if (pieces.evidence->inputs) {
        part.inputs_root =
            place_of(verified_check(*pieces.report, "inputs_root"), *pieces.evidence->inputs, pieces.row_in_job);
    }
    part.chunk.commitment = all[number];
}

}  // namespace

result<platform_part> make_platform_part(platform_pieces pieces) {
    if (const auto objection = objection_to(pieces)) {
        return *objection;
    }
    const std::vector<expected_chunk>& chunks = pieces.evidence->results->chunks;
    const auto chunk = std::ranges::find_if(chunks, [&pieces](const expected_chunk& one) {
        return one.row_start <= pieces.row_in_job && pieces.row_in_job < one.row_end;
    });
    if (chunk == chunks.end()) {
        return unproven("the job has no row " + std::to_string(pieces.row_in_job));
    }
    platform_part part;
    part.job_id = pieces.evidence->job_id;
    part.receipt_id = pieces.evidence->receipt_id;
    part.receipt = std::string(pieces.receipt_text);
    part.of_row = pieces.of_row;
    part.row_in_job = pieces.row_in_job;
    part.chunk.row_start = chunk->row_start;
    part.chunk.row_end = chunk->row_end;
    part.chunk.selected_for_verification = chunk->sampled;
    part.chunk.bytes = std::move(pieces.chunk_bytes);
    part.chunk.encoding = scheme_of(*verified_check(*pieces.report, "output_commitment"));
    if (const offline_check* hash = verified_check(*pieces.report, "receipt_hash")) {
        part.receipt_hash = scheme_of(*hash);
    }
    add_trees(part, pieces, chunks, static_cast<std::size_t>(chunk - chunks.begin()));
    return part;
}

}  // namespace vembed
