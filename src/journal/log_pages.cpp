#include "journal/log_pages.hpp"

#include <algorithm>
#include <string>

#include "text/text_format.hpp"

namespace vembed::journal {

result<std::uint64_t> log_pages_within(std::optional<std::uint64_t> file_max) {
    constexpr std::uint64_t usual_pages = 1000;  // SQLite's default.
    constexpr std::uint64_t page_bytes = 4096;
    constexpr std::uint64_t least_bytes = std::uint64_t{256} << 10;
    if (!file_max) {
        return usual_pages;
    }
    if (*file_max < least_bytes) {
        return error(errc::io, "a run's journal takes " + text::rounded_bytes(least_bytes, true) + " at least, and " +
                                   text::rounded_bytes(*file_max, false) +
                                   " are the most that this process may write into one file: raise the limit "
                                   "(ulimit -f) and run the same command again");
    }
    // The quotient leaves room for the pages that one commit adds.
    return std::min(usual_pages, *file_max / page_bytes / 4);
}

}  // namespace vembed::journal
