#pragma once
/// A note of a journal's last commit, kept in another file than the journal. A journal with fewer commits than its note
/// has lost some.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <vembed/core/result.hpp>

namespace vembed::journal {

class commit_note {
public:
    std::uint64_t commits = 0;
    std::uint64_t checksum = 0;  ///< The checksum of the run's row at that commit.

    commit_note() = default;
    friend bool operator==(const commit_note&, const commit_note&) = default;
};

/// Writes the note as one line of a fixed length.
std::string to_text(const commit_note& note);

/// Returns nothing if the text is not exactly such a line.
std::optional<commit_note> note_from_text(std::string_view text);

/// Reads a note. Returns nothing if the file is missing or holds no note.
result<std::optional<commit_note>> read_note(const std::string& path);

/// Writes a note over the previous one, at the beginning of the open file `fd`. The file is not synced.
result<void> write_note(int fd, const std::string& path, const commit_note& note);

}  // namespace vembed::journal
