#pragma once
/// @file
/// Rows into an output folder: the files of a result, and how they survive an interruption.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <vembed/bulk/sink.hpp>
#include <vembed/core/result.hpp>
#include <vembed/verify/schemes.hpp>

namespace vembed {

/// Rows into a folder:
///   embeddings.npy          float32 (rows, dimensions), C order; appears by rename when the run is complete
///   embeddings.npy.partial  the same while rows are missing: row i is at byte 128 + i × dimensions × 4
///   rows.sha256             32 bytes a row: the SHA-256 of row i's bytes in embeddings.npy at byte 32 × i, taken
///                           from the numbers handed in, so that a later change on disk is found. A copied row has
///                           the hash of its original, a failed row the hash of its NaNs
///   texts.sha256            64 bytes a row, at byte 64 × i: SHA-256(text), then SHA-256(0x00 ‖ text)
///   ids.jsonl               {"row":0,"id":"…"} a line, in row order; {"row":0} if the source has no ids; "line"
///                           beside them if the source leaves lines out before rows
///   receipts.jsonl          {"batch","job_id","rows","output_sha256","results","receipt","verification"}, one line a
///                           job; rows are half-open ranges [[0,1000],…] in the order of the job's inputs; the last
///                           three are the service's responses, null if none was asked for
///   duplicates.jsonl        {"row":17,"same_as":3} a line: row 17 is a copy of row 3, whose text it has
///   cached.jsonl            {"rows":[[0,1000],…]} a line: rows that came from the cache; their proofs are with the
///                           runs that bought them
///   failed.jsonl            {"row","blank","id","text","raw","raw_bytes","origin","error","message","job_id"}, one
///                           line a failed row, with the members that apply: raw, the first 256 KiB of a record that
///                           could not be read, and raw_bytes, how long it is if that is more; "blank":true for a blank
///                           line that keeps its place. Bytes that are not UTF-8 are raw_base64 in the place of raw; a
///                           text that has such is text_not_utf8. With text and id it is itself a corpus to try again.
/// numpy.load(…, mmap_mode="r") opens the .npy. In text_not_utf8 U+FFFD stands for the bytes at fault.
///
/// A run that died is continued by making the sink anew over the same folder: torn ends of files are cut off, rows
/// described, proved or failed before are not doubled, a failed row that succeeds later leaves failed.jsonl, and the
/// finished embeddings.npy, rows.sha256, texts.sha256 and ids.jsonl are the same bytes as without the interruption.
/// What a flush() covered survives a power cut, hashes of texts excepted: those are made again as the texts are
/// described again, so every process describes every row. Rows without a hash (the folder was begun by a version that
/// kept none, or the file was removed) are hashed from embeddings.npy.partial at the end. A finished folder accepts
/// rows and copies that it holds already and nothing else.
///
/// Memory: some bits a row and about 100 bytes a job.
///
/// Errors: io (with path and reason; a full disk loses nothing: free space and run again; reserve() fails with io if
/// what is not on disk yet surely does not fit, and looks at nothing else); folder_mismatch if the folder holds another
/// corpus' files or texts, rows of other dimensions or a finished result, if rows of an earlier run are gone, or if
/// another sink is using it; invalid_argument if calls break row_sink's rules.
class npy_sink : public row_sink {
public:
    /// `folder` is created at the first call if it does not exist.
    explicit npy_sink(std::string folder);
    ~npy_sink() override;
    result<void> reserve(std::uint64_t rows, std::uint64_t dimensions) override;
    result<void> declare_row(std::uint64_t index, const source_row& row) override;
    result<void> write(const row_batch& rows) override;
    result<void> write_receipt(const job_evidence& proof) override;
    result<void> fail(const failed_row& row) override;
    [[nodiscard]] bool can_copy() const override { return true; }
    result<void> copy(std::uint64_t from, std::uint64_t to) override;
    result<std::uint64_t> withdraw(std::span<const std::uint64_t> indices) override;
    [[nodiscard]] bool keeps_digests() const override { return true; }
    result<std::optional<std::vector<input_digests>>> digests_of(std::span<const std::uint64_t> indices) override;
    result<void> flush() override;
    result<void> finish(std::uint64_t rows, std::uint64_t dimensions) override;

private:
    class impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace vembed
