#pragma once
/// What the first bytes of a corpus file say about it. Pure.

#include <optional>
#include <string>
#include <string_view>

#include <vembed/corpus/source.hpp>

namespace vembed::corpus {

/// The beginning of a file, decompressed and without a byte order mark.
class file_head {
public:
    std::string_view bytes;
    bool whole = false;  ///< Nothing follows.

    file_head() = default;
};

/// How much of a file is looked at.
inline constexpr std::size_t file_head_bytes = 64 * 1024;

/// The format that the name tells, an ending of a compression left out of account; nothing where it tells none.
std::optional<corpus_format> format_by_name(const std::string& path);

/// "convert it with: " and the command that makes UTF-8 of the file, which is written in `from`.
std::string conversion_advice(const std::string& path, const std::string& from);

/// Why bytes that begin like this are rows in no format, and the command that mends them: UTF-16, lines ended by CR
/// alone, bytes that are no text. Empty where there is no such reason. `format_named`: the name or the user told the
/// format, so that single zero bytes are a matter of their rows.
std::string why_not_text(const file_head& head, const std::string& path, bool format_named);

/// Why a file of unknown format is not taken for plain lines: it looks like JSON or like a table whose header names
/// `text_field`, with a comma, a tab, a semicolon or a bar between the fields. Empty where it is plain lines.
std::string why_not_lines(const file_head& head, const std::string& path, std::string_view text_field);

}  // namespace vembed::corpus
