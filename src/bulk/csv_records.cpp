#include <cstring>
#include <limits>
#include <utility>

#include "bulk/reading_rules.hpp"
#include "bulk/record_reader.hpp"

namespace vembed::bulk {
namespace {

constexpr std::size_t max_columns = 4096;
constexpr std::size_t no_column = std::numeric_limits<std::size_t>::max();

class csv_records final : public record_reader {
public:
    csv_records(line_reader lines, csv_form form, const file_source_options& options, std::uint32_t rules)
        : lines_(std::move(lines)),
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
        auto more = read_record();
        if (!more || !*more) {
            return more;
        }
        row.text.clear();
        row.id.clear();
        row.origin = origin_of(lines_, first_line_);
        row.defect.clear();
        if (count_ != fields_.size()) {
            row.defect = "the record has " + std::to_string(count_) + " fields where the header names " +
                         std::to_string(fields_.size()) +
                         (form_.quotes ? "; fields that hold the separator must be quoted" : "");
            if (first_record_ && rules_ == first_reading_rules) {
                return failure(errc::bad_input, row.origin + ": " + row.defect);
            }
        } else {
            row.text.swap(fields_[text_column_]);
            if (id_column_ != no_column) {
                row.id = id_column_ == text_column_ ? row.text : std::move(fields_[id_column_]);
            }
            row.defect = rules_ > first_reading_rules ? why_zero_bytes(row.text) : std::string();
            if (!row.defect.empty()) {
                row.text.clear();
            }
        }
        first_record_ = false;
        return true;
    }

private:
    result<void> read_header() {
        fields_.resize(max_columns);
        auto more = read_record();
        if (!more) {
            return more.error();
        }
        if (!*more) {
            return failure(errc::bad_input, lines_.path() + " is empty; its first line must name the columns");
        }
        if (count_ > max_columns) {
            return failure(errc::bad_input, origin_of(lines_, first_line_) + ": the header names more than " +
                                                std::to_string(max_columns) + " columns");
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
                return failure(errc::bad_input, origin_of(lines_, first_line_) + ": the header names the column " +
                                                    quoted(name) + " twice");
            }
            found = i;
        }
        if (found == no_column) {
            return failure(errc::bad_input, origin_of(lines_, first_line_) + ": no column " + quoted(name) +
                                                "; the header names " + quoted_list(fields_) +
                                                "; name the right one (" + std::string(flag) + ")");
        }
        return found;
    }

    // Reads one record into fields_ and its number of fields into count_; fields beyond fields_ are only counted.
    result<bool> read_record() {
        do {
            auto more = lines_.next(line_);
            if (!more || !*more) {
                return more;
            }
        } while (line_.empty() || line_ == "\r");
        first_line_ = lines_.number();
        record_bytes_ = line_.size();
        count_ = 0;
        for (bool another = true; another; ++count_) {
            std::string& field = count_ < fields_.size() ? fields_[count_] : ignored_;
            field.clear();
            if (form_.quotes && line_.starts_with('"')) {
                auto closed = take_quoted(field);
                if (!closed) {
                    return closed.error();
                }
                another = *closed;
            } else {
                another = take_plain(field);
            }
        }
        return true;
    }

    // Both leave line_ after the separator that ended the field; false where the line ended it.
    bool take_plain(std::string& field) {
        const void* found = line_.empty() ? nullptr : std::memchr(line_.data(), form_.separator, line_.size());
        if (found == nullptr) {
            field.assign(line_.ends_with('\r') ? line_.substr(0, line_.size() - 1) : line_);
            return false;
        }
        const auto length = static_cast<std::size_t>(static_cast<const char*>(found) - line_.data());
        field.assign(line_.substr(0, length));
        line_.remove_prefix(length + 1);
        return true;
    }

    result<bool> take_quoted(std::string& field) {
        const std::uint64_t opened = lines_.number();
        line_.remove_prefix(1);
        for (;;) {
            const std::size_t quote = line_.find('"');
            if (quote == std::string_view::npos) {
                field.append(line_);
                if (auto more = next_line_of_field(field, opened); !more) {
                    return more.error();
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
        if (line_.empty() || line_ == "\r") {
            return false;
        }
        return failure(errc::bad_input, origin_of(lines_, lines_.number()) +
                                            ": text follows the closing quote of a field; a quote inside a quoted "
                                            "field is written twice (RFC 4180)");
    }

    result<void> next_line_of_field(std::string& field, std::uint64_t opened) {
        auto more = lines_.next(line_);
        if (!more) {
            return more.error();
        }
        if (!*more) {
            return failure(errc::bad_input,
                           origin_of(lines_, opened) + ": a quoted field begins here and is never closed");
        }
        record_bytes_ += line_.size() + 1;
        if (record_bytes_ > lines_.max_line_bytes()) {
            return failure(errc::bad_input, origin_of(lines_, opened) +
                                                ": a quoted field begins here and makes the record longer than " +
                                                std::to_string(lines_.max_line_bytes()) +
                                                " bytes; is its closing quote missing? "
                                                "(file_source_options::max_record_bytes raises the limit)");
        }
        field += '\n';
        return {};
    }

    line_reader lines_;
    csv_form form_;
    std::uint32_t rules_;
    std::string text_field_;
    std::string id_field_;
    std::vector<std::string> fields_;  // one a column once the header is read
    std::string ignored_;
    std::string_view line_;  // the rest of the current line
    std::size_t count_ = 0;
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

}  // namespace vembed::bulk
