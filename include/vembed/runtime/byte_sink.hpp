#pragma once
/// @file
/// Receives the bytes of a response: the reader asks for a buffer, fills it in place and says how much it filled.

#include <cstddef>
#include <span>

#include <vembed/core/result.hpp>

namespace vembed {

class byte_sink {
public:
    byte_sink() = default;
    byte_sink(const byte_sink&) = delete;
    byte_sink& operator=(const byte_sink&) = delete;
    virtual ~byte_sink() = default;

    /// Returns a buffer for the next bytes, at most `at_most` long (at_most > 0). Empty means the sink takes no more:
    /// the reader gives up with response_too_large. Valid until the next call.
    virtual std::span<std::byte> prepare(std::size_t at_most) = 0;

    /// The first `size` bytes of the buffer last prepared now hold data. An error ends the reading.
    virtual result<void> commit(std::size_t size) = 0;
};

}  // namespace vembed
