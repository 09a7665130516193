#pragma once
/// The service's rules for an input text (wire contract, "POST /jobs"). They are checked here so that the service does
/// not refuse a job for its input.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace vembed::policy {

inline constexpr std::size_t inputs_max = 1000;
inline constexpr std::size_t input_bytes_max = 64 * 1024;

/// Says why the service would refuse `input`, as the end of a sentence that begins with the input. Nothing if the
/// service could accept it: it is not empty, has at most 64 KB and is valid UTF-8.
std::optional<std::string> why_refused(std::string_view input);

}  // namespace vembed::policy
