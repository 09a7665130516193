#include <vembed/core/secret.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>
#include <system_error>

namespace vembed {
namespace {

// Keys with a known prefix are short. A token of any other form, a JSON Web Token for instance, may be a few kilobytes
// long; a page holds it.
constexpr std::size_t max_key_bytes = 512;
constexpr std::size_t max_token_bytes = 4096;

error refusal(std::string what) {
    return {errc::unauthorized, "the API key " + std::move(what)};
}

std::string reason_to_refuse(std::string_view key, std::string_view prefix) {
    if (key.empty()) {
        return "is empty";
    }
    if (!key.starts_with(prefix)) {
        return "does not start with " + std::string(prefix);
    }
    const std::size_t most = prefix.empty() ? max_token_bytes : max_key_bytes;
    if (key.size() > most) {
        return "is longer than " + std::to_string(most) + " bytes";
    }
    if (!std::all_of(key.begin(), key.end(), [](char c) { return c > 0x20 && c < 0x7f; })) {
        return "holds a byte that is not a visible ASCII character";
    }
    return {};
}

}  // namespace

secret::secret(std::string_view key) : size_(key.size()), mapped_(4096) {
    // The secret has its own page, which can be kept out of core dumps and swap without affecting anything else.
    void* page = ::mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) {
        throw std::bad_alloc();
    }
    bytes_ = static_cast<char*>(page);
    (void)::madvise(page, mapped_, MADV_DONTDUMP);
    (void)::mlock(page, mapped_);
    std::memcpy(bytes_, key.data(), size_);
}

secret::~secret() {
    ::explicit_bzero(bytes_, mapped_);
    (void)::munmap(bytes_, mapped_);
}

std::string_view secret::reveal() const noexcept {
    return {bytes_, size_};
}

result<std::shared_ptr<const secret>> secret::from_key(std::string key, std::string_view prefix) {
    const std::string refused = reason_to_refuse(key, prefix);
    std::shared_ptr<const secret> made;
    if (refused.empty()) {
        made.reset(new secret(key));
    }
    ::explicit_bzero(key.data(), key.size());
    if (!made) {
        return refusal(refused);
    }
    return made;
}

result<std::shared_ptr<const secret>> secret::from_file(const std::string& path, std::string_view prefix) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return error(errc::io, "cannot read the API key file " + path + ": " + std::generic_category().message(errno));
    }
    std::array<char, max_token_bytes + 64> block{};
    std::size_t size = 0;
    ssize_t got = 0;
    while (size < block.size() && (got = ::read(fd, block.data() + size, block.size() - size)) > 0) {
        size += static_cast<std::size_t>(got);
    }
    const int read_error = got < 0 ? errno : 0;
    (void)::close(fd);
    if (read_error != 0) {
        ::explicit_bzero(block.data(), block.size());
        return error(errc::io,
                     "cannot read the API key file " + path + ": " + std::generic_category().message(read_error));
    }
    std::string_view line(block.data(), size);
    line = line.substr(0, line.find('\n'));
    constexpr std::string_view blank = " \t\r";
    const std::size_t first = std::min(line.find_first_not_of(blank), line.size());
    line.remove_prefix(first);
    line = line.substr(0, line.find_last_not_of(blank) + 1);
    auto made = from_key(std::string(line), prefix);
    ::explicit_bzero(block.data(), block.size());
    if (!made) {
        error f = made.error();
        f.message += " (file " + path + ")";
        return f;
    }
    return made;
}

result<std::shared_ptr<const secret>> secret::from_environment(const char* variable, std::string_view prefix) {
    const char* value = std::getenv(variable);
    if (value == nullptr) {
        return error(errc::unauthorized,
                     std::string("no API key: set ") + variable + " or name a file that holds the key");
    }
    auto made = from_key(value, prefix);
    if (!made) {
        error f = made.error();
        f.message += std::string(" (environment variable ") + variable + ")";
        return f;
    }
    return made;
}

}  // namespace vembed
