#include "cli_parts/standard_descriptors.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>

namespace vembed::cli {

void open_standard_descriptors() noexcept {
    for (const int number : std::array{STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (::fcntl(number, F_GETFD) == -1) {
            // The missing number is the lowest free one. The wrong direction makes its use fail.
            const int opened = ::open("/dev/null", number == STDOUT_FILENO ? O_RDONLY : O_WRONLY);
            static_cast<void>(opened);  // If /dev/null does not exist, the number stays closed, as it was.
        }
    }
}

}  // namespace vembed::cli
