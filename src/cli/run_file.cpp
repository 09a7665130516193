#include "cli/run_file.hpp"

#include <filesystem>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "bulk/output_folder.hpp"
#include "cli/folder_lines.hpp"
#include "cli/json_fields.hpp"
#include "cli/json_report.hpp"
#include "cli/replaced_file.hpp"
#include "cli/shell_words.hpp"
#include "policy/iso_time.hpp"
#include "storage/file_ops.hpp"

namespace vembed::cli {
namespace {

namespace json = boost::json;

std::optional<run_file> understand(std::string_view line) {
    const auto object = object_of(line);
    const auto rows = object ? number_of(*object, "rows") : std::nullopt;
    if (!rows) {
        return std::nullopt;
    }
    run_file out;
    out.rows = *rows;
    out.rows_defective = number_of(*object, "rows_defective").value_or(0);
    out.command_line = text_of(*object, "command_line");
    out.started_at = policy::parse_iso_time(text_of(*object, "started_at")).value_or(wall_time());
    if (const json::value* command = object->if_contains("command"); command != nullptr && command->is_array()) {
        for (const json::value& argument : command->get_array()) {
            out.command.emplace_back(argument.is_string() ? std::string(argument.get_string()) : std::string());
        }
    }
    return out;
}

}  // namespace

result<void> write_run_file(const std::string& folder, const run_file& run) {
    if (auto made = storage::make_folder(storage::system_file_ops(), folder); !made) {
        return made;
    }
    json::object out;
    out["rows"] = run.rows;
    out["rows_defective"] = run.rows_defective;
    out["started_at"] = policy::format_iso_time(run.started_at);
    json::array command;
    for (const std::string& argument : run.command) {
        command.emplace_back(json_string(argument));
    }
    out["command"] = std::move(command);
    const std::string where = run.folder_to_run_in.empty() ? "" : "cd " + shell_path(run.folder_to_run_in) + " && ";
    // Printable whatever the arguments hold, which the list of them is not.
    out["command_line"] = json_string(where + "vembed " + shell_line(run.command));
    auto file = replaced_file::create(bulk::output::in(folder, bulk::output::run_file));
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
    const auto read = for_each_line(bulk::output::in(folder, bulk::output::run_file),
                                    [&out](std::string_view line, std::uint64_t) -> result<void> {
                                        out = understand(line);
                                        return {};
                                    });
    return read ? out : std::nullopt;
}

std::string command_of(const run_file& run) {
    if (!run.command_line.empty() || run.command.empty()) {
        return run.command_line;
    }
    return "vembed " + shell_line(run.command);  // An earlier version wrote the file.
}

}  // namespace vembed::cli
