#include "corpus/lines/format_guess.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "text/json/json_text.hpp"

namespace vembed::corpus {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t table_lines = 20;

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return out;
}

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    return first == std::string_view::npos ? std::string_view() : text.substr(first);
}

/// The first complete lines, at most `most`, without their line ends.
std::vector<std::string_view> first_lines(const file_head& head, std::size_t most) {
    std::vector<std::string_view> lines;
    std::string_view rest = head.bytes;
    while (lines.size() < most && !rest.empty()) {
        const std::size_t end = rest.find('\n');
        if (end == std::string_view::npos && !head.whole) {
            break;
        }
        std::string_view line = rest.substr(0, end);
        rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        lines.push_back(line);
    }
    return lines;
}

using table_record = std::vector<std::string>;  // the record's fields

/// Takes one record from the front of `rest`, with its line end; quoted fields without their quotes. False if `rest`
/// ends within a quoted field or before a line end.
bool take_table_record(std::string_view& rest, char separator, table_record& fields) {
    fields.assign(1, {});
    bool in_quotes = false;
    bool begins = true;  // at the beginning of a field
    for (std::size_t i = 0; i < rest.size(); ++i) {
        const char c = rest[i];
        if (in_quotes && c == '"' && rest.substr(i + 1).starts_with('"')) {
            fields.back() += rest[++i];
        } else if (c == '"' && (in_quotes || begins)) {
            in_quotes = !in_quotes;
            begins = false;
        } else if (c == '\n' && !in_quotes) {
            if (fields.back().ends_with('\r')) {
                fields.back().pop_back();
            }
            rest.remove_prefix(i + 1);
            return true;
        } else if (c == separator && !in_quotes) {
            fields.emplace_back();
            begins = true;
        } else {
            fields.back() += c;
            begins = false;
        }
    }
    rest = {};
    return false;
}

/// The first complete records; quoted fields may hold line ends.
std::vector<table_record> first_records(const file_head& head, char separator) {
    std::vector<table_record> records;
    std::string_view rest = head.bytes;
    while (records.size() < table_lines && !rest.empty()) {
        table_record fields;
        if (take_table_record(rest, separator, fields) || head.whole) {
            records.push_back(std::move(fields));
        }
    }
    return records;
}

/// Each of the first lines as a record: if the quotes of one are wrong, the others can still be read.
std::vector<table_record> lines_as_records(const std::vector<std::string_view>& lines, char separator) {
    std::vector<table_record> records(lines.size());
    for (std::size_t i = 0; i < lines.size(); ++i) {
        std::string_view line = lines[i];
        (void)take_table_record(line, separator, records[i]);
    }
    return records;
}

/// A table may have broken records: if the header has several fields, most records must have as many; if it has one,
/// all must. A header of several fields that nothing follows is a table without rows.
bool is_table(const std::vector<table_record>& records, std::string_view text_field) {
    if (records.empty()) {
        return false;
    }
    const table_record& header = records.front();
    if (std::find(header.begin(), header.end(), text_field) == header.end()) {
        return false;
    }
    std::size_t fitting = 0;
    std::size_t others = 0;
    for (auto record = records.begin() + 1; record != records.end(); ++record) {
        const bool blank = *record == table_record(1);
        fitting += !blank && record->size() == header.size() ? 1 : 0;
        others += !blank && record->size() != header.size() ? 1 : 0;
    }
    return header.size() > 1 ? fitting >= others * 3 : others == 0 && records.size() > 1;
}

std::string_view first_line_with_content(std::string_view bytes) {
    const std::string_view from = trimmed(bytes);
    return from.substr(0, from.find('\n'));
}

/// Whether the text is `[` or `{`, optional white space, and then what can begin a value there.
bool opens_like_json(std::string_view from) {
    const std::string_view inner = trimmed(from.substr(1));
    if (from.front() == '{') {
        return inner.starts_with('"') || inner.starts_with('}');
    }
    return inner.starts_with('"') || (inner.starts_with('{') && opens_like_json(inner));
}

/// The command that decompresses the file into a pipe: "gzip -dc < FILE | ". Empty if its name does not tell that it is
/// compressed.
std::string unpacking(const std::string& path) {
    const std::string name = lower(path);
    if (name.ends_with(".gz") || name.ends_with(".gzip")) {
        return "gzip -dc < " + path + " | ";
    }
    return name.ends_with(".zst") || name.ends_with(".zstd") ? "zstd -dc < " + path + " | " : std::string();
}

