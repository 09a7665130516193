#include "bulk/output_space.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <string_view>
#include <utility>

#include "bulk/row_hashes.hpp"

namespace vembed::bulk {
namespace {

// Files end within blocks, and what is free is counted in blocks: less than this is no reason to refuse a run.
constexpr std::uint64_t rounding_bytes = 1 << 20;

std::uint64_t product(std::uint64_t a, std::uint64_t b) noexcept {
    constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
    return b != 0 && a > most / b ? most : a * b;
}

std::uint64_t sum(std::uint64_t a, std::uint64_t b) noexcept {
    return a + std::min(b, std::numeric_limits<std::uint64_t>::max() - a);
}

std::uint64_t npy_bytes(const npy_shape& shape) noexcept {
    return sum(npy_header_bytes, product(shape.rows, product(shape.dimensions, sizeof(float))));
}

/// "41.9 GB", rounded so that what is needed never looks like what is free.
std::string in_gigabytes(std::uint64_t bytes, bool up) {
    const double large = static_cast<double>(bytes) / 1e8;
    std::array<char, 32> text{};
    const int size =
        std::snprintf(text.data(), text.size(), "%.1f GB", (up ? std::ceil(large) : std::floor(large)) / 10);
    return {text.data(), static_cast<std::size_t>(size)};
}

}  // namespace

std::uint64_t output_bytes(const npy_shape& shape) noexcept {
    return sum(npy_bytes(shape), product(shape.rows, row_record_bytes + text_record_bytes));
}

std::uint64_t bytes_lacking(const output_space& seen) noexcept {
    if (!seen.free || seen.left <= sum(*seen.free, rounding_bytes)) {
        return 0;
    }
    return seen.left - *seen.free;
}

result<output_space> look_at_space(storage::file_ops& ops, const std::string& folder, const npy_shape& shape) {
    output_space seen;
    seen.whole = output_bytes(shape);
    seen.free = storage::free_bytes(ops, folder);
    auto finished = storage::bytes_on_disk(ops, folder + "/embeddings.npy");
    if (!finished || *finished > 0) {
        return finished ? result<output_space>(seen) : finished.error();
    }
    const std::array<std::pair<std::string_view, std::uint64_t>, 3> files = {
        std::pair("embeddings.npy.partial", npy_bytes(shape)),
        std::pair(row_hashes_name, product(shape.rows, row_record_bytes)),
        std::pair(text_hashes_name, product(shape.rows, text_record_bytes))};
    for (const auto& [name, whole] : files) {
        auto held = storage::bytes_on_disk(ops, folder + "/" + std::string(name));
        if (!held) {
            return held.error();
        }
        seen.left = sum(seen.left, whole - std::min(whole, *held));
    }
    return seen;
}

failure no_space(const output_space& seen, const std::string& folder, const npy_shape& shape) {
    return {errc::io, std::to_string(shape.rows) + " rows of " + std::to_string(shape.dimensions) +
                          " dimensions do not fit into " + folder + ": " + in_gigabytes(seen.left, true) +
                          " are still to be written and " + in_gigabytes(seen.free.value_or(0), false) +
                          " are free there; free another " + in_gigabytes(bytes_lacking(seen), true) +
                          " and run the same command again, or choose a folder on another disk"};
}

}  // namespace vembed::bulk
