#pragma once
/// Keeps API keys out of everything that leaves the process: console, log, JSON and the files of a run. Pure.

#include <string>
#include <string_view>

namespace vembed {

/// A key's id is the key's first 12 characters, so it begins with `cyb_` too; only the length tells them apart.
inline constexpr std::size_t key_id_length = 12;

/// True if the text has the form of a key: it begins with `cyb_` and is not a key's id.
[[nodiscard]] bool looks_like_key(std::string_view text) noexcept;

/// The text with everything that looks like an API key replaced by `cyb_…`. The ids of keys stay.
[[nodiscard]] std::string masked_keys(std::string_view text);

/// masked_keys for a JSON text, which stays valid JSON: a key ends before an escaped quote or control character.
[[nodiscard]] std::string masked_json(std::string_view text);

}  // namespace vembed
