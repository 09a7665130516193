#include "cyberian/io/output_sink.hpp"

#include <algorithm>
#include <bit>

#include "cyberian/wire/codec.hpp"

namespace vembed::cyberian {
namespace {

static_assert(std::endian::native == std::endian::little, "outputs are little-endian and are read in place");

error broken_output(std::string what) {
    return {errc::protocol, "the job's output breaks the contract: " + std::move(what)};
}

}  // namespace

output_sink::output_sink(std::uint64_t rows, rows_place& place, std::vector<expected_chunk> chunks, bool hash_whole)
    : rows_(rows), place_(&place), chunks_(std::move(chunks)), hash_whole_(hash_whole) {}

// If the length agrees with the shape, nothing was damaged on the way: the service means another number of rows.
error output_sink::wrong_rows(std::uint64_t rows, std::uint64_t columns, const response_head& head) const {
    const std::string what = "its shape says " + std::to_string(rows) + " rows for a job of " + std::to_string(rows_);
    const bool meant = columns > 0 && columns <= dimensions_max && head.content_length &&
                       *head.content_length / (columns * sizeof(float)) == rows &&
                       *head.content_length % (columns * sizeof(float)) == 0;
    return meant ? error(errc::verification_failed, "the output is not the job's: " + what) : broken_output(what);
}

result<void> output_sink::begin(const response_head& head) {
    filled_ = 0;
    values_ = {};
    const std::optional<std::string_view> dtype = head.find("X-Cyberian-Dtype");
    if (dtype && !names_float32(*dtype)) {
        return broken_output("X-Cyberian-Dtype is \"" + std::string(dtype->substr(0, 32)) + "\", not float32");
    }
    const std::optional<std::string_view> header = head.find("X-Cyberian-Shape");
    const std::uint64_t expected = place_->dimensions_expected();
    result<std::pair<std::uint64_t, std::uint64_t>> shape = std::pair(rows_, expected);
    if (header) {
        shape = read_shape(*header);
        if (!shape) {
            return shape.error();
        }
    } else if (expected == 0 || head.content_length != rows_ * expected * sizeof(float)) {
        return broken_output("it has no X-Cyberian-Shape, and its length is not that of " + std::to_string(rows_) +
                             " rows of the model");
    }
    shape_told_ = header.has_value();
    const auto [rows, columns] = *shape;
    if (rows != rows_) {
        return wrong_rows(rows, columns, head);
    }
    if (columns == 0 || columns > dimensions_max) {
        return broken_output("its shape says " + std::to_string(columns) + " dimensions");
    }
    const std::uint64_t bytes = rows * columns * sizeof(float);
    if (head.content_length && *head.content_length != bytes) {
        return broken_output("its length is " + std::to_string(*head.content_length) + " bytes, but its shape says " +
                             std::to_string(bytes));
    }
    const result<std::span<float>> placed = place_->place(rows, columns);
    if (!placed) {
        return placed.error();
    }
    values_ = *placed;
    dimensions_ = columns;
    if (!chunks_.empty()) {
        hasher_.emplace(chunks_, columns * sizeof(float), hash_whole_);
    }
    return {};
}

std::span<std::byte> output_sink::prepare(std::size_t at_most) {
    const std::span<std::byte> bytes = std::as_writable_bytes(values_);
    return bytes.subspan(filled_, std::min(at_most, bytes.size() - filled_));
}

result<void> output_sink::commit(std::size_t size) {
    if (hasher_) {
        hasher_->update(std::as_bytes(values_).subspan(filled_, size));
    }
    filled_ += size;
    return {};
}

result<void> output_sink::complete() const {
    const std::size_t wanted = std::as_bytes(values_).size();
    if (filled_ != wanted) {
        return broken_output("it ends after " + std::to_string(filled_) + " of " + std::to_string(wanted) + " bytes");
    }
    return {};
}

result<output_digests> output_sink::digests() {
    if (!hasher_) {
        return output_digests();
    }
    return hasher_->finish();
}

}  // namespace vembed::cyberian
