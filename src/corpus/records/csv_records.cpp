#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "corpus/lines/rewindable_lines.hpp"
#include "corpus/records/reading_rules.hpp"
#include "corpus/records/record_reader.hpp"

namespace vembed::corpus {
namespace {

constexpr std::size_t max_columns = 4096;
constexpr std::size_t no_column = std::numeric_limits<std::size_t>::max();
// How far behind a broken record's first line the next record is searched.
constexpr std::uint64_t look_ahead_bytes = 1024 * 1024;

void append_bounded(std::string& raw, std::string_view more) {
    raw.append(more.substr(0, raw_bytes_max - std::min(raw.size(), raw_bytes_max)));
}

class csv_records final : public record_reader {
public:
    csv_records(line_reader lines, csv_form form, const file_source_options& options, std::uint32_t rules)
        : lines_(std::move(lines), raw_bytes_max, form.quotes),
          form_(form),
          rules_(rules),
          text_field_(options.text_field),
          id_field_(options.id_field) {}

    result<bool> next(source_row& row) override {
        if (fields_.empty()) {
            if (auto header = read_header(); !header) {
                return header.error();
            }
        }
        lines_.forget_passed();
        auto more = read_record();
        if (!more || !*more) {
            return more;
        }
        begin_row(row, place_of(first_line_));
        row.defect = what_is_wrong();
        if (!row.defect.empty() && rules_ == first_reading_rules && (first_record_ || !broken_.empty())) {
            return error(errc::bad_input, row.origin + ": " + row.defect);
        }
        first_record_ = false;
        if (id_column_ < count_) {
            row.id = fields_[id_column_];
        }
        if (row.defect.empty()) {
            row.text.swap(fields_[text_column_]);
            return true;
        }
        if (broken_.empty() || cut_) {
            append_bounded(raw_, last_line_);
            keep_raw(row, raw_, record_bytes_);
            return true;
        }
        return resume(row);
    }

    // The header has the columns that are asked for, so the file is a table even if its records are broken.
    [[nodiscard]] std::optional<error> why_not_begun(const error& first) const override {
        return rules_ == first_reading_rules ? std::optional(first) : std::nullopt;
    }

private:
    [[nodiscard]] std::string place_of(std::uint64_t line) const { return lines_.path() + ":" + std::to_string(line); }

    [[nodiscard]] std::string what_is_wrong() const {
        if (!broken_.empty()) {
            return broken_;
        }
        if (count_ != fields_.size()) {
            return "the record has " + std::to_string(count_) + " fields, but the header names " +
                   std::to_string(fields_.size()) +
                   (form_.quotes ? "; fields that hold the separator must be quoted" : "");
        }
        return rules_ > first_reading_rules ? why_zero_bytes(fields_[text_column_]) : std::string();
    }

    // If a record's quotes are wrong, its end cannot be told. Reading goes on at the next line that begins a record
    // with the header's number of fields and quotes around whole fields only, or behind the record's first line if
    // there is no such line near. The lines between belong to the bad row.
    result<bool> resume(source_row& row) {
        const rewindable_lines::place begin = begin_;
        auto first = read_again(begin, row);
        if (!first) {
            return first;
        }
        const rewindable_lines::place behind_first = lines_.here();
        source_row longer = row;
        for (rewindable_lines::place at = behind_first;; at = lines_.here()) {
            lines_.go_to(at);
            auto more = read_record();
            if (!more) {
                return more;
            }
            if (!*more || longer.raw_bytes - row.raw_bytes > look_ahead_bytes) {
                lines_.go_to(behind_first);
                return true;
            }
            if (cut_ || (broken_.empty() && whole_quotes_ && count_ == fields_.size())) {
                lines_.go_to(at);
                row = std::move(longer);
                return true;
            }
            if (auto passed = read_again(at, longer); !passed) {
                return passed;
            }
        }
    }

    // Adds the line at `at` to the raw record of a bad row.
    result<bool> read_again(rewindable_lines::place at, source_row& row) {
        lines_.go_to(at);
        std::string_view line;
        auto more = lines_.next(line);
        if (more && *more) {
            append_bounded(row.raw, row.raw.empty() ? "" : "\n");
            append_bounded(row.raw, line);
            row.raw_bytes += line.size() + (row.raw_bytes > 0 ? 1 : 0);
        }
        return more;
    }

    result<void> read_header() {
        fields_.resize(max_columns);
        auto more = read_record();
        if (!more) {
            return more.error();
        }
        if (!*more) {
            return error(errc::bad_input, lines_.path() + " is empty; its first line must name the columns");
        }
        if (!broken_.empty() || count_ > max_columns) {
            return error(errc::bad_input,
                         place_of(first_line_) + ": " +
                             (broken_.empty() ? "the header names more than " + std::to_string(max_columns) + " columns"
                                              : broken_));
        }
        fields_.resize(count_);
        fields_.shrink_to_fit();
        auto text = find_column(text_field_, "text_field, --text-field");
        if (!text) {
            return text.error();
        }
        text_column_ = *text;
        if (!id_field_.empty()) {
            auto id = find_column(id_field_, "id_field, --id-field");
            if (!id) {
                return id.error();
            }
            id_column_ = *id;
        }
        return {};
    }

    result<std::size_t> find_column(const std::string& name, std::string_view flag) const {
        std::size_t found = no_column;
        for (std::size_t i = 0; i < fields_.size(); ++i) {
            if (fields_[i] != name) {
                continue;
            }
            if (found != no_column) {
                return error(errc::invalid_argument,
                             place_of(first_line_) + ": the header names the column " + quoted(name) + " twice");
            }
            found = i;
        }
        if (found == no_column) {
            return error(errc::invalid_argument, place_of(first_line_) + ": no column " + quoted(name) +
                                                     "; the header names " + quoted_list(fields_) +
                                                     hint_at_quotes(name) + "; name the right one (" +
                                                     std::string(flag) + ")");
        }
        return found;
    }

