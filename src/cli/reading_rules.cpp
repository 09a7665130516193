#include "cli/reading_rules.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include <vembed/bulk/journal.hpp>

#include "bulk/output_folder.hpp"
#include "bulk/reading_rules.hpp"
#include "bulk/record_reader.hpp"
#include "cli/corpus_input.hpp"
#include "cli/json_report.hpp"
#include "policy/utf8.hpp"

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
    bool any = false;                 ///< There is a row.
    std::optional<std::string> text;  ///< Of the first row that can be embedded, if one comes soon.
    bool not_utf8 = false;            ///< A text before that is not UTF-8.

    beginning() = default;
};

result<beginning> read_first(const std::string& file, const file_source_options& format, std::uint32_t rules) {
    auto records = bulk::open_records(file, format, rules);
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
        if (defect_of(row).empty()) {
            seen.text = std::move(row.text);
        } else {
            seen.not_utf8 = seen.not_utf8 || policy::first_invalid_utf8(row.text).has_value();
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

/// An advised command that reads `file` and makes another one of it becomes one between whatever writes to standard
/// input and this program.
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
        // It cannot read a pipe.
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

/// A copy of standard input is called as the user knows it.
failure called(failure why, const std::string& file, const std::string& name) {
    if (file != name) {
        make_advice_a_pipe(why.message, file);
        replace_all(why.message, file, name);
    }
    return why;
}

boost::json::object input_object(const std::string& name, corpus_format read_as, const file_source_options& format,
                                 std::uint32_t rules, const beginning& first) {
    boost::json::object one;
    one["file"] = json_string(name);
    one["format"] = json_string(std::string(bulk::format_name(read_as)));
    if (read_as != corpus_format::lines) {
        one["text_field"] = json_string(format.text_field);
        one["id_field"] = json_string(format.id_field);
    }
    one["reading_rules"] = rules;
    one["first_text"] = json_string(beginning_of(first.text.value_or("")));
    return one;
}

std::string input_line(const std::string& name, corpus_format read_as, const file_source_options& format,
                       std::uint32_t rules) {
    const std::string by = rules == bulk::latest_reading_rules ? "" : " (by the older rules that its run began with)";
    if (read_as == corpus_format::lines) {
        return name + ": plain lines" + by;
    }
    return name + ": " + std::string(bulk::format_name(read_as)) + by + ", text from " +
           bulk::quoted(format.text_field) + ", " +
           (format.id_field.empty() ? "no ids" : "ids from " + bulk::quoted(format.id_field));
}

/// Nothing where no run was begun in the folder, or its journal cannot be read.
std::optional<std::string> corpus_begun_in(const std::string& folder) {
    const std::string path = bulk::output::in(folder, bulk::output::journal);
    std::error_code ignored;
    if (folder.empty() || !std::filesystem::exists(path, ignored)) {
        return std::nullopt;
    }
    auto journal = read_journal(path);
    return journal ? std::optional(std::move(journal->identity.corpus)) : std::nullopt;
}

}  // namespace

std::uint32_t rules_for(const std::string& folder, const std::vector<std::string>& files,
                        const file_source_options& format) {
    const std::optional<std::string> begun = corpus_begun_in(folder);
    if (!begun) {
        return bulk::latest_reading_rules;
    }
    const auto before = bulk::fingerprint_files_by(bulk::first_reading_rules, files, format);
    return before && *before == *begun ? bulk::first_reading_rules : bulk::latest_reading_rules;
}

result<std::string> fingerprint_for(const std::string& folder, std::uint32_t rules,
                                    const std::vector<std::string>& files, const file_source_options& format) {
    auto made = bulk::fingerprints_of_corpus(rules, files, format);
    if (!made) {
        return made.error();
    }
    std::optional<std::string> begun = corpus_begun_in(folder);
    if (begun && made->has(*begun)) {
        return std::move(*begun);
    }
    return std::move(made->rows);
}

result<void> tell_inputs(console& out, const std::vector<std::string>& names, const std::vector<std::string>& files,
                         const file_source_options& format, std::uint32_t rules) {
    for (std::size_t i = 0; i < files.size(); ++i) {
        const std::string name = names[i] == "-" ? "standard input" : names[i];
        auto found = read_first(files[i], format, rules);
        if (!found) {
            return called(found.error(), files[i], name);
        }
        const corpus_format read_as = bulk::resolve_format(format.format, files[i]);
        if (out.json()) {
            out.print_object("input", input_object(name, read_as, format, rules, *found));
        } else {
            out.say(input_line(name, read_as, format, rules) + first_text_of(*found));
        }
    }
    return {};
}

}  // namespace vembed::cli
