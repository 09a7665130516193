#include "folder/read/reused_rows.hpp"

#include <optional>
#include <string_view>

#include <boost/json/value.hpp>

#include "folder/layout.hpp"
#include "folder/read/folder_lines.hpp"
#include "text/json/json_fields.hpp"

namespace vembed::folder {
namespace {

namespace json = boost::json;

error malformed(const std::string& path, std::uint64_t number) {
    return {errc::verification_failed, path + ":" + std::to_string(number) + " is not a line that vembed writes"};
}

/// Calls `see` with each line's object.
result<void> for_each_object(const std::string& path,
                             const std::function<result<void>(const json::object&, std::uint64_t number)>& see) {
    return for_each_line(path, [&](std::string_view line, std::uint64_t number) -> result<void> {
        const auto object = text::object_of(line);
        return object ? see(*object, number) : result<void>(malformed(path, number));
    });
}

}  // namespace

result<void> for_each_copied_row(const std::string& folder,
                                 const std::function<result<void>(std::uint64_t row, std::uint64_t same_as)>& see) {
    const std::string path = layout::in(folder, layout::copies);
    return for_each_object(path, [&](const json::object& line, std::uint64_t number) -> result<void> {
        const auto row = text::number_of(line, "row");
        const auto same_as = text::number_of(line, "same_as");
        return row && same_as ? see(*row, *same_as) : result<void>(malformed(path, number));
    });
}

result<void> for_each_cached_range(const std::string& folder,
                                   const std::function<result<void>(std::uint64_t first, std::uint64_t end)>& see) {
    const std::string path = layout::in(folder, layout::cached);
    return for_each_object(path, [&](const json::object& line, std::uint64_t number) -> result<void> {
        const json::value* rows = line.if_contains("rows");
        if (rows == nullptr || !rows->is_array()) {
            return malformed(path, number);
        }
        for (const json::value& range : rows->get_array()) {
            const bool pair = range.is_array() && range.get_array().size() == 2;
            const auto first = pair ? text::number_of(range.get_array()[0]) : std::nullopt;
            const auto end = pair ? text::number_of(range.get_array()[1]) : std::nullopt;
            if (!first || !end || *first >= *end) {
                return malformed(path, number);
            }
            if (auto seen = see(*first, *end); !seen) {
                return seen;
            }
        }
        return {};
    });
}

}  // namespace vembed::folder
