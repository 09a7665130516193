#pragma once
/// Finds what somebody may have meant.

#include <optional>
#include <span>
#include <string_view>

namespace vembed::text {

/// The candidate that differs least from `word` without case, by inserted, left out and exchanged bytes; the first of
/// several. Nothing if more than a third of the word would have to change, or if the word is longer than 64 bytes.
std::optional<std::string_view> nearest_word(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace vembed::text