    [[nodiscard]] std::string hint_at_quotes(const std::string& name) const {
        const bool is_quoted = std::find(fields_.begin(), fields_.end(), '"' + name + '"') != fields_.end();
        return is_quoted && !form_.quotes ? "; where quotes are no part of its fields, give --tsv-quotes (tsv_quotes)"
                                          : "";
    }

    // Reads one record into fields_ and its number of fields into count_; fields beyond fields_ are only counted. If
    // the record's end cannot be told, broken_ says why, and count_ is the number of fields before that.
    result<bool> read_record() {
        do {
            begin_ = lines_.here();
            auto more = lines_.next(line_);
            if (!more || !*more) {
                return more;
            }
        } while (line_.empty() || line_ == "\r");
        first_line_ = lines_.number();
        last_line_ = line_;
        record_bytes_ = lines_.whole_bytes();
        raw_.clear();
        broken_.clear();
        count_ = 0;
        whole_quotes_ = true;
        cut_ = lines_.was_cut();
        if (cut_) {
            broken_ = too_long_defect(lines_.max_line_bytes());
            return true;
        }
        for (bool another = true; another; ++count_) {
            std::string& field = count_ < fields_.size() ? fields_[count_] : ignored_;
            field.clear();
            if (!form_.quotes || !line_.starts_with('"')) {
                another = take_plain(field);
                continue;
            }
            auto closed = take_quoted(field);
            if (!closed || !broken_.empty()) {
                return closed ? result<bool>(true) : closed;
            }
            another = *closed;
        }
        return true;
    }

    // take_plain() and take_quoted() leave line_ after the separator that ended the field; false if the line ended it.
    bool take_plain(std::string& field) {
        const void* found = line_.empty() ? nullptr : std::memchr(line_.data(), form_.separator, line_.size());
        const auto length = found == nullptr ? line_.size() - (line_.ends_with('\r') ? 1 : 0)
                                             : static_cast<std::size_t>(static_cast<const char*>(found) - line_.data());
        field.assign(line_.substr(0, length));
        whole_quotes_ = whole_quotes_ && field.find('"') == std::string::npos;
        line_.remove_prefix(found == nullptr ? line_.size() : length + 1);
        return found != nullptr;
    }

    result<bool> take_quoted(std::string& field) {
        const std::uint64_t opened = lines_.number();
        line_.remove_prefix(1);
        for (;;) {
            const std::size_t quote = line_.find('"');
            if (quote == std::string_view::npos) {
                field.append(line_);
                auto more = next_line_of_field(field, opened);
                if (!more || !*more) {
                    return more;
                }
                continue;
            }
            field.append(line_.substr(0, quote));
            line_.remove_prefix(quote + 1);
            if (!line_.starts_with('"')) {
                break;
            }
            field += '"';
            line_.remove_prefix(1);
        }
        if (line_.starts_with(form_.separator)) {
            line_.remove_prefix(1);
            return true;
        }
        if (!line_.empty() && line_ != "\r") {
            broken_ = "text follows the closing quote of a field (line " + std::to_string(lines_.number()) +
                      "); a quote inside a quoted field is written twice (RFC 4180)";
        }
        return false;
    }

    // Returns false and sets broken_ if the field has no end.
    result<bool> next_line_of_field(std::string& field, std::uint64_t opened) {
        append_bounded(raw_, last_line_);
        append_bounded(raw_, "\n");
        const std::string begins = "a quoted field begins " +
                                   (opened == first_line_ ? std::string("here") : "in line " + std::to_string(opened));
        auto more = lines_.next(line_);
        if (!more) {
            return more;
        }
        if (!*more) {
            broken_ = begins + " and is never closed; a quote inside a quoted field is written twice (RFC 4180)";
            return false;
        }
        last_line_ = line_;
        record_bytes_ += lines_.whole_bytes() + 1;
        if (record_bytes_ > lines_.max_line_bytes()) {
            broken_ = begins + " and makes the record longer than " + std::to_string(lines_.max_line_bytes()) +
                      " bytes; is its closing quote missing? (file_source_options::max_record_bytes raises the limit)";
            return false;
        }
        field += '\n';
        return true;
    }

    rewindable_lines lines_;
    csv_form form_;
    std::uint32_t rules_;
    std::string text_field_;
    std::string id_field_;
    std::vector<std::string> fields_;  // one for each column once the header is read
    std::string ignored_;
    std::string_view line_;       // the rest of the current line
    std::string_view last_line_;  // the whole current line
    std::string raw_;             // the lines of the record before the current one
    std::string broken_;
    bool cut_ = false;           // the record's first line is over the limit
    bool whole_quotes_ = false;  // quotes are only at both ends of the record's fields
    std::size_t count_ = 0;
    rewindable_lines::place begin_;
    std::uint64_t first_line_ = 0;
    std::uint64_t record_bytes_ = 0;
    std::size_t text_column_ = no_column;
    std::size_t id_column_ = no_column;
    bool first_record_ = true;
};

}  // namespace

std::unique_ptr<record_reader> make_csv_records(line_reader lines, csv_form form, const file_source_options& options,
                                                std::uint32_t rules) {
    return std::make_unique<csv_records>(std::move(lines), form, options, rules);
}

}  // namespace vembed::corpus
