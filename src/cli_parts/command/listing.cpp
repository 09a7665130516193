#include "cli_parts/command/listing.hpp"

#include <algorithm>

#include "text/text_format.hpp"

namespace vembed::cli {

void value_lines::add(std::string_view name, std::string_view value) {
    std::string line(name);
    line.append(std::max<std::size_t>(column_, name.size() + 1) - name.size(), ' ');
    lines_.push_back(line + text::printable(value));
}

std::string table_line(const std::vector<std::string_view>& cells) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        line += (i == 0 ? "" : "\t") + text::printable(cells[i]);
    }
    return line;
}

void print_lines(console& out, const std::vector<std::string>& lines) {
    for (const std::string& line : lines) {
        out.print(line);
    }
}

}  // namespace vembed::cli
