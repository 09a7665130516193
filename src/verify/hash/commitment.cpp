#include <vembed/verify/commitment.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "verify/hash/float_bytes.hpp"
#include "verify/hash/local_hasher.hpp"

namespace vembed {

static_assert(sizeof(float) == 4 && std::numeric_limits<float>::is_iec559, "an output is float32");

void verify::hash_by_value(sha256& hasher, std::span<const float> values) {
    constexpr std::size_t at_once = 1024;
    std::array<std::byte, 4 * at_once> bytes;
    while (!values.empty()) {
        const auto some = values.first(std::min(values.size(), at_once));
        for (std::size_t i = 0; i < some.size(); ++i) {
            const auto bits = std::bit_cast<std::uint32_t>(some[i]);
            for (std::size_t byte = 0; byte < 4; ++byte) {
                bytes[4 * i + byte] = static_cast<std::byte>(bits >> (8 * byte));
            }
        }
        hasher.update(std::span(bytes).first(4 * some.size()));
        values = values.subspan(some.size());
    }
}

void verify::hash_floats(sha256& hasher, std::span<const float> values) {
    if constexpr (std::endian::native == std::endian::little) {
        hasher.update(std::as_bytes(values));
    } else {
        hash_by_value(hasher, values);
    }
}

std::string commitment(const Eigen::Ref<const matrix>& rows) {
    sha256& hasher = verify::local_hasher();
    const auto columns = static_cast<std::size_t>(rows.cols());
    for (Eigen::Index row = 0; row < rows.rows() && columns > 0; ++row) {
        verify::hash_floats(hasher, std::span(&rows.coeffRef(row, 0), columns));
    }
    return to_hex(hasher.finish());
}

std::string commitment(std::span<const float> values) {
    sha256& hasher = verify::local_hasher();
    verify::hash_floats(hasher, values);
    return to_hex(hasher.finish());
}

}  // namespace vembed
