#include "cli/report/inputs_told.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "corpus/records/reading_rules.hpp"
#include "corpus/records/record_reader.hpp"
#include "corpus/survey.hpp"
#include "text/json/json_value.hpp"
#include "text/words.hpp"

namespace vembed::cli {
namespace {

constexpr std::size_t shown_bytes_max = 60;
constexpr const char* standard_input = "standard input";

/// The beginning of a text, printable, not cut within a character.
std::string beginning_of(const std::string& whole) {
    std::string out = text::cut_text(whole, shown_bytes_max);
    const bool is_cut = out.size() < whole.size();
    std::ranges::replace_if(
        out, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
    return is_cut ? out + "..." : out;
}

std::string first_text_of(const corpus_input& seen) {
    if (seen.first_text) {
        return "; first text: " + beginning_of(*seen.first_text);
    }
    if (seen.empty) {
        return "; no rows";
    }
    return fmt::format("; no text among its first {} rows{}", corpus_input::rows_looked_at_max,
                       seen.not_utf8 ? ": it is not UTF-8; convert it with: iconv -f ENCODING -t UTF-8, where ENCODING "
                                       "is what it is written in, such as GB18030, SHIFT_JIS or WINDOWS-1252 (iconv "
                                       "-l lists all)"
                                     : "");
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
        text::replace_all(command, made, "");
    }
    for (const std::string& part : {" < " + file, " " + file, std::string(" > FILE")}) {
        text::replace_all(command, part, "");
    }
    message.replace(begin, end - begin, "… | " + command + " | vembed embed -" + options);
}

boost::json::object input_object(const std::string& name, const corpus_input& seen, const file_source_options& format) {
    boost::json::object one;
    one["file"] = text::json_string(name);
    one["format"] = text::json_string(std::string(corpus::format_name(seen.format)));
    if (seen.format != corpus_format::lines) {
        one["text_field"] = text::json_string(format.text_field);
        one["id_field"] = text::json_string(format.id_field);
    }
    one["reading_rules"] = seen.reading_rules;
    one["first_text"] = text::json_string(beginning_of(seen.first_text.value_or("")));
    return one;
}

std::string input_line(const std::string& name, const corpus_input& seen, const file_source_options& format) {
    const std::string by = seen.older_rules ? " (by the older rules that its run began with)" : "";
    if (seen.format == corpus_format::lines) {
        return name + ": plain lines" + by;
    }
    return fmt::format("{}: {}{}, text from {}, {}", name, corpus::format_name(seen.format), by,
                       corpus::quoted(format.text_field),
                       format.id_field.empty() ? "no ids" : "ids from " + corpus::quoted(format.id_field));
}

}  // namespace

inputs_teller::inputs_teller(console& out, const corpus_arguments& asked, const std::vector<std::string>& files)
    : out_(&out), format_(asked.format), files_(files.size()) {
    for (std::size_t i = 0; i < files.size(); ++i) {
        if (asked.inputs[i] == "-") {
            copy_ = files[i];
        }
    }
}

void inputs_teller::tell(const corpus_input& seen) {
    ++told_;
    const std::string name = seen.file == copy_ ? standard_input : seen.file;
    if (out_->json()) {
        out_->print_object("input", input_object(name, seen, format_));
    } else {
        out_->say("{}{}", input_line(name, seen, format_), first_text_of(seen));
    }
}

error inputs_teller::as_known(error why) const {
    if (told_ < files_ && !copy_.empty()) {
        make_advice_a_pipe(why.message, copy_);
        text::replace_all(why.message, copy_, standard_input);
    }
    return why;
}

}  // namespace vembed::cli
