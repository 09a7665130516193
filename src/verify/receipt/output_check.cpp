#include <vembed/verify/output_check.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

namespace vembed {
namespace {

constexpr std::uint32_t magnitude_mask = 0x7fff'ffff;
constexpr std::uint32_t exponent_step = 0x0080'0000;
constexpr std::uint32_t sign_bit = 0x8000'0000;

error failed(std::string why) {
    return {errc::verification_failed, std::move(why)};
}

std::string name_of(const expected_chunk& chunk) {
    return "chunk " + std::to_string(chunk.index) + " (rows [" + std::to_string(chunk.row_start) + ", " +
           std::to_string(chunk.row_end) + "))";
}

std::uint64_t rows_of(const std::vector<expected_chunk>& chunks) {
    return chunks.empty() ? 0 : chunks.back().row_end;
}

// The chunk list comes from outside, so it must be checked before it is used in arithmetic.
std::optional<error> objection_to(const std::vector<expected_chunk>& chunks, std::uint64_t bytes_per_row) {
    const auto tiled = check_tiling(chunks, rows_of(chunks));
    if (!tiled) {
        return tiled.error();
    }
    if (!chunks.empty() &&
        (bytes_per_row == 0 || rows_of(chunks) > std::numeric_limits<std::uint64_t>::max() / bytes_per_row)) {
        return failed("an output of " + std::to_string(rows_of(chunks)) + " rows of " + std::to_string(bytes_per_row) +
                      " bytes cannot be checked");
    }
    return std::nullopt;
}

// Combines the bits of one row's numbers with two integer operations a number and no branch.
class row_bits {
public:
    explicit row_bits(std::span<const float> row) {
        for (const float value : row) {
            const std::uint32_t magnitude = std::bit_cast<std::uint32_t>(value) & magnitude_mask;
            any_ |= magnitude;
            // If a value is infinite or NaN, all its exponent bits are set, and one more step carries into the sign
            // bit.
            carried_ |= magnitude + exponent_step;
        }
    }
    [[nodiscard]] bool all_finite() const { return (carried_ & sign_bit) == 0; }
    [[nodiscard]] bool all_zero() const { return any_ == 0; }

private:
    std::uint32_t any_ = 0;
    std::uint32_t carried_ = 0;
};

error describe_bad_row(std::span<const float> row, std::uint64_t number) {
    const auto bad = std::ranges::find_if(row, [](float value) { return !std::isfinite(value); });
    if (bad == row.end()) {
        return failed("row " + std::to_string(number) + " of the output is all zeros, which is no embedding");
    }
    return failed("row " + std::to_string(number) + " of the output is not finite: column " +
                  std::to_string(bad - row.begin()) + " is " + (std::isnan(*bad) ? "NaN" : "infinite"));
}

}  // namespace

expected_chunk::expected_chunk(std::uint64_t chunk_index, std::uint64_t first_row, std::uint64_t end_row,
                               std::optional<std::string> chunk_commitment, bool was_sampled)
    : index(chunk_index),
      row_start(first_row),
      row_end(end_row),
      commitment(std::move(chunk_commitment)),
      sampled(was_sampled) {}

result<void> check_tiling(std::span<const expected_chunk> chunks, std::uint64_t rows) {
    std::uint64_t next_row = 0;
    for (const expected_chunk& chunk : chunks) {
        if (chunk.row_end <= chunk.row_start) {
            return failed(name_of(chunk) + " has no rows");
        }
        if (chunk.row_start > next_row) {
            return failed(name_of(chunk) + " leaves a gap: row " + std::to_string(next_row) + " is in no chunk");
        }
        if (chunk.row_start < next_row) {
            return failed(name_of(chunk) + " overlaps the chunk before it, which ends at row " +
                          std::to_string(next_row));
        }
        if (chunk.row_end > rows) {
            return failed(name_of(chunk) + " goes beyond the job's " + std::to_string(rows) + " rows");
        }
        next_row = chunk.row_end;
    }
    if (next_row != rows) {
        return failed("the " + std::to_string(chunks.size()) + " chunks end at row " + std::to_string(next_row) +
                      ", the job has " + std::to_string(rows) + " rows");
    }
    return {};
}

output_hasher::output_hasher(std::vector<expected_chunk> chunks, std::uint64_t bytes_per_row, bool hash_whole)
    : expected_(std::move(chunks)),
      bytes_per_row_(bytes_per_row),
      bad_tiling_(objection_to(expected_, bytes_per_row)),
      hash_whole_(hash_whole) {
    if (bad_tiling_) {
        return;
    }
    bytes_expected_ = rows_of(expected_) * bytes_per_row_;
    digests_.reserve(expected_.size());
    // If there is only one chunk, its hash is that of the whole.
    if (hash_whole_ && expected_.size() != 1) {
        chunk_and_whole_.emplace();
    }
}

void output_hasher::update(std::span<const std::byte> bytes) {
    while (!bytes.empty() && digests_.size() < expected_.size() && !bad_tiling_) {
        const std::uint64_t end = expected_[digests_.size()].row_end * bytes_per_row_;
        const auto piece =
            bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), end - bytes_seen_)));
        if (chunk_and_whole_) {
            chunk_and_whole_->update(piece, piece);
        } else {
            chunk_hash_.update(piece);
        }
        bytes_seen_ += piece.size();
        bytes = bytes.subspan(piece.size());
        if (bytes_seen_ == end) {
            digests_.push_back(chunk_and_whole_ ? chunk_and_whole_->finish(0) : chunk_hash_.finish());
        }
    }
    bytes_seen_ += bytes.size();
}

