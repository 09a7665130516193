#pragma once
/// Writes texts as JSON strings at memory speed: request bodies are almost nothing but texts.

#include <string>
#include <string_view>

namespace vembed::cyberian {

/// Appends `text`, which must be UTF-8, to `out` as a JSON string with its quotes. Escapes only what RFC 8259 requires:
/// the quotation mark, the backslash, and U+0000 to U+001F.
void append_json_string(std::string& out, std::string_view text);

}  // namespace vembed::cyberian
