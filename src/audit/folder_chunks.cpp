#include "audit/folder_chunks.hpp"

#include <algorithm>

#include <vembed/verify/sha256_pair.hpp>

#include "folder/records/row_cursor.hpp"

namespace vembed::audit {
namespace {

/// Reads one chunk, block by block.
class chunk_reader {
public:
    /// `at` is the position at which the chunk's rows begin.
    chunk_reader(folder_rows& rows, folder::row_cursor at, bool check, chunk_reading& into)
        : rows_(&rows), at_(at), left_(into.rows), check_(check), into_(&into) {}

    /// The next values, valid until the next call; empty at the end.
    result<std::span<const float>> next() {
        while (left_ > 0) {
            const auto [first, end] = at_.take(std::min(left_, rows_->rows_a_block()));
            left_ -= end - first;
            auto block = take_in(first, end);
            if (!block || !block->empty()) {
                return block;
            }
        }
        return std::span<const float>();
    }

private:
    result<std::span<const float>> take_in(std::uint64_t first, std::uint64_t end) {
        const std::uint64_t there = rows_->there(first, end);
        into_->rows_there += there;
        auto block = rows_->read(first, first + there, block_);
        if (!block || !check_) {
            return block;
        }
        rows_->report_missing(first + there, end);
        if (auto checked = rows_->check(first, *block, into_->changed); !checked) {
            return checked.error();
        }
        return block;
    }

    folder_rows* rows_;
    folder::row_cursor at_;
    std::uint64_t left_;
    bool check_;
    chunk_reading* into_;
    std::vector<float> block_;
};

result<void> hash_both(chunk_reader& left, chunk_reader& right, sha256_pair& hashes) {
    for (;;) {
        const auto first = left.next();
        if (!first) {
            return first.error();
        }
        const auto second = right.next();
        if (!second) {
            return second.error();
        }
        if (first->empty() && second->empty()) {
            return {};
        }
        hashes.update(std::as_bytes(*first), std::as_bytes(*second));
    }
}

}  // namespace

result<std::vector<chunk_reading>> read_chunks(folder_rows& rows, const folder::proven_job& job,
                                               std::span<const expected_chunk> chunks, bool check) {
    std::vector<chunk_reading> readings(chunks.size());
    sha256_pair hashes;
    folder::row_cursor at(job.rows);
    for (std::size_t i = 0; i < chunks.size(); i += 2) {
        chunk_reading none;  // The second of the pair if the number of chunks is odd.
        chunk_reading& left = readings[i];
        chunk_reading& right = i + 1 < chunks.size() ? readings[i + 1] : none;
        left.rows = chunks[i].row_end - chunks[i].row_start;
        right.rows = i + 1 < chunks.size() ? chunks[i + 1].row_end - chunks[i + 1].row_start : 0;
        chunk_reader left_reader(rows, at, check, left);
        at.skip(left.rows);
        chunk_reader right_reader(rows, at, check, right);
        at.skip(right.rows);
        if (auto read = hash_both(left_reader, right_reader, hashes); !read) {
            return read.error();
        }
        const auto [left_bytes, right_bytes] = hashes.finish();
        left.bytes = left_bytes;
        right.bytes = right_bytes;
    }
    return readings;
}

}  // namespace vembed::audit
