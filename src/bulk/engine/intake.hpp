#pragma once
/// Reads the corpus for the workers of a run: one reader at a time reads for all that wait.

#include <deque>
#include <optional>

#include "bulk/engine/run_state.hpp"

namespace vembed::bulk {

class corpus_intake {
public:
    explicit corpus_intake(run_state* run) : run_(run), reading_(run->parts.executor, run->parts.env) {}

    /// The next batch; nothing if there is none, or if the run ends.
    asio::awaitable<std::optional<batch>> take();

private:
    asio::awaitable<void> read_ahead();
    asio::awaitable<step> read_batches(bool* hungry);
    asio::awaitable<step> fill_feed();
    asio::awaitable<step> fill_from_rows();
    result<void> read_part(monotonic_time until);

    run_state* run_;
    runtime::wait_queue reading_;  ///< Workers that want to read the source; the first in line may.
    std::deque<batch> read_;       ///< Batches for the workers that wait in that line.
    bool all_read_ = false;        ///< Nothing comes after the batches in `read_`.
};

}  // namespace vembed::bulk
