#include "folder/spool.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <utility>

#include <vembed/journal/journal.hpp>

#include "folder/layout.hpp"
#include "folder/run_binding.hpp"
#include "storage/file_lock.hpp"
#include "storage/file_ops.hpp"
#include "text/text_format.hpp"

namespace vembed::folder {
namespace {

constexpr std::size_t input_block_bytes = 256 * 1024;
constexpr std::uint64_t spool_memory_max = std::uint64_t{1} << 30;

error interrupted_failure() {
    return {errc::cancelled, "interrupted while the corpus was read; nothing was submitted"};
}

/// An event whose descriptor is readable once a stop is requested.
class stop_event {
public:
    explicit stop_event(const std::stop_token& stop) : fd_(::eventfd(0, EFD_CLOEXEC)), tell_(stop, teller(fd_.get())) {}

    [[nodiscard]] int fd() const noexcept { return fd_.get(); }

private:
    class teller {
    public:
        explicit teller(int fd) : fd_(fd) {}
        void operator()() const noexcept {
            const std::uint64_t one = 1;
            [[maybe_unused]] const auto written = ::write(fd_, &one, sizeof(one));
        }

    private:
        int fd_;
    };

    storage::unique_fd fd_;
    std::stop_callback<teller> tell_;
};

/// Waits until standard input has bytes or ends. cancelled if a stop was requested before that.
result<void> await_standard_input(const input_stop& stop, const stop_event& event) {
    std::array<pollfd, 2> ends = {pollfd{STDIN_FILENO, POLLIN, 0}, pollfd{event.fd(), POLLIN, 0}};
    while (::poll(ends.data(), ends.size(), -1) < 0) {
        if (errno != EINTR) {
            return storage::io_failure("wait for", "standard input", errno);
        }
    }
    return ends[1].revents != 0 || stop.stopped() ? result<void>(interrupted_failure()) : result<void>();
}

/// Copies standard input to `fd`, at most `bytes_max` bytes.
result<void> copy_standard_input(const input_stop& stop, int fd, const std::string& path,
                                 std::uint64_t bytes_max = std::numeric_limits<std::uint64_t>::max()) {
    const stop_event event(stop.token);
    if (event.fd() < 0) {
        return storage::io_failure("wait for", "standard input", errno);
    }
    std::vector<char> block(input_block_bytes);
    std::uint64_t offset = 0;
    for (;;) {
        if (auto there = await_standard_input(stop, event); !there) {
            return there;
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
            return error(errc::io, "standard input is larger than " + text::short_bytes(bytes_max) +
                                       ", and neither $TMPDIR nor /var/tmp takes files: name a folder in TMPDIR");
        }
        auto written = storage::write_at(storage::system_file_ops(), fd, block.data(), size, offset, path);
        if (!written) {
            return written.error();
        }
        offset += size;
    }
}

/// Whether two files give the same rows, independent of their compression and of what they begin and end with. A file
/// that cannot be unpacked differs. Any format will do for this, because only the files' ends and content count.
bool same_rows(const std::string& one, const std::string& other) {
    file_source_options options;
    options.format = corpus_format::lines;
    const auto first = corpus::fingerprints_of_corpus(corpus::latest_reading_rules, {one}, options);
    if (!first) {
        return false;
    }
    const auto second = corpus::fingerprints_of_corpus(corpus::latest_reading_rules, {other}, options);
    return second && first->rows == second->rows;
}

/// Whether the folder already depends on its spool. If its journal cannot be read, it may.
bool is_bound(const std::string& folder) {
    const std::string path = layout::in(folder, layout::journal);
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) {
        return false;
    }
    const auto begun = read_journal(path);
    return !begun || begun->in_use || !folder::takes_any_corpus(folder, begun->run);
}

/// Gives the new spool its name, unless the folder already depends on another one.
result<void> adopt_spool(const input_stop& stop, const std::string& folder, const std::string& fresh,
                         const std::string& path) {
    std::error_code ignored;
    if (std::filesystem::exists(path, ignored) && is_bound(folder)) {
        const bool same = same_rows(path, fresh);
        std::filesystem::remove(fresh, ignored);
        if (stop.stopped()) {
            return interrupted_failure();
        }
        if (same) {
            return {};
        }
        return error(errc::folder_mismatch, "standard input differs from what " + path +
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

result<std::string> spool_standard_input(const std::string& folder, const input_stop& stop) {
    storage::file_ops& ops = storage::system_file_ops();
    if (auto made = storage::make_folder(ops, folder); !made) {
        return made.error();
    }
    const std::string path = layout::in(folder, layout::spool);
    const std::string fresh = path + ".new";
    auto lock = storage::file_lock::acquire(path + ".lock", path);
    if (!lock) {
        return lock.error();
    }
    auto fd = storage::open_file(ops, fresh, O_WRONLY | O_CREAT | O_TRUNC);
    if (!fd) {
        return fd.error();
    }
    if (auto copied = copy_standard_input(stop, fd->get(), fresh); !copied) {
        std::error_code ignored;
        std::filesystem::remove(fresh, ignored);
        return copied.error();
    }
    if (auto synced = storage::sync_data(ops, fd->get(), fresh); !synced) {
        return synced.error();
    }
    if (auto adopted = adopt_spool(stop, folder, fresh, path); !adopted) {
        return adopted.error();
    }
    return path;
}

result<std::unique_ptr<temporary_spool>> temporary_spool::make(const input_stop& stop) {
    std::error_code error;
    std::filesystem::path folder = std::filesystem::temp_directory_path(error);
    for (const bool chosen : {true, false}) {
        folder = chosen ? folder : "/var/tmp";
        std::string path = (folder / "vembed-stdin-XXXXXX").string();
        if (storage::unique_fd fd(folder.empty() ? -1 : ::mkostemp(path.data(), O_CLOEXEC)); fd) {
            std::unique_ptr<temporary_spool> made(new temporary_spool(path, storage::unique_fd()));
            auto copied = copy_standard_input(stop, fd.get(), path);
            return copied ? result<std::unique_ptr<temporary_spool>>(std::move(made)) : copied.error();
        }
    }
    storage::unique_fd fd(::memfd_create("vembed-stdin", MFD_CLOEXEC));
    if (!fd) {
        return storage::io_failure("create", "a file in memory", errno);
    }
    if (auto copied = copy_standard_input(stop, fd.get(), "memory", spool_memory_max); !copied) {
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

result<input_files> resolve_inputs(std::vector<std::string> given, const input_stop& stop) {
    input_files inputs;
    inputs.files = std::move(given);
    const auto standard_input = std::find(inputs.files.begin(), inputs.files.end(), "-");
    if (standard_input != inputs.files.end()) {
        auto spool = temporary_spool::make(stop);
        if (!spool) {
            return spool.error();
        }
        *standard_input = (*spool)->path();
        inputs.spool = std::move(*spool);
    }
    return inputs;
}

}  // namespace vembed::folder
