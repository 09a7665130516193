#include "bulk/format_guess.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "bulk/json_text.hpp"

namespace vembed::bulk {
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

/// The first complete lines, at most `most`, without their ends.
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

/// The fields of a line, a quoted one without its quotes.
std::vector<std::string> fields_of(std::string_view line, char separator) {
    std::vector<std::string> fields(1);
    bool in_quotes = false;
    for (const char c : line) {
        if (c == '"' && (in_quotes || fields.back().empty())) {
            in_quotes = !in_quotes;
        } else if (c == separator && !in_quotes) {
            fields.emplace_back();
        } else {
            fields.back() += c;
        }
    }
    return fields;
}

bool is_table(const std::vector<std::string_view>& lines, char separator, std::string_view text_field) {
    if (lines.size() < 2) {
        return false;
    }
    const std::vector<std::string> header = fields_of(lines.front(), separator);
    return std::find(header.begin(), header.end(), text_field) != header.end() &&
           std::all_of(lines.begin(), lines.end(), [&](std::string_view line) {
               return line.empty() || fields_of(line, separator).size() == header.size();
           });
}

std::string_view first_line_with_content(std::string_view bytes) {
    const std::string_view from = trimmed(bytes);
    return from.substr(0, from.find('\n'));
}

/// `[` or `{`, a space or line end or none, and then what begins a value there.
bool opens_like_json(std::string_view from) {
    const std::string_view inner = trimmed(from.substr(1));
    if (from.front() == '{') {
        return inner.starts_with('"') || inner.starts_with('}');
    }
    return inner.starts_with('"') || (inner.starts_with('{') && opens_like_json(inner));
}

/// What unpacks the file into a pipe: "gzip -dc < FILE | ". Empty where its name does not tell that it is packed.
std::string unpacking(const std::string& path) {
    const std::string name = lower(path);
    if (name.ends_with(".gz") || name.ends_with(".gzip")) {
        return "gzip -dc < " + path + " | ";
    }
    return name.ends_with(".zst") || name.ends_with(".zstd") ? "zstd -dc < " + path + " | " : std::string();
}

std::string json_advice(std::string_view from, const std::string& path) {
    const std::string_view line = first_line_with_content(from);
    const bool lines = from.front() == '{' && (is_json(line) || line.ends_with('}') || line.ends_with("}\r"));
    std::string why = path + " looks like JSON; ";
    if (lines) {
        return why + "if each line is an object, give --format jsonl; if its lines are texts, --format lines";
    }
    const std::string unpacked = unpacking(path);
    why += (from.front() == '[' ? "make each element a line with: " : "make each object a line with: ") + unpacked +
           (from.front() == '[' ? "jq -c '.[]'" : "jq -c .") + (unpacked.empty() ? " " + path : std::string());
    return why + " > corpus.jsonl; if its lines are texts, give --format lines";
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

/// "LE" or "BE" where every other byte, or nearly, is zero.
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

std::string why_not_text(const file_head& head, const std::string& path, bool format_named) {
    if (const std::string_view order = utf16_order(head.bytes); !order.empty()) {
        const std::string from = "UTF-16" + std::string(order);
        return path + " looks like " + from + "; convert it with: " + unpacking(path) + "iconv -f " + from +
               " -t UTF-8";
    }
    const std::size_t cr = head.bytes.find('\r');
    if (cr != std::string_view::npos && cr + 1 < head.bytes.size() && head.bytes.find('\n') == std::string_view::npos) {
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
        const bool array_alone = from.front() == '[' && head.whole && is_json(from);
        if (opens_like_json(from) || (from.front() == '{' && is_json(line)) || array_alone) {
            return json_advice(from, path);
        }
    }
    const std::vector<std::string_view> lines = first_lines(head, table_lines);
    for (const char separator : {',', '\t'}) {
        if (is_table(lines, separator, text_field)) {
            const std::string word = separator == ',' ? "csv" : "tsv";
            return path + " looks like a table with a column \"" + std::string(text_field) + "\"; give --format " +
                   word + ", or --format lines if its lines are texts";
        }
    }
    return {};
}

}  // namespace vembed::bulk
