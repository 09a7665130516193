#pragma once
/// A settled job with its receipt, issued under any scheme, as the checks of receipts see it.

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <vembed/verify/offline_check.hpp>

namespace vembed::testing_support {

/// How a job is made.
class job_plan {
public:
    std::uint64_t number = 1;  ///< Goes into ids, texts and rows.
    std::uint64_t rows = 10;
    std::uint64_t chunk_size = 4;
    std::uint64_t dimensions = 3;
    receipt_scheme scheme;
    commitment_encoding commits = commitment_encoding::sha256;
    bool attests = true;  ///< The receipt's attestation is over the re-executed chunks; else over something unknown.

    job_plan() = default;
};

/// The job. Its fields may be changed; evidence() and receipt_text() tell what then is there.
class issued_job {
public:
    std::uint64_t dimensions = 0;
    std::vector<std::string> texts;
    std::vector<std::byte> output;
    offline_evidence known;     ///< Without output and inputs.
    boost::json::object proof;  ///< The receipt, in the order of the wire contract.

    explicit issued_job(const job_plan& plan) : dimensions(plan.dimensions) {
        std::mt19937_64 random(plan.number);
        for (std::uint64_t row = 0; row < plan.rows; ++row) {
            texts.push_back("text " + std::to_string(row) + " of job " + std::to_string(plan.number));
        }
        output.resize(4 * plan.rows * plan.dimensions);
        for (std::byte& b : output) {
            b = static_cast<std::byte>(random());
        }
        known.job_id = "job_" + std::to_string(1000 + plan.number);
        known.receipt_id = "rcp_" + std::to_string(7000 + plan.number);
        known.model = "hash-3";
        known.rows = plan.rows;
        known.dimensions = plan.dimensions;
        known.results.emplace();
        known.results->job_id = known.job_id;
        known.results->receipt_id = known.receipt_id;
        for (std::uint64_t begin = 0; begin < plan.rows; begin += plan.chunk_size) {
            const std::uint64_t index = begin / plan.chunk_size;
            expected_chunk chunk(index, begin, std::min(begin + plan.chunk_size, plan.rows));
            chunk.commitment = chunk_commitment(digest_of(chunk), plan.commits);
            chunk.sampled = index % 2 == 0;
            known.results->chunks.push_back(chunk);
        }
        write_receipt(plan);
    }

    /// The SHA-256 of a chunk's bytes; of those that there are.
    [[nodiscard]] digest digest_of(const expected_chunk& chunk) const {
        const std::size_t row_bytes = 4 * dimensions;
        const std::size_t begin = std::min<std::size_t>(chunk.row_start * row_bytes, output.size());
        const std::size_t end = std::min<std::size_t>(chunk.row_end * row_bytes, output.size());
        return sha256_of(std::span(output).subspan(begin, end < begin ? 0 : end - begin));
    }

    [[nodiscard]] offline_evidence evidence() const {
        offline_evidence all = known;
        all.output.emplace();
        all.output->rows = texts.size();
        all.output->dimensions = dimensions;
        all.output->bytes = output.size();
        for (const expected_chunk& chunk : all.results->chunks) {
            all.output->chunk_digests.push_back(digest_of(chunk));
        }
        all.inputs.emplace();
        for (const std::string& text : texts) {
            all.inputs->emplace_back(text);
        }
        return all;
    }

    [[nodiscard]] std::string receipt_text() const { return boost::json::serialize(proof); }

    /// Makes the receipt's hash fit its fields again.
    void seal(const hash_scheme& scheme) {
        proof["receipt_hash"] = "";
        proof["receipt_hash"] = receipt_hash(receipt_text(), scheme).value();
    }

private:
    void write_receipt(const job_plan& plan) {
        std::vector<digest> all;
        std::vector<digest> sampled;
        for (const expected_chunk& chunk : known.results->chunks) {
            all.push_back(*digest_from_hex(*chunk.commitment));
            if (chunk.sampled) {
                sampled.push_back(all.back());
            }
        }
        std::vector<input_digests> inputs;
        for (const std::string& text : texts) {
            inputs.emplace_back(text);
        }
        tree_scheme inputs_tree = plan.scheme.tree;
        if (inputs_tree.leaf == leaf_encoding::as_digest) {
            inputs_tree.leaf = leaf_encoding::plain;
        }
        proof["receipt_id"] = known.receipt_id;
        proof["job_id"] = known.job_id;
        proof["spec_hash"] = to_hex(sha256_of("the specification"));
        proof["inputs_root"] = inputs_root(inputs, inputs_tree);
        proof["outputs_root"] = outputs_root(all, plan.scheme.tree);
        proof["verification_attestation"] =
            plan.attests ? outputs_root(sampled, plan.scheme.tree) : to_hex(sha256_of("something"));
        proof["verification_level"] = "sampled";
        proof["executor_attestation_ids"] = boost::json::array{"att_0123456789abcdef"};
        proof["issued_at"] = "2031-05-06T07:08:09Z";
        seal(plan.scheme.hash);
    }
};

}  // namespace vembed::testing_support
