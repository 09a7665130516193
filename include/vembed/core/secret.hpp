#pragma once
/// @file
/// The API key, kept so that it cannot slip out: no stream operator, no comparison, no copy, wiped on destruction.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <vembed/core/result.hpp>

namespace vembed {

/// Holds an API key. Shared by moving a shared_ptr<const secret>, never by copying the bytes.
///
/// The bytes live in one heap block that is excluded from core dumps if the system allows it and is overwritten before
/// it is freed.
class secret {
public:
    /// What the keys of Cyberian begin with.
    static constexpr std::string_view cyberian_prefix = "cyb_";

    /// Checks and takes a key. Refused (unauthorized, the message never quotes the key): empty, not starting with
    /// `prefix`, longer than 512 bytes (4096 without a prefix), or holding a byte that is not a visible ASCII character
    /// (so no CR, LF, NUL or space). `key` is overwritten in place, whatever the outcome. Keys of Cyberian begin with
    /// `cyb_`; services whose keys have no common form take an empty prefix.
    static result<std::shared_ptr<const secret>> from_key(std::string key, std::string_view prefix = cyberian_prefix);

    /// Takes the first line of a file as from_key takes a key. Surrounding white space is dropped.
    static result<std::shared_ptr<const secret>> from_file(const std::string& path,
                                                           std::string_view prefix = cyberian_prefix);

    /// Takes an environment variable as from_key takes a key. An unset variable is unauthorized; the message names it.
    static result<std::shared_ptr<const secret>> from_environment(const char* variable = "CYBERIAN_API_KEY",
                                                                  std::string_view prefix = cyberian_prefix);

    secret(const secret&) = delete;
    secret& operator=(const secret&) = delete;
    ~secret();

    /// The key itself, for the one place that writes the Authorization header. Valid while this object lives.
    [[nodiscard]] std::string_view reveal() const noexcept;

private:
    explicit secret(std::string_view key);
    char* bytes_ = nullptr;
    std::size_t size_ = 0;
    std::size_t mapped_ = 0;
};

}  // namespace vembed
