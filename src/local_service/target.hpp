#pragma once
/// Reads the target of a request.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vembed::local_service {

/// The text with each %XX replaced by its byte; nothing if a % has no two hex digits behind it.
std::optional<std::string> percent_decode(std::string_view text);

/// The path and query of an absolute-form target, which a server must also accept (RFC 9112, section 3.2.2); any other
/// target as it is.
std::string_view without_origin(std::string_view target);

/// A target in its parts.
class target_parts {
public:
    std::vector<std::string> segments;  ///< Of the path, decoded; the last is empty if the path ends with a slash.
    std::vector<std::pair<std::string, std::string>> query;  ///< Names and values, decoded.

    target_parts() = default;

    /// The value of the first item of the query with that name, or nothing.
    [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept;

    /// The whole number of 1 to `most` that an item has; `otherwise` if there is no such item; nothing if it is not a
    /// number or is too small. A larger one counts as `most`.
    [[nodiscard]] std::optional<std::uint64_t> number(std::string_view name, std::uint64_t otherwise,
                                                      std::uint64_t least, std::uint64_t most) const noexcept;
};

/// Nothing if the target is not a path with at most 12 segments of 1,024 bytes and 32 items of a query.
std::optional<target_parts> read_target(std::string_view target);

}  // namespace vembed::local_service
