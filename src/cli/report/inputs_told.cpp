#include "cli/report/inputs_told.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "corpus/records/reading_rules.hpp"
#include "corpus/records/record_reader.hpp"
#include "corpus/survey.hpp"
#include "text/json_value.hpp"
#include "text/utf8.hpp"

namespace vembed::cli {
namespace {

constexpr std::size_t shown_bytes_max = 60;
constexpr int rows_looked_at_max = 1000;

/// The beginning of a text, printable, not cut within a character.
std::string beginning_of(const std::string& text) {
    std::size_t end = std::min(text.size(), shown_bytes_max);
    while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) {
        --end;
    }
    std::string out;
    for (const char c : text.substr(0, end)) {
        out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    }
    return end < text.size() ? out + "..." : out;
}

/// What a file begins with.
class beginning {
public:
    bool any = false;                 ///< Whether there is a row.
    std::optional<std::string> text;  ///< The first text that can be embedded, if one comes soon.
    bool not_utf8 = false;            ///< Whether a text before that is not UTF-8.

    beginning() = default;
};

result<beginning> read_first(const std::string& file, const file_source_options& format, std::uint32_t rules) {
    auto records = corpus::open_records(file, format, rules);
    if (!records) {
        return records.error();
    }
    beginning seen;
    source_row row;
    for (int i = 0; i < rows_looked_at_max && !seen.text; ++i) {
        auto more = (*records)->next(row);
        if (!more) {
            return more.error();
        }
        if (!*more) {
            break;
        }
        seen.any = true;
        if (corpus::defect_of(row).empty()) {
            seen.text = std::move(row.text);
        } else {
            seen.not_utf8 = seen.not_utf8 || text::first_invalid_utf8(row.text).has_value();
        }
    }
    return seen;
}

std::string first_text_of(const beginning& seen) {
    if (seen.text) {
        return "; first text: " + beginning_of(*seen.text);
    }
    if (!seen.any) {
        return "; no rows";
    }
    return "; no text among its first " + std::to_string(rows_looked_at_max) + " rows" +
           (seen.not_utf8 ? ": it is not UTF-8; convert it with: iconv -f ENCODING -t UTF-8, where ENCODING is what it "
                            "is written in, such as GB18030, SHIFT_JIS or WINDOWS-1252 (iconv -l lists all)"
                          : "");
}

void replace_all(std::string& text, const std::string& what, std::string_view by) {
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
        text.replace(at, what.size(), by);
    }
}

/// If the advised command reads `file` and makes another file of it, turns it into a stage between the program that
/// writes to standard input and this program.
void make_advice_a_pipe(std::string& message, const std::string& file) {
    constexpr std::string_view introduction = "with: ";
    const std::size_t found = message.find(introduction);
    if (found == std::string::npos) {
        return;
    }
    const std::size_t begin = found + introduction.size();
    const std::size_t end = std::min(message.find("; if its lines", begin), message.size());
    std::string command = message.substr(begin, end - begin);
    if (command.starts_with("unzip ")) {
        // unzip cannot read a pipe.
        message.replace(begin, end - begin, "unzip -p FILE | vembed embed -");
        return;
    }
    std::string options;
    for (const auto& [made, format] :
         {std::pair(" > corpus.jsonl", " --format jsonl"), std::pair(" > corpus.csv", " --format csv")}) {
        options = command.ends_with(made) ? format : options;
        replace_all(command, made, "");
    }
    for (const std::string& part : {" < " + file, " " + file, std::string(" > FILE")}) {
        replace_all(command, part, "");
    }
    message.replace(begin, end - begin, "… | " + command + " | vembed embed -" + options);
}

/// Names a copy of standard input as the user knows it.
error called(error why, const std::string& file, const std::string& name) {
    if (file != name) {
        make_advice_a_pipe(why.message, file);
        replace_all(why.message, file, name);
    }
    return why;
}

boost::json::object input_object(const std::string& name, corpus_format read_as, const file_source_options& format,
                                 std::uint32_t rules, const beginning& first) {
    boost::json::object one;
    one["file"] = text::json_string(name);
    one["format"] = text::json_string(std::string(corpus::format_name(read_as)));
    if (read_as != corpus_format::lines) {
        one["text_field"] = text::json_string(format.text_field);
        one["id_field"] = text::json_string(format.id_field);
    }
    one["reading_rules"] = rules;
    one["first_text"] = text::json_string(beginning_of(first.text.value_or("")));
    return one;
}

std::string input_line(const std::string& name, corpus_format read_as, const file_source_options& format,
                       std::uint32_t rules) {
    const std::string by = rules == corpus::latest_reading_rules ? "" : " (by the older rules that its run began with)";
    if (read_as == corpus_format::lines) {
        return name + ": plain lines" + by;
    }
    return name + ": " + std::string(corpus::format_name(read_as)) + by + ", text from " +
           corpus::quoted(format.text_field) + ", " +
           (format.id_field.empty() ? "no ids" : "ids from " + corpus::quoted(format.id_field));
}

}  // namespace

result<void> tell_inputs(console& out, const std::vector<std::string>& names, const std::vector<std::string>& files,
                         const file_source_options& format, std::uint32_t rules) {
    for (std::size_t i = 0; i < files.size(); ++i) {
        const std::string name = names[i] == "-" ? "standard input" : names[i];
        auto found = read_first(files[i], format, rules);
        if (!found) {
            return called(found.error(), files[i], name);
        }
        const corpus_format read_as = corpus::resolve_format(format.format, files[i]);
        if (out.json()) {
            out.print_object("input", input_object(name, read_as, format, rules, *found));
        } else {
            out.say(input_line(name, read_as, format, rules) + first_text_of(*found));
        }
    }
    return {};
}

}  // namespace vembed::cli