result<void> output_hasher::check_commitments() const {
    for (std::size_t i = 0; i < expected_.size(); ++i) {
        const auto& commitment = expected_[i].commitment;
        if (!commitment) {
            continue;
        }
        const auto committed = digest_from_hex(*commitment);
        if (!committed) {
            return failed(name_of(expected_[i]) + ": its output_commitment is not a SHA-256 in hex (64 digits)");
        }
        if (*committed != digests_[i]) {
            return failed(name_of(expected_[i]) + ": its bytes have SHA-256 " + to_hex(digests_[i]) +
                          ", the service committed to " + to_hex(*committed) + "; do not use this output");
        }
    }
    return {};
}

result<output_digests> output_hasher::finish() {
    if (bad_tiling_) {
        return *bad_tiling_;
    }
    if (bytes_seen_ != bytes_expected_) {
        return failed("the output has " + std::to_string(bytes_seen_) + " bytes, its chunks add up to " +
                      std::to_string(bytes_expected_));
    }
    const auto matching = check_commitments();
    if (!matching) {
        return matching.error();
    }
    output_digests digests;
    if (chunk_and_whole_) {
        digests.whole = chunk_and_whole_->finish(1);
    } else if (hash_whole_) {
        digests.whole = digests_.front();
    }
    digests.chunks = std::move(digests_);
    return digests;
}

result<void> check_rows(std::span<const float> values, std::uint64_t rows, std::uint64_t dims) {
    if (rows > 0 && dims == 0) {
        return failed("the output has rows without columns");
    }
    if (dims == 0 ? !values.empty() : values.size() % dims != 0 || values.size() / dims != rows) {
        return failed("the output has " + std::to_string(values.size()) + " numbers, which is not " +
                      std::to_string(rows) + " rows of " + std::to_string(dims));
    }
    for (std::uint64_t row = 0; row < rows; ++row) {
        const auto numbers = values.subspan(row * dims, dims);
        const row_bits bits(numbers);
        if (!bits.all_finite() || bits.all_zero()) {
            return describe_bad_row(numbers, row);
        }
    }
    return {};
}

}  // namespace vembed
