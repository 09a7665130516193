#include "folder/run_file.hpp"

#include <charconv>
#include <filesystem>
#include <system_error>
#include <utility>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "folder/layout.hpp"
#include "folder/read/folder_lines.hpp"
#include "storage/file_ops.hpp"
#include "storage/replaced_file.hpp"
#include "text/iso_time.hpp"
#include "text/json/json_fields.hpp"
#include "text/json/json_value.hpp"
#include "text/shell_words.hpp"

namespace vembed::folder {
namespace {

namespace json = boost::json;

std::optional<run_file> understand(std::string_view line) {
    const auto object = text::object_of(line);
    const auto rows = object ? text::number_of(*object, "rows") : std::nullopt;
    if (!rows) {
        return std::nullopt;
    }
    run_file out;
    out.rows = *rows;
    out.rows_defective = text::number_of(*object, "rows_defective").value_or(0);
    out.command_line = text::text_of(*object, "command_line");
    out.max_chunks = text::number_of(*object, "max_chunks");
    out.started_at = text::parse_iso_time(text::text_of(*object, "started_at")).value_or(wall_time());
    if (const json::value* command = object->if_contains("command"); command != nullptr && command->is_array()) {
        for (const json::value& argument : command->get_array()) {
            out.command.emplace_back(argument.is_string() ? std::string(argument.get_string()) : std::string());
        }
    }
    return out;
}

constexpr std::string_view max_chunks_option = "--max-chunks";

/// The index of the word that has the value of --max-chunks, and the value's offset in it. Returns nothing if the
/// command has no such option.
std::optional<std::pair<std::size_t, std::size_t>> place_of_max_chunks(const std::vector<std::string>& command) {
    for (std::size_t i = 0; i < command.size(); ++i) {
        const std::string& word = command[i];
        if (word == max_chunks_option && i + 1 < command.size()) {
            return std::pair(i + 1, std::size_t{0});
        }
        if (word.starts_with(max_chunks_option) && word.substr(max_chunks_option.size()).starts_with('=')) {
            return std::pair(i, max_chunks_option.size() + 1);
        }
    }
    return std::nullopt;
}

}  // namespace

result<void> write_run_file(const std::string& folder, const run_file& run) {
    if (auto made = storage::make_folder(storage::system_file_ops(), folder); !made) {
        return made;
    }
    json::object out;
    out["rows"] = run.rows;
    out["rows_defective"] = run.rows_defective;
    out["started_at"] = text::format_iso_time(run.started_at);
    if (run.max_chunks) {
        out["max_chunks"] = *run.max_chunks;
    }
    json::array command;
    for (const std::string& argument : run.command) {
        command.emplace_back(text::json_string(argument));
    }
    out["command"] = std::move(command);
    if (!run.command.empty()) {
        const std::string where =
            run.folder_to_run_in.empty() ? "" : "cd " + text::shell_path(run.folder_to_run_in) + " && ";
        // The line is printable whatever the arguments hold; the list of arguments is not.
        out["command_line"] = text::json_string(where + "vembed " + text::shell_line(run.command));
    }
    auto file = storage::replaced_file::create(layout::in(folder, layout::run_file));
    if (!file) {
        return file.error();
    }
    const std::string text = json::serialize(out) + "\n";
    if (auto written = file->append(text.data(), text.size()); !written) {
        return written;
    }
    return file->finish();
}

std::optional<run_file> read_run_file(const std::string& folder) {
    std::optional<run_file> out;
    const auto read = for_each_line(layout::in(folder, layout::run_file),
                                    [&out](std::string_view line, std::uint64_t) -> result<void> {
                                        out = understand(line);
                                        return {};
                                    });
    return read ? out : std::nullopt;
}

std::string command_of(const run_file& run, std::optional<std::uint64_t> max_chunks) {
    if (run.command.empty()) {
        return run.command_line;
    }
    const std::string as_run = "vembed " + text::shell_line(run.command);
    std::string line = run.command_line.empty() ? as_run : run.command_line;  // An earlier version wrote no line.
    const auto place = place_of_max_chunks(run.command);
    if (!max_chunks || !place || !line.ends_with(as_run)) {
        return line;
    }
    std::vector<std::string> changed = run.command;
    changed[place->first].replace(place->second, std::string::npos, std::to_string(*max_chunks));
    return line.substr(0, line.size() - as_run.size()) + "vembed " + text::shell_line(changed);
}

std::optional<std::uint64_t> max_chunks_of(const run_file& run) {
    if (run.max_chunks) {
        return run.max_chunks;
    }
    const auto place = place_of_max_chunks(run.command);
    if (!place) {
        return std::nullopt;
    }
    const std::string_view digits = std::string_view(run.command[place->first]).substr(place->second);
    std::uint64_t number = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return read.ec == std::errc() && read.ptr == digits.data() + digits.size() ? std::optional(number) : std::nullopt;
}

}  // namespace vembed::folder
