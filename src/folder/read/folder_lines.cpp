#include "folder/read/folder_lines.hpp"

#include <filesystem>
#include <utility>

#include "corpus/lines/byte_reader.hpp"
#include "corpus/lines/line_reader.hpp"
#include "folder/layout.hpp"
#include "text/json/json_fields.hpp"

namespace vembed::folder {

result<void> for_each_line(const std::string& path,
                           const std::function<result<void>(std::string_view line, std::uint64_t number)>& see,
                           const std::function<void(std::uint64_t number)>& too_long) {
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) {
        return {};
    }
    auto bytes = corpus::open_stored_bytes(path);
    if (!bytes) {
        return bytes.error();
    }
    corpus::line_reader lines(std::move(*bytes), path, line_bytes_max);
    std::string_view line;
    for (;;) {
        const auto more = lines.next(line);
        if (!more && more.error().kind == errc::bad_input) {
            // The reader's own message is about reading a corpus.
            if (!too_long) {
                return error(errc::bad_input, path + ":" + std::to_string(lines.number() + 1) + ": " + line_too_long);
            }
            if (auto skipped = lines.skip(); !skipped) {
                return skipped;
            }
            too_long(lines.number());
            continue;
        }
        if (!more) {
            return more.error();
        }
        if (!*more) {
            return {};
        }
        if (auto seen = see(line, lines.number()); !seen) {
            return seen;
        }
    }
}

std::uint64_t count_blank_rows(const std::string& folder) {
    std::uint64_t blank = 0;
    (void)for_each_line(layout::in(folder, layout::failed),
                        [&blank](std::string_view line, std::uint64_t) -> result<void> {
                            const auto object = text::object_of(line);
                            blank += object && object->contains("blank") ? 1 : 0;
                            return {};
                        });
    return blank;
}

}  // namespace vembed::folder
