#pragma once
/// Rows that are submitted together, and how they are grouped: rows still to be bought are packed into new jobs, rows
/// of jobs that an earlier process submitted are gathered again.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <vembed/bulk/sink.hpp>
#include <vembed/corpus/source.hpp>
#include <vembed/journal/journal.hpp>
#include <vembed/verify/sha256.hpp>

#include "policy/packing/packing.hpp"

namespace vembed::bulk {

/// rows[i] is corpus row indices[i]; its text is texts[i].
class batch {
public:
    std::uint64_t number = 0;  ///< The number in the journal; assigned when the batch is about to be sent.
    bool intended = false;     ///< The journal has it as about to be sent.
    std::string job_id;        ///< Not empty if an earlier process submitted the batch as this job.
    std::vector<std::uint64_t> indices;
    std::vector<source_row> rows;  ///< Without their texts.
    std::shared_ptr<const std::vector<std::string>> texts;
    std::vector<digest> keys;              ///< The keys of the texts; empty if nobody needs them.
    std::uint64_t chunks = 0;              ///< The chunks that its job was charged.
    bool chunks_guessed = false;           ///< Nobody has said `chunks`; it is the most that it can be.
    std::optional<wall_time> taken_up_of;  ///< When an earlier process was about to send it; empty if this one sent it.
    std::uint32_t refunds = 0;
    bool narrowing = false;  ///< It holds a row that made a job fail.

    batch() = default;
};

/// The rows [first, last) of a batch as a batch of their own, not yet submitted.
batch part_of(const batch& whole, std::size_t first, std::size_t last);

/// The rows [first, last) of a batch as failed rows.
std::vector<failed_row> failed_rows_of(const batch& whole, std::size_t first, std::size_t last, const error& why);

/// A row that is about to be put into a batch.
class row_in_hand {
public:
    std::uint64_t index = 0;
    source_row row;
    std::optional<digest> key;

    row_in_hand() = default;
};

/// Packs rows into batches, of whole chunks if it can.
class packer {
public:
    void add(row_in_hand row);

    /// The next batch, or nothing if more rows are worth waiting for.
    std::optional<batch> take(const policy::packing_limits& limits, bool ended);

private:
    std::deque<row_in_hand> pending_;
    std::vector<std::uint64_t> sizes_;  ///< The sizes of the pending texts.
};

/// Gathers the rows of jobs that an earlier process left in flight.
class job_gatherer {
public:
    void expect(const journalled_batch& accepted);

    /// Whether the row belongs to a job that is being gathered.
    [[nodiscard]] bool wants(std::uint64_t index) const;
    void add(row_in_hand row);

    /// The next job whose rows are all there.
    std::optional<batch> take();

    /// Whether rows are still missing.
    [[nodiscard]] bool waits() const noexcept { return !waiting_.empty(); }

private:
    class gathered {
    public:
        journalled_batch job;
        std::uint64_t rows_missing = 0;
        std::deque<row_in_hand> rows;

        gathered() = default;
    };

    std::map<std::uint64_t, gathered> waiting_;                                ///< The key is the batch number.
    std::map<std::uint64_t, std::pair<std::uint64_t, std::uint64_t>> ranges_;  ///< Range start → end, batch.
    std::deque<batch> complete_;
};

}  // namespace vembed::bulk
