#include "folder/output_space.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>
#include <utility>

#include "folder/layout.hpp"
#include "folder/records/row_hashes.hpp"
#include "storage/file_size_limit.hpp"
#include "text/text_format.hpp"

namespace vembed::folder {
namespace {

// Files end within blocks, and free space is counted in blocks, so a lack of less than this is no reason to refuse a
// run.
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

}  // namespace

std::uint64_t output_bytes(const npy_shape& shape) noexcept {
    return sum(npy_bytes(shape), product(shape.rows, row_record_bytes + text_record_bytes));
}

bool lacks_space(const output_space& seen) noexcept {
    return bytes_lacking(seen) > 0 || file_too_large(seen);
}

result<output_space> look_at_space(storage::file_ops& ops, const std::string& folder, const npy_shape& shape) {
    output_space seen;
    seen.whole = output_bytes(shape);
    seen.free = storage::free_bytes(ops, folder);
    auto finished = storage::bytes_on_disk(ops, layout::in(folder, layout::embeddings));
    if (!finished || *finished > 0) {
        return finished ? result<output_space>(seen) : finished.error();
    }
    seen.largest_file = npy_bytes(shape);
    seen.file_max = storage::file_size_limit();
    const std::array<std::pair<std::string_view, std::uint64_t>, 3> files = {
        std::pair(layout::embeddings_partial, npy_bytes(shape)),
        std::pair(layout::row_hashes, product(shape.rows, row_record_bytes)),
        std::pair(layout::text_hashes, product(shape.rows, text_record_bytes))};
    for (const auto& [name, whole] : files) {
        auto held = storage::bytes_on_disk(ops, folder + "/" + std::string(name));
        if (!held) {
            return held.error();
        }
        seen.left = sum(seen.left, whole - std::min(whole, *held));
    }
    return seen;
}

error no_space(const output_space& seen, const std::string& folder, const npy_shape& shape) {
    const std::string result_shape =
        std::to_string(shape.rows) + " rows of " + std::to_string(shape.dimensions) + " dimensions";
    if (file_too_large(seen)) {
        return {errc::io, result_shape + " make a file of " + text::rounded_bytes(seen.largest_file, true) + ", and " +
                              text::rounded_bytes(*seen.file_max, false) +
                              " are the most that this process may write into one: raise the limit (ulimit -f) and run "
                              "the same command again"};
    }
    return {errc::io, result_shape + " do not fit into " + folder + ": " + text::rounded_bytes(seen.left, true) +
                          " are still to be written and " + text::rounded_bytes(seen.free.value_or(0), false) +
                          " are free there; free another " + text::rounded_bytes(bytes_lacking(seen), true) +
                          " and run the same command again, or choose a folder on another disk"};
}

}  // namespace vembed::folder

namespace vembed {

std::uint64_t bytes_lacking(const output_space& seen) noexcept {
    if (!seen.free || seen.left <= folder::sum(*seen.free, folder::rounding_bytes)) {
        return 0;
    }
    return seen.left - *seen.free;
}

bool file_too_large(const output_space& seen) noexcept {
    return seen.file_max && seen.largest_file > *seen.file_max;
}

}  // namespace vembed
