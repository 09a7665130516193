#include <vembed/verify/row_root.hpp>

#include <algorithm>
#include <array>

namespace vembed {

digest row_leaf(const digest& text_sha256, const digest& row_sha256) {
    std::array<std::byte, 2 * std::tuple_size_v<digest>> data;
    const auto middle = std::ranges::copy(text_sha256, data.begin()).out;
    std::ranges::copy(row_sha256, middle);
    return leaf_hash(data);
}

}  // namespace vembed
