#include "corpus/records/record_reader.hpp"

#include <algorithm>
#include <utility>

#include "corpus/lines/format_guess.hpp"
#include "corpus/records/reading_rules.hpp"

namespace vembed::corpus {
namespace {

class line_records final : public record_reader {
public:
    line_records(line_reader lines, blank_lines blank, std::uint32_t rules)
        : lines_(std::move(lines)), blank_(blank), rules_(rules) {}

    result<bool> next(source_row& row) override {
        std::string_view line;
        bool left_out = false;
        do {
            auto more = lines_.next_or_cut(line, raw_bytes_max);
            if (!more || !*more) {
                return more;
            }
            left_out = blank_ == blank_lines::skip && !lines_.was_cut() && is_blank(line);
        } while (left_out);
        begin_row(row, origin_of(lines_, lines_.number()));
        row.line = blank_ == blank_lines::skip ? lines_.number() : 0;
        if (lines_.was_cut()) {
            row.defect = too_long_defect(lines_.max_line_bytes());
            keep_raw(row, line, lines_.whole_bytes());
            return true;
        }
        take(line.ends_with('\r') ? line.substr(0, line.size() - 1) : line, row);
        return true;
    }

    // A blank line is a line even if blank lines are to fail: it is no sign of another format.
    [[nodiscard]] std::optional<error> why_not_begun(const error& first) const override {
        return saw_blank_ ? std::nullopt : std::optional(first);
    }

private:
    void take(std::string_view line, source_row& row) {
        if (rules_ == first_reading_rules) {
            row.text.assign(line);
            return;
        }
        if (is_blank(line)) {
            row.blank = blank_ == blank_lines::keep;
            row.defect = "the line is blank";
            saw_blank_ = true;
        } else if (row.defect = why_zero_bytes(line); row.defect.empty()) {
            row.text.assign(line);
            return;
        }
        keep_raw(row, line, line.size());
    }

    line_reader lines_;
    blank_lines blank_;
    std::uint32_t rules_;
    bool saw_blank_ = false;
};

}  // namespace

corpus_format resolve_format(corpus_format format, const std::string& path) {
    if (format != corpus_format::automatic) {
        return format;
    }
    return format_by_name(path).value_or(corpus_format::lines);
}

std::string_view format_name(corpus_format format) noexcept {
    switch (format) {
        case corpus_format::automatic: return "automatic";
        case corpus_format::lines: return "lines";
        case corpus_format::jsonl: return "jsonl";
        case corpus_format::csv: return "csv";
        case corpus_format::tsv: return "tsv";
    }
    return "invalid";
}

namespace {

// The option or the file's name decides the format. If neither does, the file is refused unless it looks like plain
// lines.
result<void> look_into(line_reader& lines, const std::string& path, const file_source_options& options) {
    file_head head;
    auto bytes = lines.peek(file_head_bytes + 1);
    if (!bytes) {
        return bytes.error();
    }
    head.whole = bytes->size() <= file_head_bytes;
    head.bytes = bytes->substr(0, file_head_bytes);
    const bool known = options.format != corpus_format::automatic || format_by_name(path).has_value();
    std::string why = why_not_text(head, path, known);
    if (why.empty() && !known) {
        why = why_not_lines(head, path, options.text_field);
    }
    return why.empty() ? result<void>() : error(errc::invalid_argument, std::move(why));
}

}  // namespace

result<std::unique_ptr<record_reader>> open_records(const std::string& path, const file_source_options& options,
                                                    std::uint32_t rules) {
    auto bytes = open_corpus_bytes(path, options.bytes_read);
    if (!bytes) {
        return bytes.error();
    }
    line_reader lines(std::move(*bytes), path, options.max_record_bytes);
    if (auto begun = lines.skip_byte_order_mark(); !begun) {
        return begun.error();
    }
    if (rules > first_reading_rules) {
        if (auto fits = look_into(lines, path, options); !fits) {
            return fits.error();
        }
    }
    switch (resolve_format(options.format, path)) {
        case corpus_format::jsonl: return make_jsonl_records(std::move(lines), options, rules);
        case corpus_format::csv: return make_csv_records(std::move(lines), csv_form(',', true), options, rules);
        case corpus_format::tsv:
            return make_csv_records(std::move(lines),
                                    csv_form('\t', options.tsv_quotes || rules == first_reading_rules), options, rules);
        case corpus_format::automatic:
        case corpus_format::lines: break;
    }
    return make_line_records(std::move(lines), options, rules);
}

std::unique_ptr<record_reader> make_line_records(line_reader lines, const file_source_options& options,
                                                 std::uint32_t rules) {
    return std::make_unique<line_records>(std::move(lines), options.blank, rules);
}

void begin_row(source_row& row, std::string origin) {
    row.text.clear();
    row.id.clear();
    row.origin = std::move(origin);
    row.defect.clear();
    row.raw.clear();
    row.raw_bytes = 0;
    row.line = 0;
    row.blank = false;
}

void keep_raw(source_row& row, std::string_view record, std::uint64_t whole_bytes) {
    row.raw.assign(record.substr(0, raw_bytes_max));
    row.raw_bytes = whole_bytes;
}

std::string too_long_defect(std::uint64_t bytes) {
    return "the line is longer than " + std::to_string(bytes) + " bytes";
}

bool is_blank(std::string_view line) {
    return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

std::string why_zero_bytes(std::string_view text) {
    return text.find('\0') == std::string_view::npos
               ? std::string()
               : "the text has a zero byte; take such bytes out of the file with: tr -d '\\000'";
}

std::string origin_of(const line_reader& lines, std::uint64_t line) {
    std::string origin;
    const std::string number = std::to_string(line);
    origin.reserve(lines.path().size() + 1 + number.size());
    origin.append(lines.path()).append(1, ':').append(number);
    return origin;
}

std::string quoted(std::string_view name) {
    constexpr std::size_t most = 64;
    std::string out = "\"";
    for (const char c : name.substr(0, most)) {
        out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    }
    return out + (name.size() > most ? "...\"" : "\"");
}

std::string quoted_list(const std::vector<std::string>& names) {
    constexpr std::size_t most = 32;
    std::string out;
    for (std::size_t i = 0; i < std::min(names.size(), most); ++i) {
        out += (i == 0 ? "" : ", ") + quoted(names[i]);
    }
    return names.size() > most ? out + " and " + std::to_string(names.size() - most) + " more" : out;
}

}  // namespace vembed::corpus
