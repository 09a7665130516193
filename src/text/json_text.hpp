#pragma once
/// Writes JSON lines.

#include <cstdint>
#include <string>
#include <string_view>

namespace vembed::text {

/// Appends a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD, one for each maximal part of a
/// sequence, so that every line is JSON whatever a corpus holds. False where there were such.
bool append_json_string(std::string& out, std::string_view text);

/// Appends a JSON document as it is written, on one line and without a byte order mark; as a JSON string where it is
/// not JSON; null where it is empty. Escapes of half a surrogate pair stay in it, as verify::readable_json's readers
/// take them.
void append_json_document(std::string& out, std::string_view document);

/// Whether the text is one JSON document (RFC 8259) and nothing else.
bool is_json(std::string_view text);

}  // namespace vembed::text
