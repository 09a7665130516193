#include "cli_aitbc/submit_input.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include "aitbc/wire/assumptions.hpp"
#include "cli_parts/interrupts.hpp"
#include "storage/file_ops.hpp"

namespace vembed::cli {

result<std::string> read_job_input(const std::string& file) {
    storage::unique_fd opened;
    const bool is_standard = file == "-";
    if (!is_standard) {
        auto named = storage::open_file(storage::system_file_ops(), file, O_RDONLY);
        if (!named) {
            return named.error();
        }
        opened = std::move(*named);
    }
    std::string input;
    std::array<char, 65536> piece{};
    for (;;) {
        if (interrupted()) {
            return error(errc::cancelled, "cancelled while the job's input was read; nothing was submitted");
        }
        const ssize_t size = ::read(is_standard ? STDIN_FILENO : opened.get(), piece.data(), piece.size());
        if (size < 0 && errno != EINTR) {
            return storage::io_failure("read", is_standard ? "standard input" : file, errno);
        }
        if (size == 0) {
            return input;
        }
        if (size > 0) {
            input.append(piece.data(), static_cast<std::size_t>(size));
        }
        if (input.size() > aitbc::assumed::body_bytes_max) {
            return error(errc::invalid_argument, "the input is larger than the 10 MiB that a submission may have");
        }
    }
}

}  // namespace vembed::cli
