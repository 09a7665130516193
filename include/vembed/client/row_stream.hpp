#pragma once
/// @file
/// A corpus' rows in their order, as they come: for callers that pass them on instead of keeping them.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include <vembed/bulk/options.hpp>
#include <vembed/core/result.hpp>

namespace vembed {

namespace asio = boost::asio;

/// One row of a stream.
class streamed_row {
public:
    std::uint64_t index = 0;       ///< Its place in the corpus.
    std::string id;                ///< The source's own name for it, if it has one.
    std::vector<float> values;     ///< Its embedding; empty if it failed.
    std::optional<error> problem;  ///< Why there are no values; outcome_unknown if they may have been bought.

    streamed_row() = default;
};

/// A bulk run whose rows are taken one after the other.
///
/// The run is under way from the moment the stream is made (client::stream_corpus). It reads ahead of its consumer by
/// rows_per_job × (jobs_in_flight + 1) + 512 rows at most, which bounds its memory; a consumer that pauses pauses the
/// run. Calls are made one at a time, on any executor. The source must outlive the stream: the destructor waits for a
/// row that is being read, and the source is not touched after it. What bulk_options refers to (cache, callbacks) must
/// outlive the run: until next() has returned the end or an error, or close() has returned.
///
/// Nothing is remembered: a stream cannot be continued, and rows with the same text are each bought (but served from
/// bulk_options::cache if one is given).
class row_stream {
public:
    row_stream(row_stream&&) noexcept = default;
    /// Cancels the run that this stream had, if it has not ended.
    row_stream& operator=(row_stream&& other) noexcept;
    /// Cancels a run that has not ended; lets go of its source. Not to be called from within the source.
    ~row_stream();

    /// The next row, in ascending order, failed ones too; nothing at the end. If a run ended early, the rows that it
    /// never reached are missing. The run's own error comes after all rows that it brought, and again at each later
    /// call. Cancelling the call leaves the stream as it is: no row is taken, as in `co_await (rows.next() || timer)`.
    asio::awaitable<result<std::optional<streamed_row>>> next();

    /// Cancels the run if it has not ended, waits for its end and returns its report, or its error.
    asio::awaitable<result<bulk_report>> close();

private:
    friend class client;
    class state;
    explicit row_stream(std::shared_ptr<state> run) : state_(std::move(run)) {}
    std::shared_ptr<state> state_;
};

}  // namespace vembed
