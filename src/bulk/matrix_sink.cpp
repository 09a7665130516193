#include <algorithm>
#include <cstring>
#include <limits>
#include <string>

#include <vembed/bulk/sink.hpp>

namespace vembed {
namespace {

error matrix_misuse(std::string what) {
    return {errc::invalid_argument, "matrix_sink: " + std::move(what)};
}

bool fits_memory(std::uint64_t rows, std::uint64_t dimensions) {
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<Eigen::Index>::max()) / sizeof(float);
    return dimensions == 0 ? rows <= most : rows <= most / dimensions;
}

}  // namespace

result<void> row_sink::reserve(std::uint64_t, std::uint64_t) {
    return {};
}

result<void> row_sink::copy(std::uint64_t, std::uint64_t) {
    return error(errc::invalid_argument, "this sink cannot copy rows");
}

void row_sink::skip(std::span<const std::uint64_t>, const error&) {}

result<std::uint64_t> row_sink::withdraw(std::span<const std::uint64_t>) {
    return std::uint64_t{0};
}

result<std::optional<std::vector<input_digests>>> row_sink::digests_of(std::span<const std::uint64_t>) {
    return std::optional<std::vector<input_digests>>();
}

result<void> matrix_sink::declare_row(std::uint64_t, const source_row&) {
    return {};
}

result<void> matrix_sink::write_receipt(const job_evidence&) {
    return {};
}

result<void> matrix_sink::flush() {
    return {};
}

result<void> matrix_sink::write(const row_batch& rows) {
    if (rows.dimensions == 0 || rows.values.size() / rows.dimensions != rows.indices.size() ||
        rows.values.size() % rows.dimensions != 0) {
        return matrix_misuse("a batch of " + std::to_string(rows.indices.size()) + " rows of " +
                             std::to_string(rows.dimensions) + " dimensions came with " +
                             std::to_string(rows.values.size()) + " values");
    }
    if (rows.indices.empty()) {
        return {};
    }
    const std::uint64_t last = *std::max_element(rows.indices.begin(), rows.indices.end());
    if (last == std::numeric_limits<std::uint64_t>::max() || !fits_memory(last + 1, rows.dimensions)) {
        return matrix_misuse("row " + std::to_string(last) + " does not fit into memory");
    }
    const auto columns = static_cast<std::uint64_t>(destination_->cols());
    if (begun_ && columns != rows.dimensions) {
        return matrix_misuse("rows of " + std::to_string(rows.dimensions) + " dimensions came after rows of " +
                             std::to_string(columns));
    }
    grow_to(last + 1, rows.dimensions);
    for (std::size_t i = 0; i < rows.indices.size(); ++i) {
        std::memcpy(destination_->data() + rows.indices[i] * rows.dimensions, rows.values.data() + i * rows.dimensions,
                    rows.dimensions * sizeof(float));
    }
    return {};
}

result<void> matrix_sink::fail(const failed_row& row) {
    failed_.push_back(row);
    return {};
}

result<void> matrix_sink::copy(std::uint64_t from, std::uint64_t to) {
    if (!begun_ || from == to || from >= static_cast<std::uint64_t>(destination_->rows())) {
        return matrix_misuse("row " + std::to_string(from) + " was to be copied to row " + std::to_string(to) +
                             (from == to ? ", but that is the same row" : " before it was written"));
    }
    const auto columns = static_cast<std::uint64_t>(destination_->cols());
    if (to == std::numeric_limits<std::uint64_t>::max() || !fits_memory(to + 1, columns)) {
        return matrix_misuse("row " + std::to_string(to) + " does not fit into memory");
    }
    grow_to(to + 1, columns);
    std::memcpy(destination_->data() + to * columns, destination_->data() + from * columns, columns * sizeof(float));
    copies_.emplace_back(from, to);
    return {};
}

result<std::uint64_t> matrix_sink::withdraw(std::span<const std::uint64_t> indices) {
    const auto blank = [this](std::uint64_t row) {
        if (row < static_cast<std::uint64_t>(destination_->rows())) {
            destination_->row(static_cast<Eigen::Index>(row)).setConstant(std::numeric_limits<float>::quiet_NaN());
        }
    };
    if (!begun_) {
        return std::uint64_t{0};
    }
    std::vector<std::uint64_t> gone(indices.begin(), indices.end());
    std::ranges::sort(gone);
    std::ranges::for_each(gone, blank);
    const std::size_t before = copies_.size();
    std::erase_if(copies_, [&](const auto& copy) {
        const bool withdrawn = std::ranges::binary_search(gone, copy.first);
        if (withdrawn) {
            blank(copy.second);
        }
        return withdrawn;
    });
    return std::uint64_t{before - copies_.size()};
}

result<void> matrix_sink::finish(std::uint64_t rows, std::uint64_t dimensions) {
    const std::uint64_t columns = begun_ ? static_cast<std::uint64_t>(destination_->cols()) : dimensions;
    if (dimensions != 0 && dimensions != columns) {
        return matrix_misuse("finished with " + std::to_string(dimensions) + " dimensions after rows of " +
                             std::to_string(columns));
    }
    if (!fits_memory(rows, columns)) {
        return matrix_misuse(std::to_string(rows) + " rows do not fit into memory");
    }
    destination_->conservativeResize(static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(columns));
    for (const failed_row& failed : failed_) {
        if (failed.index >= rows) {
            return matrix_misuse("row " + std::to_string(failed.index) + " failed, but there are " +
                                 std::to_string(rows));
        }
        destination_->row(static_cast<Eigen::Index>(failed.index)).setConstant(std::numeric_limits<float>::quiet_NaN());
    }
    return {};
}

void matrix_sink::grow_to(std::uint64_t rows, std::uint64_t dimensions) {
    if (!begun_) {
        destination_->resize(0, static_cast<Eigen::Index>(dimensions));
        begun_ = true;
    }
    const auto have = static_cast<std::uint64_t>(destination_->rows());
    if (rows > have) {
        // Half as much again: each row is moved a bounded number of times, and untouched pages cost nothing.
        const std::uint64_t wanted = fits_memory(have + have / 2, dimensions) ? std::max(rows, have + have / 2) : rows;
        destination_->conservativeResize(static_cast<Eigen::Index>(wanted), static_cast<Eigen::Index>(dimensions));
    }
}

}  // namespace vembed
