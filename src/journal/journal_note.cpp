#include "journal/journal_note.hpp"

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <charconv>

#include "journal/journal_record.hpp"
#include "storage/file_ops.hpp"

namespace vembed::journal {
namespace {

constexpr std::string_view head = "vembed journal, last commit ";
constexpr std::size_t note_size = head.size() + 3 * 16 + 2 + 1;

void append_hex(std::string& out, std::uint64_t number) {
    constexpr std::string_view digits = "0123456789abcdef";
    for (int shift = 60; shift >= 0; shift -= 4) {
        out.push_back(digits[number >> shift & 15]);
    }
}

// The checksum of a note, by which a torn or damaged line is recognized.
std::uint64_t seal(const commit_note& note) {
    return row_hash().add("note").add(note.commits).add(note.checksum).value();
}

}  // namespace

std::string to_text(const commit_note& note) {
    std::string line(head);
    append_hex(line, note.commits);
    line.push_back(' ');
    append_hex(line, note.checksum);
    line.push_back(' ');
    append_hex(line, seal(note));
    line.push_back('\n');
    return line;
}

std::optional<commit_note> note_from_text(std::string_view text) {
    if (text.size() != note_size || !text.starts_with(head)) {
        return std::nullopt;
    }
    commit_note note;
    const char* const numbers = text.data() + head.size();
    (void)std::from_chars(numbers, numbers + 16, note.commits, 16);
    (void)std::from_chars(numbers + 17, numbers + 33, note.checksum, 16);
    return to_text(note) == text ? std::optional(note) : std::nullopt;
}

result<std::optional<commit_note>> read_note(const std::string& path) {
    storage::file_ops& ops = storage::system_file_ops();
    const storage::unique_fd fd(ops.open(path.c_str(), O_RDONLY | O_CLOEXEC, 0));
    if (!fd) {
        if (errno == ENOENT) {
            return std::optional<commit_note>();
        }
        return storage::io_failure("open", path, errno);
    }
    std::array<char, note_size + 1> bytes{};
    const auto size = storage::read_at(ops, fd.get(), bytes.data(), bytes.size(), 0, path);
    if (!size) {
        return size.error();
    }
    return note_from_text(std::string_view(bytes.data(), *size));
}

result<void> write_note(int fd, const std::string& path, const commit_note& note) {
    const std::string line = to_text(note);
    return storage::write_at(storage::system_file_ops(), fd, line.data(), line.size(), 0, path);
}

}  // namespace vembed::journal
