#include "cli_parts/command/read_input.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "cli_parts/interrupts.hpp"
#include "storage/file_ops.hpp"

namespace vembed::cli {

result<std::string> read_input(const std::string& file, std::size_t bytes_max, std::string_view too_large) {
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
            return error(errc::cancelled, "cancelled while the input was read; nothing was sent");
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
        if (input.size() > bytes_max) {
            return error(errc::invalid_argument, std::string(too_large));
        }
    }
}

}  // namespace vembed::cli