std::string table_advice(const char* format, const std::string& path, std::string_view text_field) {
    return path + " looks like a table with a column \"" + std::string(text_field) + "\"; give --format " + format +
           ", or --format lines if its lines are texts";
}

/// Advice for a table that none of the formats reads. Only a tool that knows quotes can convert each such table.
std::string other_table_advice(char separator, const std::string& path, std::string_view text_field) {
    const std::string unpacked = unpacking(path);
    return path + " looks like a table with a column \"" + std::string(text_field) + "\" and '" + separator +
           "' between the fields, which is not read here; convert it to CSV with: " + unpacked +
           "python3 -c \"import csv,sys; csv.writer(sys.stdout).writerows(csv.reader(sys.stdin,delimiter='" +
           separator + "'))\"" + (unpacked.empty() ? " < " + path : std::string()) +
           " > corpus.csv; if its lines are texts, give --format lines";
}

std::string json_advice(std::string_view from, const std::string& path) {
    const std::string_view line = first_line_with_content(from);
    const bool lines = from.front() == '{' && (text::is_json(line) || line.ends_with('}') || line.ends_with("}\r"));
    std::string why = path + " looks like JSON; ";
    if (lines) {
        return why + "if each line is an object, give --format jsonl; if its lines are texts, --format lines";
    }
    const std::string unpacked = unpacking(path);
    why += (from.front() == '[' ? "make each element a line with: " : "make each object a line with: ") + unpacked +
           (from.front() == '[' ? "jq -c '.[]'" : "jq -c .") + (unpacked.empty() ? " " + path : std::string());
    return why + " > corpus.jsonl; if its lines are texts, give --format lines";
}

/// Whether each line is a string, an array or an object: a number may also be a text.
bool is_json_a_line(const std::vector<std::string_view>& lines) {
    bool any = false;
    for (const std::string_view line : lines) {
        const std::string_view from = trimmed(line);
        if (from.empty()) {
            continue;
        }
        if (std::string_view("\"[{").find(from.front()) == std::string_view::npos || !text::is_json(from)) {
            return false;
        }
        any = true;
    }
    return any;
}

std::string json_a_line_advice(char first, const std::string& path) {
    const std::string unpacked = unpacking(path);
    return path + " looks like JSON; make each line an object with: " + unpacked +
           (first == '[' ? "jq -c '{text: .[0]}'" : "jq -c '{text: .}'") +
           (unpacked.empty() ? " " + path : std::string()) +
           " > corpus.jsonl; if its lines are texts, give --format lines";
}

bool is_known_binary(std::string_view bytes) {
    static constexpr std::array<std::string_view, 13> beginnings = {"%PDF-"sv,
                                                                    "PAR1"sv,
                                                                    "\x89PNG"sv,
                                                                    "\x93NUMPY"sv,
                                                                    "SQLite format 3"sv,
                                                                    "\x7f"
                                                                    "ELF"sv,
                                                                    "\xff\xd8\xff"sv,
                                                                    "Obj\x01"sv,
                                                                    "ARROW1"sv,
                                                                    "\x04\x22\x4d\x18"sv,
                                                                    "7z\xbc\xaf"sv,
                                                                    "GIF8"sv,
                                                                    "OggS"sv};
    return std::any_of(beginnings.begin(), beginnings.end(),
                       [bytes](std::string_view beginning) { return bytes.starts_with(beginning); });
}

/// "LE" or "BE" if every other byte, or nearly every other, is zero.
std::string_view utf16_order(std::string_view bytes) {
    std::array<std::size_t, 2> zeros{};
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        zeros[i % 2] += bytes[i] == '\0' ? 1 : 0;
    }
    const std::size_t pairs = bytes.size() / 2;
    if (pairs < 2) {
        return {};
    }
    if (zeros[1] * 10 >= pairs * 4 && zeros[0] * 20 <= pairs) {
        return "LE";
    }
    return zeros[0] * 10 >= pairs * 4 && zeros[1] * 20 <= pairs ? "BE" : "";
}

/// The code unit of `width` bytes at `at`.
std::uint32_t unit_at(std::string_view bytes, std::size_t at, std::size_t width, bool little) {
    std::uint32_t unit = 0;
    for (std::size_t i = 0; i < width; ++i) {
        unit = unit << 8 | static_cast<unsigned char>(bytes[at + (little ? width - 1 - i : i)]);
    }
    return unit;
}

