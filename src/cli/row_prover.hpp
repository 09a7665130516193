#pragma once
/// Makes row proofs (<vembed/verify/row_proof.hpp>) from a finished output folder.

#include <cstdint>
#include <string>
#include <string_view>

#include <vembed/core/result.hpp>
#include <vembed/verify/pins.hpp>
#include <vembed/verify/row_proof.hpp>

#include "cli/digest_records.hpp"
#include "cli/embedding_file.hpp"
#include "cli/exit_code.hpp"
#include "cli/manifest.hpp"
#include "cli/receipts_file.hpp"

namespace vembed::cli {

/// What a proof is made from.
class row_prover {
public:
    /// Opens a folder. io where there is none, and exit_code::unfinished where its run is; bad_input where an earlier
    /// version wrote it, without hashes of its rows; verification_failed where its manifest is damaged.
    static command_result<row_prover> open(const std::string& folder);

    [[nodiscard]] const manifest& recorded() const noexcept { return manifest_; }

    /// The row of that id. invalid_argument where no row or more than one has it.
    [[nodiscard]] result<std::uint64_t> row_of_id(std::string_view id) const;

    /// The proof of a row, with part two where `platform`. It was checked: nothing in it is false.
    ///
    /// invalid_argument: there is no such row. bad_input: the row failed, or, with `platform`, its job is not in this
    /// folder (it came from the cache), has no receipt, or, with exit_code::not_checkable, one that no known scheme
    /// explains. verification_failed: the folder is not what it was when it was written. `known`: what is known of
    /// accounts; the manifest's own word counts where that has nothing. Reads rows.sha256 and texts.sha256 once,
    /// whatever the row; memory is flat.
    command_result<row_proof> prove(std::uint64_t row, bool platform, const scheme_pins& known);

private:
    row_prover(std::string folder, embedding_file embeddings, manifest recorded, digest_records texts,
               digest_records rows)
        : folder_(std::move(folder)),
          embeddings_(std::move(embeddings)),
          manifest_(std::move(recorded)),
          texts_(std::move(texts)),
          rows_(std::move(rows)) {}

    result<row_part> row_part_of(std::uint64_t row);
    result<void> find_path(row_part& part);
    result<void> refuse_failed(std::uint64_t row) const;
    [[nodiscard]] result<std::string> id_of(std::uint64_t row) const;
    [[nodiscard]] result<std::uint64_t> original_of(std::uint64_t row) const;
    [[nodiscard]] result<proven_job> job_of(std::uint64_t row) const;
    command_result<platform_part> platform_part_of(std::uint64_t row, const account_pins& pins);
    result<std::vector<std::byte>> add_output(const proven_job& job, std::uint64_t row_in_job,
                                              offline_evidence& evidence);
    result<void> read_rows(std::uint64_t first, std::uint64_t end, std::vector<std::byte>& into);

    std::string folder_;
    embedding_file embeddings_;
    manifest manifest_;
    digest_records texts_;
    digest_records rows_;
};

}  // namespace vembed::cli
