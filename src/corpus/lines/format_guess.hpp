#pragma once
/// Conclusions from the first bytes of a corpus file about its format. Pure.

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

/// The number of bytes at the beginning of a file that are examined.
inline constexpr std::size_t file_head_bytes = 64 * 1024;

/// The format that the name tells, without a compression's ending; nothing if the name does not tell it.
std::optional<corpus_format> format_by_name(const std::string& path);

/// "convert it with: " and the command that converts the file from the encoding `from` to UTF-8.
std::string conversion_advice(const std::string& path, const std::string& from);

/// Why bytes that begin like this are not rows in any format, and the command that repairs them: UTF-16, lines that end
/// with CR alone, bytes that are not text. Empty if there is no such reason. `format_named`: the name or the user gave
/// the format, so that single zero bytes are an error of their rows only.
std::string why_not_text(const file_head& head, const std::string& path, bool format_named);

/// Why a file of unknown format is not taken for plain lines: it looks like JSON, or like a table with a comma, a tab,
/// a semicolon or a bar between the fields whose header names `text_field`. Empty if it is plain lines.
std::string why_not_lines(const file_head& head, const std::string& path, std::string_view text_field);

}  // namespace vembed::corpus
