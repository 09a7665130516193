#pragma once
/// What the service takes as an input text (wire contract, "POST /jobs"), so that nothing is paid or refused in vain.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace vembed::policy {

inline constexpr std::size_t inputs_max = 1000;
inline constexpr std::size_t input_bytes_max = 64 * 1024;

/// Whether the service could accept `input`: not empty, at most 64 KB, valid UTF-8. Otherwise says why not, as the end
/// of a sentence that begins with the input.
std::optional<std::string> why_refused(std::string_view input);

}  // namespace vembed::policy