/// Blocks of letters whose high byte does not occur in plain ASCII lines.
bool is_block_of_letters(std::size_t block) {
    return block > 0 && block < 0x20 && block != '\t' && block != '\n' && block != '\r';
}

/// The evidence for UTF-16 (width 2) or UTF-32 (4) in this byte order: line ends and spaces, or one block of letters. 0
/// if the bytes are not valid in it.
std::size_t evidence_of_wide(const file_head& head, std::size_t width, bool little) {
    const std::size_t count = head.bytes.size() / width;
    if (count < 2 || (head.whole && head.bytes.size() % width != 0)) {
        return 0;
    }
    std::array<std::size_t, 0x1100> blocks{};
    std::size_t spaces = 0;
    bool low_half_next = false;
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint32_t unit = unit_at(head.bytes, i * width, width, little);
        const bool high_half = unit >= 0xd800 && unit <= 0xdbff;
        const bool low_half = unit >= 0xdc00 && unit <= 0xdfff;
        const bool space = unit == ' ' || unit == '\n' || unit == '\r' || unit == '\t' || unit == '\f';
        if (low_half != low_half_next || (width == 4 && high_half) || (unit < ' ' && !space) || unit == 0xfffe ||
            unit == 0xffff || unit > 0x10ffff) {
            return 0;
        }
        low_half_next = high_half;
        spaces += space ? 1 : 0;
        ++blocks[unit >> 8];
    }
    if (low_half_next && head.whole) {
        return 0;
    }
    if (width == 4) {
        return spaces + 1;  // Bytes of another encoding are not a sequence of valid code points.
    }
    for (std::size_t block = 0; block < blocks.size() && spaces == 0; ++block) {
        spaces = is_block_of_letters(block) && blocks[block] * 5 >= count * 4 ? 1 : 0;
    }
    return spaces;
}

/// Han characters, kana, their punctuation, and ASCII. Hangul is left out: GB 2312 would be taken for it.
bool is_ideographic(std::uint32_t unit) {
    return (unit > ' ' && unit < 0x7f) || (unit >= 0x3000 && unit <= 0x30ff) || (unit >= 0x3400 && unit <= 0x9fff) ||
           (unit >= 0xff00 && unit <= 0xffef);
}

/// Whether the bytes are UTF-16 of Chinese or Japanese without a space or line end. Shift JIS would also read as Han
/// characters, so it is excluded: read with the high byte first, none of its characters is below U+8000, but most of
/// Chinese and Japanese is; read with the low byte first, nearly all begin with one of the 31 bytes that begin a
/// character in Shift JIS.
bool is_ideographic_text(const file_head& head, bool little) {
    const std::size_t count = head.bytes.size() / 2;
    std::size_t ideographic = 0;
    std::size_t low = 0;
    std::size_t leads = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint32_t unit = unit_at(head.bytes, i * 2, 2, little);
        ideographic += is_ideographic(unit) ? 1 : 0;
        low += is_ideographic(unit) && unit < 0x8000 ? 1 : 0;
        leads += (unit & 0xff) >= 0x81 && (unit & 0xff) <= 0x9f ? 1 : 0;
    }
    const bool shift_jis = little && leads * 10 >= count * 9;
    const bool whole_units = !head.whole || head.bytes.size() % 2 == 0;
    return count >= 2 && whole_units && !shift_jis && ideographic * 10 >= count * 9 && low * 2 >= count;
}

bool is_utf8(const file_head& head) {
    std::string ignored;
    // The end of the head may cut a character.
    const std::size_t cut_max = head.whole ? 0 : std::min<std::size_t>(3, head.bytes.size());
    for (std::size_t cut = 0; cut <= cut_max; ++cut) {
        ignored.clear();
        if (text::append_json_string(ignored, head.bytes.substr(0, head.bytes.size() - cut))) {
            return true;
        }
    }
    return false;
}

