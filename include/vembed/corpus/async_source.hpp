#pragma once
/// @file
/// A corpus whose rows have to be waited for: from a queue, a database, another service.

#include <cstdint>
#include <optional>

#include <boost/asio/awaitable.hpp>

#include <vembed/core/result.hpp>
#include <vembed/corpus/source.hpp>

namespace vembed {

namespace asio = boost::asio;

/// Like row_source, but next() may suspend. It is called on the client's executor, one call at a time, and cancelled
/// through its coroutine's cancellation state when the run is: it should then return an error of kind cancelled. A run
/// that is asked to stop (bulk_options::stop) notices when the call under way returns.
///
/// Rows are asked for ahead of need, up to 256 or 1 MB of text; a job is sent when it is full or the corpus has ended.
class async_row_source {
public:
    async_row_source() = default;
    async_row_source(const async_row_source&) = delete;
    async_row_source& operator=(const async_row_source&) = delete;
    virtual ~async_row_source() = default;

    /// Returns the next row, or nothing at the end; it is not called again after that. An error ends the run with that
    /// error, an exception ends it with callback_failed.
    virtual asio::awaitable<result<std::optional<source_row>>> next() = 0;

    /// The number of rows, if it is known without reading them. It is used for progress only.
    [[nodiscard]] virtual std::optional<std::uint64_t> size_hint() const { return std::nullopt; }
};

}  // namespace vembed
