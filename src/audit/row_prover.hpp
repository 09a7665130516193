#pragma once
/// Makes row proofs (<vembed/verify/row_proof.hpp>) from a finished output folder.

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include <boost/system/result.hpp>

#include <vembed/core/result.hpp>
#include <vembed/verify/pins.hpp>
#include <vembed/verify/row_proof.hpp>

#include "folder/manifest.hpp"
#include "folder/read/receipts_file.hpp"
#include "folder/records/digest_records.hpp"
#include "folder/records/embedding_file.hpp"

namespace vembed::audit {

/// Why there is no proof, beside what the error says.
enum class proof_obstacle : std::uint8_t {
    none,
    run_unfinished,  ///< The folder's run is not complete: it has to be run again first.
    not_checkable,   ///< No known scheme explains the receipt.
};

class proof_failure {
public:
    failure reason;
    proof_obstacle obstacle = proof_obstacle::none;

    proof_failure() = default;
    explicit proof_failure(failure f, proof_obstacle what = proof_obstacle::none)
        : reason(std::move(f)), obstacle(what) {}
};

template <class T>
using proof_result = boost::system::result<T, proof_failure>;

/// What a proof is made from.
class row_prover {
public:
    /// Opens a folder. io if there is none; proof_obstacle::run_unfinished if its run is; bad_input where an earlier
    /// version wrote it, without hashes of its rows; verification_failed where its manifest is damaged.
    static proof_result<row_prover> open(const std::string& folder, std::stop_token stop);

    [[nodiscard]] const folder::manifest& recorded() const noexcept { return manifest_; }

    /// The row of that id. invalid_argument where no row or more than one has it.
    [[nodiscard]] result<std::uint64_t> row_of_id(std::string_view id) const;

    /// The proof of a row, with part two where `platform`. It was checked: nothing in it is false.
    ///
    /// invalid_argument: there is no such row. bad_input: the row failed, or, with `platform`, its job is not in this
    /// folder (it came from the cache), has no receipt, or, with proof_obstacle::not_checkable, one that no known
    /// scheme explains. verification_failed: the folder is not what it was when it was written. `known`: what is known
    /// of accounts; the manifest's own word counts where that has nothing. Reads rows.sha256 and texts.sha256 once,
    /// whatever the row; memory is flat.
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
