#include <algorithm>
#include <array>
#include <utility>

#include "corpus/records/jsonl_fields.hpp"
#include "corpus/records/jsonl_salvage.hpp"
#include "corpus/records/reading_rules.hpp"
#include "corpus/records/record_reader.hpp"
#include "text/json/json_text.hpp"

namespace vembed::corpus {
namespace {

constexpr std::string_view text_option = "text_field, --text-field";
constexpr std::string_view id_option = "id_field, --id-field";

/// Whether `name` is one of the fields that failed.jsonl itself has.
bool is_own_name(std::string_view name) {
    static constexpr std::array<std::string_view, 12> names = {"row",           "blank", "id",         "text",
                                                               "text_not_utf8", "raw",   "raw_base64", "raw_bytes",
                                                               "origin",        "error", "message",    "job_id"};
    return std::find(names.begin(), names.end(), name) != names.end();
}

class jsonl_records final : public record_reader {
public:
    jsonl_records(line_reader lines, const file_source_options& options, std::uint32_t rules)
        : lines_(std::move(lines)),
          text_field_(options.text_field),
          id_field_(options.id_field),
          fields_(options.text_field, options.id_field),
          rules_(rules) {}

    result<bool> next(source_row& row) override {
        std::string_view line;
        do {
            auto more = lines_.next_or_cut(line, raw_bytes_max);
            if (!more || !*more) {
                return more;
            }
        } while (!lines_.was_cut() && is_blank(line));
        begin_row(row, origin_of(lines_, lines_.number()));
        if (lines_.was_cut()) {
            row.defect = too_long_defect(lines_.max_line_bytes());
        } else if (const std::string why = take(line, row); !why.empty()) {
            row.defect = row.blank ? why : "the line " + why;
        }
        if (!row.defect.empty()) {
            keep_raw(row, line, lines_.whole_bytes());
        }
        if (first_ && !row.defect.empty() && rules_ == first_reading_rules) {
            return error(errc::bad_input, row.origin + ": " + row.defect);
        }
        first_ = false;
        return true;
    }

    [[nodiscard]] std::optional<error> why_not_begun(const error& first) const override {
        if (!may_be_failed_rows_ && !object_.empty() && !(has_text_ && has_id_)) {
            const std::string& name = has_text_ ? id_field_ : text_field_;
            return error(errc::invalid_argument, object_ + ": the line has no field " + quoted(name) + there_are_ +
                                                     "; name the right one (" +
                                                     std::string(has_text_ ? id_option : text_option) + ")");
        }
        // Objects that have the fields are records, whatever is wrong with each of them.
        return may_be_failed_rows_ || !object_.empty() ? std::nullopt : std::optional(first);
    }

private:
    // Returns what is wrong with the record, or an empty string.
    std::string take(std::string_view line, source_row& row) {
        if (std::string why = read(line, row); !why.empty()) {
            return first_ ? why + "; each line of JSONL is one JSON object" : why;
        }
        const bool failed_before = rules_ > first_reading_rules && is_failed_row();
        note(row, failed_before);
        if (failed_before && (fields_.text().kind == field_kind::absent || has_own_names())) {
            return take_failed_row(line, row);
        }
        const bool own_id = id_field_ == text_field_;
        std::string no_id = own_id ? std::string() : take_id(row, failed_before);
        if (!no_id.empty() && rules_ == first_reading_rules) {
            return no_id;
        }
        json_field& text = fields_.text();
        if (text.kind != field_kind::string) {
            return wrong_field(text_field_, text.kind, "string");
        }
        row.id = own_id ? text.value : std::move(row.id);
        row.text.swap(text.value);
        if (failed_before && !own_id && own_fields_.read(line).empty()) {
            take_own_id(row);
        }
        return no_id;
    }

    // The record is good if the fields that are asked for are right, whatever is wrong with the others.
    std::string read(std::string_view line, source_row& row) {
        std::string why = fields_.read(line);
        if (why.empty() || rules_ == first_reading_rules) {
            return why;
        }
        const salvaged_record found = salvage_record(line, text_field_, id_field_);
        if (found.whole) {
            const std::string asked = fields_.read(found.asked);
            if (asked.empty()) {
                return {};
            }
            why += " in a field that is asked for";
        }
        if (!found.id.empty() && fields_.read("{" + id_name_ + ":" + std::string(found.id) + "}").empty()) {
            (void)take_id(row, true);
        }
        return why;
    }

