#pragma once
/// Writes texts as JSON strings at memory speed: request bodies are almost nothing but texts.

#include <string>
#include <string_view>

namespace vembed::cyberian {

/// Appends `text`, which must be UTF-8, to `out` as a JSON string with its quotes. Escapes what RFC 8259 asks for (the
/// quotation mark, the backslash, U+0000 to U+001F) and nothing else.
void append_json_string(std::string& out, std::string_view text);

}  // namespace vembed::cyberian
