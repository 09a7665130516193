#pragma once
/// A corpus whose rows have to be waited for: from a queue, a database, another service.

#include <cstdint>
#include <optional>

#include <boost/asio/awaitable.hpp>

#include <vembed/core/result.hpp>
#include <vembed/corpus/source.hpp>

namespace vembed {

namespace asio = boost::asio;

/// As row_source, but next() may suspend. It is called on the client's executor, one call at a time, and cancelled
/// through its coroutine's cancellation state when the run is: it should then return a failure of kind cancelled. A run
/// that is asked to stop (bulk_options::stop) notices when the call under way returns.
///
/// Rows are asked for ahead of need, up to 256 or 1 MB of text; a job is sent when it is full or the corpus has ended.
class async_row_source {
public:
    async_row_source() = default;
    async_row_source(const async_row_source&) = delete;
    async_row_source& operator=(const async_row_source&) = delete;
    virtual ~async_row_source() = default;

    /// The next row, or nothing at the end; it is not called again after that. A failure ends the run with it, an
    /// exception with callback_failed.
    virtual asio::awaitable<result<std::optional<source_row>>> next() = 0;

    /// How many rows there are, where that is known without reading them. For progress only.
    [[nodiscard]] virtual std::optional<std::uint64_t> size_hint() const { return std::nullopt; }
};

}  // namespace vembed