/// The encoding's name, such as "UTF-16LE", if the bytes are such text in any language; otherwise empty.
std::string wide_encoding(const file_head& head) {
    if (const std::string_view order = utf16_order(head.bytes); !order.empty()) {
        return "UTF-16" + std::string(order);
    }
    const auto printable = static_cast<std::size_t>(
        std::count_if(head.bytes.begin(), head.bytes.end(), [](char c) { return c >= 0x20 && c < 0x7f; }));
    const bool ascii = std::none_of(head.bytes.begin(), head.bytes.end(),
                                    [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
    if (printable * 5 >= head.bytes.size() * 4 || (!ascii && is_utf8(head))) {
        return {};
    }
    for (const std::size_t width : {std::size_t{4}, std::size_t{2}}) {
        const std::size_t little = evidence_of_wide(head, width, true);
        const std::size_t big = evidence_of_wide(head, width, false);
        if (little != big) {
            return "UTF-" + std::to_string(width * 8) + (little > big ? "LE" : "BE");
        }
    }
    const bool little = is_ideographic_text(head, true);
    if (!ascii && little != is_ideographic_text(head, false)) {
        return little ? "UTF-16LE" : "UTF-16BE";
    }
    return {};
}

/// Whether lines end with CR alone: there is no LF between them, but there may be one at the very end.
bool has_cr_ends(const file_head& head) {
    std::string_view bytes = head.bytes;
    if (head.whole && bytes.ends_with('\n')) {
        bytes.remove_suffix(bytes.ends_with("\r\n") ? 2 : 1);
    }
    const std::size_t cr = bytes.find('\r');
    return cr != std::string_view::npos && cr + 1 < bytes.size() && bytes.find('\n') == std::string_view::npos;
}

bool is_control(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != '\v' && c != '\b' && c != '\x1b';
}

}  // namespace

std::optional<corpus_format> format_by_name(const std::string& path) {
    const std::string lowered = lower(path);
    std::string_view name = lowered;
    for (const std::string_view packed : {".gz", ".gzip", ".zst", ".zstd", ".bz2", ".xz", ".lzma", ".lz4", ".zip"}) {
        if (name.ends_with(packed)) {
            name.remove_suffix(packed.size());
            break;
        }
    }
    for (const std::string_view ending : {".jsonl", ".jsonlines", ".jl", ".ndjson"}) {
        if (name.ends_with(ending)) {
            return corpus_format::jsonl;
        }
    }
    if (name.ends_with(".csv")) {
        return corpus_format::csv;
    }
    return name.ends_with(".tsv") ? std::optional(corpus_format::tsv) : std::nullopt;
}

std::string conversion_advice(const std::string& path, const std::string& from) {
    const std::string unpacked = unpacking(path);
    return "convert it with: " + unpacked + "iconv -f " + from + " -t UTF-8" +
           (unpacked.empty() ? " " + path : std::string()) + " > FILE";
}

std::string why_not_text(const file_head& head, const std::string& path, bool format_named) {
    if (const std::string from = wide_encoding(head); !from.empty()) {
        return path + " looks like " + from + "; " + conversion_advice(path, from);
    }
    if (has_cr_ends(head)) {
        return path + " has lines that end with CR alone; convert them with: " + unpacking(path) + "tr '\\r' '\\n'";
    }
    if (format_named) {
        return {};
    }
    const auto controls = static_cast<std::size_t>(std::count_if(head.bytes.begin(), head.bytes.end(), is_control));
    if (is_known_binary(head.bytes) || controls * 20 > head.bytes.size()) {
        return path + " is not text; if its lines are texts all the same, give --format lines";
    }
    if (head.bytes.find('\0') != std::string_view::npos) {
        return path + " has zero bytes: it is not text, or take them out with: " + unpacking(path) + "tr -d '\\000'";
    }
    return {};
}

std::string why_not_lines(const file_head& head, const std::string& path, std::string_view text_field) {
    const std::string_view from = trimmed(head.bytes);
    if (!from.empty() && (from.front() == '{' || from.front() == '[')) {
        const std::string_view line = first_line_with_content(from);
        const bool array_alone = from.front() == '[' && head.whole && text::is_json(from);
        if (opens_like_json(from) || (from.front() == '{' && text::is_json(line)) || array_alone) {
            return json_advice(from, path);
        }
    }
    const std::vector<std::string_view> lines = first_lines(head, table_lines);
    if (is_json_a_line(lines)) {
        return json_a_line_advice(from.front(), path);
    }
    for (const char separator : {',', '\t'}) {
        if (is_table(lines_as_records(lines, separator), text_field) ||
            is_table(first_records(head, separator), text_field)) {
            return table_advice(separator == ',' ? "csv" : "tsv", path, text_field);
        }
    }
    for (const char separator : {';', '|'}) {
        const std::vector<table_record> records = lines_as_records(lines, separator);
        // A file with one field has no separator.
        if (!records.empty() && records.front().size() > 1 &&
            (is_table(records, text_field) || is_table(first_records(head, separator), text_field))) {
            return other_table_advice(separator, path, text_field);
        }
    }
    return {};
}

}  // namespace vembed::corpus
