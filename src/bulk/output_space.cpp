#include "bulk/output_space.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <string_view>
#include <utility>

#include "bulk/output_folder.hpp"
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

/// "41.9 GB" or "12.3 kB", rounded so that what is needed never looks like what is free.
std::string readable_bytes(std::uint64_t bytes, bool up) {
    constexpr std::array<const char*, 5> units = {"kB", "MB", "GB", "TB", "PB"};
    if (bytes < 1000) {
        return std::to_string(bytes) + " B";
    }
    double tenths = static_cast<double>(bytes) / 100;
    std::size_t unit = 0;
    while (tenths >= 10'000 && unit + 1 < units.size()) {
        tenths /= 1000;
        ++unit;
    }
    std::array<char, 32> text{};
    const int size = std::snprintf(text.data(), text.size(), "%.1f %s",
                                   (up ? std::ceil(tenths) : std::floor(tenths)) / 10, units.at(unit));
    return {text.data(), static_cast<std::size_t>(size)};
}

}  // namespace

std::optional<std::uint64_t> file_size_limit() noexcept {
    rlimit limit{};
    if (::getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
        return std::nullopt;
    }
    return limit.rlim_cur;
}

result<std::uint64_t> log_pages_within(std::optional<std::uint64_t> file_max) {
    constexpr std::uint64_t usual_pages = 1000;  // SQLite's own.
    constexpr std::uint64_t page_bytes = 4096;
    constexpr std::uint64_t least_bytes = std::uint64_t{256} << 10;
    if (!file_max) {
        return usual_pages;
    }
    if (*file_max < least_bytes) {
        return failure(errc::io, "a run's journal takes " + readable_bytes(least_bytes, true) + " at least, and " +
                                     readable_bytes(*file_max, false) +
                                     " are the most that this process may write into one file: raise the limit "
                                     "(ulimit -f) and run the same command again");
    }
    // What one commit adds comes on top.
    return std::min(usual_pages, *file_max / page_bytes / 4);
}

std::uint64_t output_bytes(const npy_shape& shape) noexcept {
    return sum(npy_bytes(shape), product(shape.rows, row_record_bytes + text_record_bytes));
}

std::uint64_t bytes_lacking(const output_space& seen) noexcept {
    if (!seen.free || seen.left <= sum(*seen.free, rounding_bytes)) {
        return 0;
    }
    return seen.left - *seen.free;
}

bool file_too_large(const output_space& seen) noexcept {
    return seen.file_max && seen.largest_file > *seen.file_max;
}

bool lacks_space(const output_space& seen) noexcept {
    return bytes_lacking(seen) > 0 || file_too_large(seen);
}

result<output_space> look_at_space(storage::file_ops& ops, const std::string& folder, const npy_shape& shape) {
    output_space seen;
    seen.whole = output_bytes(shape);
    seen.free = storage::free_bytes(ops, folder);
    auto finished = storage::bytes_on_disk(ops, output::in(folder, output::embeddings));
    if (!finished || *finished > 0) {
        return finished ? result<output_space>(seen) : finished.error();
    }
    seen.largest_file = npy_bytes(shape);
    seen.file_max = file_size_limit();
    const std::array<std::pair<std::string_view, std::uint64_t>, 3> files = {
        std::pair(output::embeddings_partial, npy_bytes(shape)),
        std::pair(output::row_hashes, product(shape.rows, row_record_bytes)),
        std::pair(output::text_hashes, product(shape.rows, text_record_bytes))};
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
    const std::string result_shape =
        std::to_string(shape.rows) + " rows of " + std::to_string(shape.dimensions) + " dimensions";
    if (file_too_large(seen)) {
        return {errc::io, result_shape + " make a file of " + readable_bytes(seen.largest_file, true) + ", and " +
                              readable_bytes(*seen.file_max, false) +
                              " are the most that this process may write into one: raise the limit (ulimit -f) and run "
                              "the same command again"};
    }
    return {errc::io, result_shape + " do not fit into " + folder + ": " + readable_bytes(seen.left, true) +
                          " are still to be written and " + readable_bytes(seen.free.value_or(0), false) +
                          " are free there; free another " + readable_bytes(bytes_lacking(seen), true) +
                          " and run the same command again, or choose a folder on another disk"};
}

}  // namespace vembed::bulk
