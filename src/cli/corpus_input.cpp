#include "cli/corpus_input.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <utility>

#include <vembed/bulk/journal.hpp>

#include "bulk/output_folder.hpp"
#include "bulk/reading_rules.hpp"
#include "bulk/run_binding.hpp"
#include "cli/interrupts.hpp"
#include "cli/text_format.hpp"
#include "policy/input_rules.hpp"
#include "storage/file_lock.hpp"
#include "storage/file_ops.hpp"

namespace vembed::cli {
namespace {

constexpr std::size_t input_block_bytes = 256 * 1024;
constexpr std::uint64_t rows_between_progress = 1024;
constexpr std::uint64_t spool_memory_max = std::uint64_t{1} << 30;

failure interrupted_failure() {
    return {errc::cancelled, "interrupted while the corpus was read; nothing was submitted"};
}

/// Copies standard input to `fd`, at most `bytes_max`.
result<void> copy_standard_input(int fd, const std::string& path,
                                 std::uint64_t bytes_max = std::numeric_limits<std::uint64_t>::max()) {
    std::vector<char> block(input_block_bytes);
    std::uint64_t offset = 0;
    for (;;) {
        if (interrupted()) {
            return interrupted_failure();
        }
        const ssize_t got = ::read(STDIN_FILENO, block.data(), block.size());
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return storage::io_failure("read", "standard input", errno);
        }
        if (got == 0) {
            return {};
        }
        const auto size = static_cast<std::size_t>(got);
        if (size > bytes_max - offset) {
            return failure(errc::io, "standard input is larger than " + short_bytes(bytes_max) +
                                         ", and neither $TMPDIR nor /var/tmp takes files: name a folder in TMPDIR");
        }
        auto written = storage::write_at(storage::system_file_ops(), fd, block.data(), size, offset, path);
        if (!written) {
            return written.error();
        }
        offset += size;
    }
}

/// Whether two files give the same rows, whatever they are packed by, begin and end with. One that cannot be unpacked
/// is another. For this every format is as good: only the files' ends and content count.
bool same_rows(const std::string& one, const std::string& other) {
    file_source_options options;
    options.format = corpus_format::lines;
    const auto first = bulk::fingerprints_of_corpus(bulk::latest_reading_rules, {one}, options);
    if (!first) {
        return false;
    }
    const auto second = bulk::fingerprints_of_corpus(bulk::latest_reading_rules, {other}, options);
    return second && first->rows == second->rows;
}

/// Whether the folder already depends on its spool: a journal that cannot be read may.
bool is_bound(const std::string& folder) {
    const std::string path = bulk::output::in(folder, bulk::output::journal);
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) {
        return false;
    }
    const auto begun = read_journal(path);
    return !begun || begun->in_use || !bulk::takes_any_corpus(folder, begun->run);
}

/// Gives the new spool its name, unless the folder already depends on another one.
result<void> adopt_spool(const std::string& folder, const std::string& fresh, const std::string& path) {
    std::error_code ignored;
    if (std::filesystem::exists(path, ignored) && is_bound(folder)) {
        const bool same = same_rows(path, fresh);
        std::filesystem::remove(fresh, ignored);
        if (interrupted()) {
            return interrupted_failure();
        }
        if (same) {
            return {};
        }
        return failure(errc::folder_mismatch, "standard input differs from what " + path +
                                                  " holds from an earlier run. To go on with that "
                                                  "run, give " +
                                                  path + " instead of -; for another corpus use another folder");
    }
    if (std::rename(fresh.c_str(), path.c_str()) != 0) {
        return storage::io_failure("rename", fresh, errno);
    }
    return storage::sync_folder(storage::system_file_ops(), folder);
}

}  // namespace

std::string defect_of(const source_row& row) {
    if (!row.defect.empty()) {
        return row.defect;
    }
    const std::optional<std::string> refused = policy::why_refused(row.text);
    return refused ? "the text " + *refused : std::string();
}

std::string place_of(const defective_row& row) {
    return row.id.empty() ? row.origin : row.origin + ", id \"" + row.id + "\"";
}

result<std::string> spool_standard_input(const std::string& folder) {
    storage::file_ops& ops = storage::system_file_ops();
    if (auto made = storage::make_folder(ops, folder); !made) {
        return made.error();
    }
    const std::string path = bulk::output::in(folder, bulk::output::spool);
    const std::string fresh = path + ".new";
    auto lock = storage::file_lock::acquire(path + ".lock", path);
    if (!lock) {
        return lock.error();
    }
    auto fd = storage::open_file(ops, fresh, O_WRONLY | O_CREAT | O_TRUNC);
    if (!fd) {
        return fd.error();
    }
    if (auto copied = copy_standard_input(fd->get(), fresh); !copied) {
        std::error_code ignored;
        std::filesystem::remove(fresh, ignored);
        return copied.error();
    }
    if (auto synced = storage::sync_data(ops, fd->get(), fresh); !synced) {
        return synced.error();
    }
    if (auto adopted = adopt_spool(folder, fresh, path); !adopted) {
        return adopted.error();
    }
    return path;
}

result<std::unique_ptr<temporary_spool>> temporary_spool::make() {
    std::error_code error;
    std::filesystem::path folder = std::filesystem::temp_directory_path(error);
    for (const bool chosen : {true, false}) {
        folder = chosen ? folder : "/var/tmp";
        std::string path = (folder / "vembed-stdin-XXXXXX").string();
        if (storage::unique_fd fd(folder.empty() ? -1 : ::mkostemp(path.data(), O_CLOEXEC)); fd) {
            std::unique_ptr<temporary_spool> made(new temporary_spool(path, storage::unique_fd()));
            auto copied = copy_standard_input(fd.get(), path);
            return copied ? result<std::unique_ptr<temporary_spool>>(std::move(made)) : copied.error();
        }
    }
    storage::unique_fd fd(::memfd_create("vembed-stdin", MFD_CLOEXEC));
    if (!fd) {
        return storage::io_failure("create", "a file in memory", errno);
    }
    if (auto copied = copy_standard_input(fd.get(), "memory", spool_memory_max); !copied) {
        return copied.error();
    }
    std::string path = "/proc/self/fd/" + std::to_string(fd.get());
    return std::unique_ptr<temporary_spool>(new temporary_spool(std::move(path), std::move(fd)));
}

temporary_spool::~temporary_spool() {
    if (!in_memory_) {
        std::error_code ignored;
        std::filesystem::remove(path_, ignored);
    }
}

result<corpus_survey> survey(row_source& source, const survey_options& options) {
    corpus_survey seen;
    for (;; ++seen.rows) {
        if (interrupted()) {
            return interrupted_failure();
        }
        if (options.on_progress && seen.rows % rows_between_progress == 0) {
            options.on_progress(seen.rows);
        }
        auto row = source.next();
        if (!row) {
            return row.error();
        }
        if (!*row) {
            return seen;
        }
        const source_row& found = **row;
        if (found.blank) {
            ++seen.blank;
            continue;
        }
        if (std::string defect = defect_of(found); !defect.empty()) {
            if (seen.defective++ < options.shown_max) {
                defective_row& shown = seen.defects.emplace_back();
                shown.row = seen.rows;
                shown.origin = found.origin;
                shown.id = found.id;
                shown.defect = std::move(defect);
            }
            continue;
        }
        seen.text_bytes += found.text.size();
        seen.longest_text = std::max<std::uint64_t>(seen.longest_text, found.text.size());
        if (options.see) {
            if (auto taken = options.see(seen.rows, found); !taken) {
                return taken.error();
            }
        }
    }
}

}  // namespace vembed::cli
