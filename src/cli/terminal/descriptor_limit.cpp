#include "cli/terminal/descriptor_limit.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <limits>

#include <fmt/core.h>

#include "http/socket/descriptor_room.hpp"

namespace vembed::cli {
namespace {

constexpr std::uint32_t connections_usual = 1024;

// These are for jobs that are settled and fetch their rows and receipts.
constexpr std::uint32_t spare_connections(std::uint32_t jobs) noexcept {
    return 32 + jobs / 8;
}

}  // namespace

void raise_descriptor_limit() noexcept {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        // If the system refuses, the old limit holds, and whoever needs more says so.
        static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
    }
}

std::uint64_t descriptor_limit() noexcept {
    rlimit limit{};
    return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : std::numeric_limits<std::uint64_t>::max();
}

std::uint32_t connections_for(std::uint32_t jobs) noexcept {
    return std::max(connections_usual, jobs + spare_connections(jobs));
}

std::uint32_t jobs_within(std::uint64_t descriptors, std::uint32_t jobs) noexcept {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(jobs, http::connections_within(descriptors)));
}

std::string too_few_descriptors(std::uint64_t descriptors, std::uint32_t jobs) {
    const std::uint32_t possible = jobs_within(descriptors, jobs);
    if (possible == jobs) {
        return {};
    }
    const std::uint64_t needed = jobs + http::descriptors_reserved;
    return fmt::format(
        "this process may open {} files and connections, and {} jobs in flight need {}: raise the limit (ulimit -n "
        "{}) or give --jobs-in-flight {}",
        descriptors, jobs, needed, needed, possible);
}

}  // namespace vembed::cli