    std::string take_id(source_row& row, bool may_be_absent) {
        json_field& id = fields_.id();
        if (id.kind == field_kind::string || id.kind == field_kind::number) {
            row.id.swap(id.value);
            return {};
        }
        const bool needed = !id_field_.empty() && !may_be_absent && (first_ || rules_ > first_reading_rules);
        if (id.kind == field_kind::other || (needed && id.kind == field_kind::absent)) {
            return wrong_field(id_field_, id.kind, "string or number");
        }
        return {};
    }

    [[nodiscard]] bool has(std::string_view name) const {
        const std::vector<std::string>& names = fields_.names();
        return std::find(names.begin(), names.end(), name) != names.end();
    }

    // Whether the record is a line of failed.jsonl, with or without a text.
    [[nodiscard]] bool is_failed_row() const {
        const std::vector<std::string>& names = fields_.names();
        return !names.empty() && names.front() == "row" && (has("text_not_utf8") || (has("error") && has("message")));
    }

    // Whether the text field that is asked for means something else in a line of failed.jsonl: "message" is the error
    // there. If a line begins with "row" for another reason, it has no field that keeps a record.
    [[nodiscard]] bool has_own_names() const {
        return is_own_name(text_field_) && text_field_ != "text" &&
               (has("text") || has("text_not_utf8") || has("raw") || has("raw_base64") || has("blank"));
    }

    // Takes a row whose text is not in the field that is asked for: failed.jsonl has texts and ids under its own names.
    std::string take_failed_row(std::string_view line, source_row& row) {
        (void)take_id(row, true);
        row.blank = fields_.names().size() > 1 && fields_.names()[1] == "blank";
        if (own_fields_.read(line).empty()) {
            take_own_id(row);
            if (own_fields_.text().kind == field_kind::string) {
                row.blank = false;
                row.text.swap(own_fields_.text().value);
                return {};
            }
        }
        if (row.blank) {
            return "the line is blank";
        }
        return "is of a row that could not be read, and nobody has given it a text: add a field " +
               quoted(is_own_name(text_field_) ? "text" : text_field_) + " with it";
    }

    // Call it after own_fields_ has read the line.
    void take_own_id(source_row& row) {
        const bool other = is_own_name(id_field_) || fields_.id().kind == field_kind::absent;
        if (!id_field_.empty() && other) {
            json_field& id = own_fields_.id();
            if (id.kind == field_kind::string || id.kind == field_kind::number) {
                row.id.swap(id.value);
            }
        }
    }

    // Remembers what the beginning of the file shows about the names of fields.
    void note(const source_row& row, bool failed_before) {
        may_be_failed_rows_ = may_be_failed_rows_ || failed_before;
        has_text_ = has_text_ || fields_.text().kind != field_kind::absent;
        has_id_ = has_id_ || id_field_.empty() || id_field_ == text_field_ || fields_.id().kind != field_kind::absent;
        if (object_.empty()) {
            object_ = row.origin;
            there_are_ = fields_.names().empty() ? " nor any other" : "; it has " + quoted_list(fields_.names());
        }
    }

    std::string wrong_field(const std::string& name, field_kind kind, std::string_view wanted) const {
        return kind == field_kind::absent ? "has no field " + quoted(name)
                                          : "has a field " + quoted(name) + " that is not a " + std::string(wanted);
    }

    static std::string as_json(const std::string& name) {
        std::string out;
        text::append_json_string(out, name);
        return out;
    }

    line_reader lines_;
    std::string text_field_;
    std::string id_field_;
    std::string id_name_ = as_json(id_field_);
    jsonl_fields fields_;
    jsonl_fields own_fields_{"text", "id"};  ///< The names that failed.jsonl uses.
    std::uint32_t rules_;
    bool first_ = true;
    bool may_be_failed_rows_ = false;
    bool has_text_ = false;  ///< Some record had the text; has_id_ is also true if no ids are asked for.
    bool has_id_ = false;
    std::string object_;  ///< The origin of the first object; there_are_ says which fields it has.
    std::string there_are_;
};

}  // namespace

std::unique_ptr<record_reader> make_jsonl_records(line_reader lines, const file_source_options& options,
                                                  std::uint32_t rules) {
    return std::make_unique<jsonl_records>(std::move(lines), options, rules);
}

}  // namespace vembed::corpus
