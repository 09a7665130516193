#pragma once
/// Writes JSON lines.

#include <cstdint>
#include <string>
#include <string_view>

namespace vembed::text {

/// Appends a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD, one for each maximal part of a
/// sequence, so that every line is JSON whatever a corpus holds. False if there were such bytes.
bool append_json_string(std::string& out, std::string_view text);

/// Appends a JSON document unchanged, but on one line and without a byte order mark. Appends a JSON string if the text
/// is not JSON, and null if it is empty. Escapes of half a surrogate pair stay in it, because the readers that use
/// text::readable_json accept them.
void append_json_document(std::string& out, std::string_view document);

/// True if the text is one JSON document (RFC 8259) and nothing else.
bool is_json(std::string_view text);

}  // namespace vembed::text
