#include "storage/file_size_limit.hpp"

#include <sys/resource.h>

namespace vembed::storage {

std::optional<std::uint64_t> file_size_limit() noexcept {
    rlimit limit{};
    if (::getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
        return std::nullopt;
    }
    return limit.rlim_cur;
}

}  // namespace vembed::storage
