#include "text/near_word.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "text/words.hpp"

namespace vembed::text {
namespace {

constexpr std::size_t near_bytes_max = 64;

// Levenshtein's distance by rows of its table.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::array<std::size_t, near_bytes_max + 1> row{};
    for (std::size_t j = 0; j <= b.size(); ++j) {
        row[j] = j;
    }
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t corner = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t exchanged = corner + (lower_case(a[i]) == lower_case(b[j]) ? 0 : 1);
            corner = row[j + 1];
            row[j + 1] = std::min({exchanged, row[j] + 1, corner + 1});
        }
    }
    return row[b.size()];
}

}  // namespace

std::optional<std::string_view> nearest_word(std::string_view word, std::span<const std::string_view> candidates) {
    std::optional<std::string_view> nearest;
    std::size_t least = std::max<std::size_t>(word.size() / 3, 1) + 1;
    for (const std::string_view each : candidates) {
        if (word.empty() || word.size() > near_bytes_max || each.size() > near_bytes_max) {
            continue;
        }
        const std::size_t distance = edit_distance(word, each);
        if (distance < least) {
            least = distance;
            nearest = each;
        }
    }
    return nearest;
}

}  // namespace vembed::text
