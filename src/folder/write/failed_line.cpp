#include "folder/write/failed_line.hpp"

#include <span>

#include "core/redaction.hpp"
#include "text/base64.hpp"
#include "text/json/json_text.hpp"

namespace vembed::folder {
namespace {

void member(std::string& line, std::string_view key, std::string_view value) {
    line.append(",\"").append(key).append("\":");
    text::append_json_string(line, value);
}

// Bytes that are not UTF-8 are written as base64, because a JSON reader would change them.
void write_raw(std::string& line, const source_row& row) {
    std::string_view raw = row.raw;
    std::string text;
    bool whole = text::append_json_string(text, raw);
    // If the text was cut, its last character may be incomplete.
    for (int i = 0; i < 3 && !whole && raw.size() < row.raw_bytes && !raw.empty(); ++i) {
        raw.remove_suffix(1);
        text.clear();
        whole = text::append_json_string(text, raw);
    }
    if (whole) {
        line.append(",\"raw\":").append(text);
    } else {
        member(line, "raw_base64", text::to_base64(std::as_bytes(std::span(row.raw))));
    }
    if (row.raw_bytes > row.raw.size()) {
        line.append(",\"raw_bytes\":").append(std::to_string(row.raw_bytes));
    }
}

}  // namespace

void write_failed_line(std::string& line, const failed_row& row) {
    line.assign("{\"row\":").append(std::to_string(row.index));
    if (row.row.blank) {
        line += ",\"blank\":true";
    }
    if (!row.row.id.empty()) {
        member(line, "id", row.row.id);
    }
    if (!row.row.text.empty() || (row.row.raw_bytes == 0 && !row.row.blank)) {
        std::string text;
        const bool whole = text::append_json_string(text, row.row.text);
        // A text that was changed to valid UTF-8 gets another key, so that nobody embeds it instead of the corpus's
        // text.
        line.append(whole ? ",\"text\":" : ",\"text_not_utf8\":").append(text);
    }
    if (!row.row.raw.empty()) {
        write_raw(line, row.row);
    }
    if (!row.row.origin.empty()) {
        member(line, "origin", row.row.origin);
    }
    member(line, "error", row.row.blank ? std::string_view("blank_line") : to_string(row.reason.kind));
    member(line, "message", masked_keys(row.reason.message));
    if (!row.reason.job_id.empty()) {
        member(line, "job_id", masked_keys(row.reason.job_id));
    }
    line += '}';
}

}  // namespace vembed::folder
