#include <vembed/verify/row_root.hpp>

#include <algorithm>
#include <array>

#include <vembed/verify/sha256_pair.hpp>

namespace vembed {

void hash_rows(std::span<const float> values, std::span<digest> into) {
    const auto bytes = std::as_bytes(values);
    const std::size_t row_bytes = into.empty() ? 0 : bytes.size() / into.size();
    std::size_t row = 0;
    for (; row + 1 < into.size(); row += 2) {
        const auto both = bytes.subspan(row * row_bytes, 2 * row_bytes);
        const auto [first, second] = sha256_of_both(both.first(row_bytes), both.subspan(row_bytes));
        into[row] = first;
        into[row + 1] = second;
    }
    if (row < into.size()) {
        into[row] = sha256_of(bytes.subspan(row * row_bytes));
    }
}

digest row_leaf(const digest& text_sha256, const digest& row_sha256) {
    std::array<std::byte, 2 * std::tuple_size_v<digest>> data;
    const auto middle = std::ranges::copy(text_sha256, data.begin()).out;
    std::ranges::copy(row_sha256, middle);
    return leaf_hash(data);
}

}  // namespace vembed
