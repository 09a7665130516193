#pragma once
/// How commands show what they read: typed objects with --json, else lines for a person.

#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "cli_parts/console.hpp"

namespace vembed::cli {

/// Lines that each name a value, the values below each other: "status     RUNNING".
class value_lines {
public:
    /// The values begin so many columns after the line's begin.
    explicit value_lines(std::size_t column) : column_(column) {}

    /// Adds a line. Control characters of the value are escaped.
    void add(std::string_view name, std::string_view value);

    /// Adds to the last line.
    void append(std::string_view text) { lines_.back() += text; }

    [[nodiscard]] const std::vector<std::string>& lines() const noexcept { return lines_; }

private:
    std::size_t column_;
    std::vector<std::string> lines_;
};

/// The cells of a line, with tabs between them. Control characters are escaped, tabs among them.
std::string table_line(const std::vector<std::string_view>& cells);

void print_lines(console& out, const std::vector<std::string>& lines);

/// Prints one thing, by the functions that give its object and its lines.
template <class Item, class ObjectOf, class LinesOf>
void print_item(console& out, std::string_view type, const Item& of, ObjectOf object_of, LinesOf lines_of) {
    if (out.json()) {
        out.print_object(type, object_of(of));
    } else {
        print_lines(out, lines_of(of));
    }
}

/// Prints several: an object for each, or a table, which may have lines besides.
template <class Item, class ObjectOf, class TableOf>
void print_list(console& out, std::string_view type, const std::vector<Item>& items, ObjectOf object_of,
                TableOf table_of) {
    if (!out.json()) {
        print_lines(out, table_of(items));
        return;
    }
    for (const Item& one : items) {
        out.print_object(type, object_of(one));
    }
}

}  // namespace vembed::cli
