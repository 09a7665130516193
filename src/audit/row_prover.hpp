#pragma once
/// Makes row proofs (<vembed/verify/row_proof.hpp>) from a finished output folder.

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include <vembed/audit/row_proofs.hpp>
#include <vembed/core/result.hpp>
#include <vembed/verify/pins.hpp>
#include <vembed/verify/row_proof.hpp>

#include "folder/manifest.hpp"
#include "folder/read/receipts_file.hpp"
#include "folder/records/digest_records.hpp"
#include "folder/records/embedding_file.hpp"

namespace vembed::audit {

template <class T>
using proof_result = boost::system::result<T, proof_error>;

/// A finished folder from which proofs are made.
class row_prover {
public:
    /// Opens a folder. The error is io if there is no folder, proof_obstacle::run_unfinished if its run is not
    /// complete, bad_input if an earlier version wrote it without hashes of its rows, and verification_failed if its
    /// manifest is damaged.
    static proof_result<row_prover> open(const std::string& folder, std::stop_token stop);

    /// The number of the row with that id. The error is invalid_argument if no row or more than one has it.
    [[nodiscard]] result<std::uint64_t> row_of_id(std::string_view id) const;

    /// The proof of a row, with part two if `platform` is set. The proof was checked: nothing in it is false.
    ///
    /// The error is invalid_argument if there is no such row. It is bad_input if the row failed, or if, with
    /// `platform`, its job is not in this folder (the row came from the cache) or has no receipt, or, with
    /// proof_obstacle::not_checkable, if no known scheme explains the receipt. It is verification_failed if the folder
    /// changed since it was written. `known` is what is known of accounts; if that has nothing, the manifest's own
    /// record counts. rows.sha256 and texts.sha256 are read once, for any row; the memory used does not grow with the
    /// folder.
    proof_result<row_proof> prove(std::uint64_t row, bool platform, const scheme_pins& known);

private:
    row_prover(std::string folder, folder::embedding_file embeddings, folder::manifest recorded,
               folder::digest_records texts, folder::digest_records rows, std::stop_token stop)
        : folder_(std::move(folder)),
          embeddings_(std::move(embeddings)),
          manifest_(std::move(recorded)),
          texts_(std::move(texts)),
          rows_(std::move(rows)),
          stop_(std::move(stop)) {}

    result<row_part> row_part_of(std::uint64_t row);
    result<void> find_path(row_part& part);
    result<void> refuse_failed(std::uint64_t row) const;
    [[nodiscard]] result<std::string> id_of(std::uint64_t row) const;
    [[nodiscard]] result<std::uint64_t> original_of(std::uint64_t row) const;
    [[nodiscard]] result<folder::proven_job> job_of(std::uint64_t row) const;
    proof_result<platform_part> platform_part_of(std::uint64_t row, const account_pins& pins);
    result<std::vector<std::byte>> add_output(const folder::proven_job& job, std::uint64_t row_in_job,
                                              offline_evidence& evidence);
    result<void> read_rows(std::uint64_t first, std::uint64_t end, std::vector<std::byte>& into);

    std::string folder_;
    folder::embedding_file embeddings_;
    folder::manifest manifest_;
    folder::digest_records texts_;
    folder::digest_records rows_;
    std::stop_token stop_;
};

}  // namespace vembed::audit
