#pragma once
/// The implementation of npy_sink, over system calls that a test can replace.

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include <vembed/bulk/sink.hpp>
#include <vembed/verify/sha256.hpp>

#include "core/row_set.hpp"
#include "corpus/lines/line_reader.hpp"
#include "folder/records/npy_file.hpp"
#include "folder/records/row_hashes.hpp"
#include "folder/write/jsonl_file.hpp"
#include "folder/write/output_lines.hpp"
#include "storage/file_lock.hpp"
#include "storage/file_ops.hpp"

namespace vembed::folder {

/// The values and the hash of a row that has no values of its own.
class nan_row {
public:
    explicit nan_row(std::uint64_t dimensions)
        : values(dimensions, std::numeric_limits<float>::quiet_NaN()),
          hash(sha256_of(std::as_bytes(std::span<const float>(values)))) {}

    std::vector<float> values;
    digest hash;
};

class npy_writer {
public:
    npy_writer(std::string folder, storage::file_ops& ops);

    // These functions are those of row_sink.
    [[nodiscard]] result<void> reserve(std::uint64_t rows, std::uint64_t dimensions) const;
    result<void> declare_row(std::uint64_t index, const source_row& row);
    result<void> write(const row_batch& rows);
    result<void> write_receipt(const job_evidence& proof);
    result<void> fail(const failed_row& row);
    result<void> copy(std::uint64_t from, std::uint64_t to);
    result<std::uint64_t> withdraw(std::span<const std::uint64_t> indices);
    result<std::optional<std::vector<input_digests>>> digests_of(std::span<const std::uint64_t> indices);
    result<void> flush();
    result<void> finish(std::uint64_t rows, std::uint64_t dimensions);

private:
    result<void> open_once();
    result<void> open_ids();
    result<void> open_receipts();
    result<void> open_failed();
    result<void> open_reused();
    result<void> note_copy(std::uint64_t from, std::uint64_t to);
    result<void> note_cached(const row_batch& rows);
    result<void> declare_new_row(std::uint64_t index, const source_row& row);
    result<void> compare_id(std::uint64_t index, const std::string& line);
    result<void> write_run(const row_batch& rows, std::size_t begin, std::size_t end);
    result<void> check_growing() const;
    result<void> check_batch(const row_batch& rows) const;
    result<void> check_same(const row_batch& rows);
    result<void> check_copy(std::uint64_t from, std::uint64_t to) const;
    [[nodiscard]] bool has_failed(std::uint64_t row) const noexcept;
    void note_success(std::uint64_t row);
    result<std::vector<receipt_line>> receipts_of(const core::row_set& rows);
    result<std::vector<std::uint64_t>> forget_copies_of(const core::row_set& rows);
    result<void> forget_receipts_of(const std::set<std::string>& jobs);
    result<void> write_blank(std::uint64_t row, const nan_row& blank);
    result<void> blank_rows(std::span<const std::uint64_t> indices);
    result<void> drop_recovered();
    result<void> fill_failed_rows(std::uint64_t rows);
    result<void> sync_lines();

    storage::file_ops* ops_;
    std::string folder_;
    bool opened_ = false;
    storage::file_lock lock_;
    jsonl_file ids_;
    jsonl_file receipts_;
    jsonl_file failed_;
    jsonl_file copies_;  ///< Rows without a job, as in cached_. Each process writes both files anew.
    jsonl_file cached_;
    npy_file npy_;
    row_hashes hashes_;
    std::string line_;  ///< Reused.

    std::uint64_t declared_ = 0;                      ///< Rows in ids.jsonl.
    std::uint64_t known_at_open_ = 0;                 ///< Rows in ids.jsonl at open, by earlier processes.
    std::unique_ptr<corpus::line_reader> known_ids_;  ///< Reads the earlier rows again, to compare.
    std::uint64_t compared_ = 0;                      ///< Lines taken from known_ids_.

    // A row costs one bit in each of these sets.
    core::row_set failed_before_;  ///< Rows in failed.jsonl at open.
    core::row_set recovered_;      ///< Rows of failed_before_ that were written since.
    core::row_set failed_now_;     ///< Rows failed by this process.
    core::row_set written_;        ///< Rows written or copied by this process.

    std::unordered_set<std::string> receipted_;  ///< Job ids in receipts.jsonl, as their JSON strings.
};

}  // namespace vembed::folder
