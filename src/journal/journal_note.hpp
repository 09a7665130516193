#pragma once
/// The last commit of a journal, noted in another file than the journal's own: a journal that says less has lost some.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <vembed/core/result.hpp>

namespace vembed::journal {

class commit_note {
public:
    std::uint64_t commits = 0;
    std::uint64_t checksum = 0;  ///< Of the run's row as of that commit.

    commit_note() = default;
    friend bool operator==(const commit_note&, const commit_note&) = default;
};

/// One line of a fixed length.
std::string to_text(const commit_note& note);

/// Nothing where the text is not exactly such a line.
std::optional<commit_note> note_from_text(std::string_view text);

/// Reads a note; nothing where the file is missing or holds none.
result<std::optional<commit_note>> read_note(const std::string& path);

/// Writes a note over the one before, at the begin of the open file `fd`. Not synced.
result<void> write_note(int fd, const std::string& path, const commit_note& note);

}  // namespace vembed::journal
