#pragma once
/// Rows that travel together, and how they come together: those still to be bought are packed into new jobs, those of
/// jobs that an earlier process submitted are gathered again.

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

/// rows[i] is corpus row indices[i]; its text stands in texts[i].
class batch {
public:
    std::uint64_t number = 0;  ///< In the journal; assigned when it is about to be sent.
    bool intended = false;     ///< The journal has it as about to be sent.
    std::string job_id;        ///< Not empty: an earlier process submitted it as this job.
    std::vector<std::uint64_t> indices;
    std::vector<source_row> rows;  ///< Without their texts.
    std::shared_ptr<const std::vector<std::string>> texts;
    std::vector<digest> keys;              ///< Of the texts; empty where nobody asks for them.
    std::uint64_t chunks = 0;              ///< That its job was charged.
    bool chunks_guessed = false;           ///< Nobody has said that; it is the most that it can be.
    std::optional<wall_time> taken_up_of;  ///< When an earlier process was about to send it; empty: this one sent it.
    std::uint32_t refunds = 0;
    bool narrowing = false;  ///< It holds a row that made a job fail.

    batch() = default;
};

/// The rows [first, last) of a batch as a batch of their own, not yet submitted.
batch part_of(const batch& whole, std::size_t first, std::size_t last);

/// The rows [first, last) of a batch that come to nothing.
std::vector<failed_row> failed_rows_of(const batch& whole, std::size_t first, std::size_t last, const failure& why);

/// A row on its way into a batch.
class row_in_hand {
public:
    std::uint64_t index = 0;
    source_row row;
    std::optional<digest> key;

    row_in_hand() = default;
};

/// Packs rows into batches, whole chunks where it can.
class packer {
public:
    void add(row_in_hand row);

    /// The next batch, or nothing as long as more rows are worth waiting for.
    std::optional<batch> take(const policy::packing_limits& limits, bool ended);

private:
    std::deque<row_in_hand> pending_;
    std::vector<std::uint64_t> sizes_;  ///< Of the pending texts.
};

/// Gathers the rows of jobs that are in flight since an earlier process.
class job_gatherer {
public:
    void expect(const journalled_batch& accepted);

    /// Whether the row belongs to such a job.
    [[nodiscard]] bool wants(std::uint64_t index) const;
    void add(row_in_hand row);

    /// A job whose rows are all there.
    std::optional<batch> take();

    /// Whether rows are missing still.
    [[nodiscard]] bool waits() const noexcept { return !waiting_.empty(); }

private:
    class gathered {
    public:
        journalled_batch job;
        std::uint64_t rows_missing = 0;
        std::deque<row_in_hand> rows;

        gathered() = default;
    };

    std::map<std::uint64_t, gathered> waiting_;                                ///< By batch number.
    std::map<std::uint64_t, std::pair<std::uint64_t, std::uint64_t>> ranges_;  ///< Range start → end, batch.
    std::deque<batch> complete_;
};

}  // namespace vembed::bulk
