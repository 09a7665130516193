#pragma once
/// Compares words that people and services write.

#include <string_view>

namespace vembed::text {

/// True if the words differ in the case of ASCII letters at most.
bool same_word(std::string_view a, std::string_view b) noexcept;

}  // namespace vembed::text
