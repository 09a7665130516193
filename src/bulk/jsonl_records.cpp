#include <utility>

#include "bulk/jsonl_fields.hpp"
#include "bulk/reading_rules.hpp"
#include "bulk/record_reader.hpp"

namespace vembed::bulk {
namespace {

bool is_blank(std::string_view line) {
    return line.find_first_not_of(" \t\r") == std::string_view::npos;
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
            auto more = lines_.next(line);
            if (!more || !*more) {
                return more;
            }
        } while (is_blank(line));
        row.text.clear();
        row.id.clear();
        row.origin = origin_of(lines_, lines_.number());
        row.defect.clear();
        if (const std::string why = take(line, row); !why.empty()) {
            row.defect = "the line " + why;
        }
        if (first_ && !row.defect.empty() && (rules_ == first_reading_rules || no_id_)) {
            return failure(errc::bad_input, row.origin + ": " + row.defect);
        }
        first_ = false;
        return true;
    }

private:
    // Returns what is wrong with the record, or an empty string.
    std::string take(std::string_view line, source_row& row) {
        if (std::string why = fields_.read(line); !why.empty()) {
            return first_ ? why + "; each line of JSONL is one JSON object" : why;
        }
        if (id_field_ == text_field_) {
            return take_text_as_id(row);
        }
        json_field& id = fields_.id();
        if (id.kind == field_kind::string || id.kind == field_kind::number) {
            row.id.swap(id.value);
        } else if (id.kind == field_kind::other || (first_ && !id_field_.empty() && id.kind == field_kind::absent)) {
            no_id_ = id.kind == field_kind::absent;
            return wrong_field(id_field_, id.kind, "string or number", "id_field, --id-field");
        }
        json_field& text = fields_.text();
        if (text.kind != field_kind::string) {
            return wrong_field(text_field_, text.kind, "string", "text_field, --text-field");
        }
        row.text.swap(text.value);
        return {};
    }

    std::string take_text_as_id(source_row& row) {
        json_field& text = fields_.text();
        if (text.kind != field_kind::string) {
            return wrong_field(text_field_, text.kind, "string", "text_field, --text-field");
        }
        row.id = text.value;
        row.text.swap(text.value);
        return {};
    }

    std::string wrong_field(const std::string& name, field_kind kind, std::string_view wanted,
                            std::string_view flag) const {
        if (kind != field_kind::absent) {
            return "has a field " + quoted(name) + " that is not a " + std::string(wanted);
        }
        std::string why = "has no field " + quoted(name);
        if (first_) {
            why += fields_.names().empty() ? " nor any other" : "; it has " + quoted_list(fields_.names());
            why.append("; name the right one (").append(flag).append(")");
        }
        return why;
    }

    line_reader lines_;
    std::string text_field_;
    std::string id_field_;
    jsonl_fields fields_;
    std::uint32_t rules_;
    bool no_id_ = false;  ///< The first record has no id: the field's name is wrong, and no id is to be lost for it.
    bool first_ = true;
};

}  // namespace

std::unique_ptr<record_reader> make_jsonl_records(line_reader lines, const file_source_options& options,
                                                  std::uint32_t rules) {
    return std::make_unique<jsonl_records>(std::move(lines), options, rules);
}

}  // namespace vembed::bulk
