#pragma once
/// The Content-Range header (RFC 9110, section 14.4).

#include <cstdint>
#include <optional>
#include <string_view>

namespace vembed::cyberun {

class content_range {
public:
    /// The first and last byte of the part; both are empty in the form `bytes */200` of a 416.
    std::optional<std::uint64_t> first;
    std::optional<std::uint64_t> last;   ///< Inclusive.
    std::optional<std::uint64_t> total;  ///< Of the whole file; empty in the form `bytes 0-99/*`.

    content_range() = default;
    friend bool operator==(const content_range&, const content_range&) = default;
};

/// Reads `bytes 0-99/200`, `bytes 0-99/*` or `bytes */200`, with optional white space around it. Nothing if it is
/// anything else: another unit, a number over 64 bits, an end before its beginning or behind the file's end.
std::optional<content_range> parse_content_range(std::string_view value) noexcept;

}  // namespace vembed::cyberun
