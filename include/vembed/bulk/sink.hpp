#pragma once
/// @file
/// Receivers of rows: each row goes to its own index, in whatever order jobs end.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <vembed/core/matrix.hpp>
#include <vembed/core/result.hpp>
#include <vembed/corpus/source.hpp>
#include <vembed/verify/schemes.hpp>

namespace vembed {

/// A run of rows that belong together: rows[i] of a batch is row `indices[i]` of the corpus.
class row_batch {
public:
    std::uint64_t batch = 0;  ///< The batch's number in its run.
    bool cached = false;      ///< The rows come from the cache: batch is meaningless, no receipt came before.
    std::vector<std::uint64_t> indices;  ///< Corpus rows, ascending.
    std::uint64_t dimensions = 0;
    std::span<const float> values;  ///< indices.size() × dimensions, row-major. Valid during the call.

    row_batch() = default;
};

/// A row that could not be embedded.
class failed_row {
public:
    std::uint64_t index = 0;
    source_row row;
    error reason;

    failed_row() = default;
};

/// What a job's receipt says about the rows of a batch, as lines of receipts.jsonl.
class job_evidence {
public:
    std::uint64_t batch = 0;
    std::string job_id;
    std::vector<std::uint64_t> indices;
    std::string results_json;       ///< /jobs/:id/results as received.
    std::string receipt_json;       ///< /receipts/:id as received.
    std::string verification_json;  ///< /receipts/:id/verify as received.
    std::string output_sha256;      ///< Hex, over the whole output's bytes.

    job_evidence() = default;
};

/// Receives rows. It is called on the environment's worker thread, one call at a time. An error from any call ends the
/// run with that error; rows whose write() succeeded stay.
class row_sink {
public:
    row_sink() = default;
    row_sink(const row_sink&) = delete;
    row_sink& operator=(const row_sink&) = delete;
    virtual ~row_sink() = default;

    /// Announces that `rows` rows of `dimensions` will be all: called once, as soon as both are known, in most runs
    /// before anything is bought. A sink that has no space for them fails: then nothing more is bought.
    virtual result<void> reserve(std::uint64_t rows, std::uint64_t dimensions);

    /// Passes a row's id and place in the corpus, in ascending order of index, before any write() of that row.
    virtual result<void> declare_row(std::uint64_t index, const source_row& row) = 0;

    /// Passes rows at their final place, verified as the run's options ask. A process writes each index once, unless it
    /// withdraws it; a process that continues a run may write again, with the same values, what an earlier process
    /// wrote.
    virtual result<void> write(const row_batch& rows) = 0;

    /// Passes the evidence of a batch's job, before its write().
    virtual result<void> write_receipt(const job_evidence& evidence) = 0;

    /// Reports a row that will not come; its values become NaN.
    virtual result<void> fail(const failed_row& row) = 0;

    /// Whether copy() works. If it does not, every row is bought, duplicates too.
    [[nodiscard]] virtual bool can_copy() const { return false; }

    /// Gives row `to` the values of row `from`, which this process or an earlier one of the same run wrote; `to` then
    /// counts as written. The same copy may be asked for again.
    virtual result<void> copy(std::uint64_t from, std::uint64_t to);

    /// Reports rows that this run will not bring, though they may have been bought: their batch is in doubt, its job
    /// did not settle in time, or they were withdrawn. They may be written after all. It is for sinks that pass rows on
    /// in order.
    virtual void skip(std::span<const std::uint64_t> indices, const error& why);

    /// Takes back rows that were written, in this process or an earlier one, and that may belong to other texts: they
    /// count as not written, their values and those of the copies that this process made of them become NaN, durably,
    /// and their evidence goes. They may be written, copied or failed later. Returns how many copies were undone. Rows
    /// that were not written are passed over, so that the call can be repeated. folder_mismatch if the folder is
    /// finished. It is for sinks that keep what they are given; a sink that passed the rows on does nothing, and
    /// skip() tells it of them.
    virtual result<std::uint64_t> withdraw(std::span<const std::uint64_t> indices);

    /// Whether digests_of() works.
    [[nodiscard]] virtual bool keeps_digests() const { return false; }

    /// Returns the digests of the texts of rows that this process or an earlier one declared, in the order asked for.
    /// Nothing if one of them was not declared.
    virtual result<std::optional<std::vector<input_digests>>> digests_of(std::span<const std::uint64_t> indices);

    /// Makes everything written so far durable.
    virtual result<void> flush() = 0;

    /// The corpus has ended and every row was written or failed: `rows` in all, of `dimensions` (0 if no row
    /// succeeded).
    virtual result<void> finish(std::uint64_t rows, std::uint64_t dimensions) = 0;
};

/// Rows into an Eigen matrix, which grows as rows come and is rows × dimensions after finish(): until then it may have
/// more rows, and rows not yet written hold anything. Failed rows are NaN after finish(). What the matrix held before
/// the first write() is lost.
class matrix_sink : public row_sink {
public:
    explicit matrix_sink(matrix& destination) : destination_(&destination) {}
    result<void> declare_row(std::uint64_t index, const source_row& row) override;
    result<void> write(const row_batch& rows) override;
    result<void> write_receipt(const job_evidence& evidence) override;
    result<void> fail(const failed_row& row) override;
    [[nodiscard]] bool can_copy() const override { return true; }
    result<void> copy(std::uint64_t from, std::uint64_t to) override;
    result<std::uint64_t> withdraw(std::span<const std::uint64_t> indices) override;
    result<void> flush() override;
    result<void> finish(std::uint64_t rows, std::uint64_t dimensions) override;

    /// The rows that failed, in the order they did.
    [[nodiscard]] const std::vector<failed_row>& failed() const noexcept { return failed_; }

private:
    void grow_to(std::uint64_t rows, std::uint64_t dimensions);
    matrix* destination_;
    std::vector<failed_row> failed_;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> copies_;  ///< From, to.
    bool begun_ = false;
};

}  // namespace vembed
