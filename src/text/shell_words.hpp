#pragma once
/// Formats commands that can be pasted into a shell.

#include <string>
#include <string_view>
#include <vector>

namespace vembed::text {

/// The arguments as a line for a shell, to be put after the program's name. The line is printable UTF-8 whatever they
/// hold: a word with control characters, or with bytes that are not UTF-8, is written as $'...' with \xNN. Pure.
std::string shell_line(const std::vector<std::string>& command);

/// A path as a word for a shell. It is absolute, so that it holds in every folder.
std::string shell_path(const std::string& path);

/// The absolute path; unchanged if the current folder is not known.
std::string absolute_path(const std::string& path);

/// The folder to change to before a command that names these paths can be repeated; empty if each of them is absolute,
/// empty or "-".
std::string folder_to_repeat_in(const std::vector<std::string>& paths);

}  // namespace vembed::text
