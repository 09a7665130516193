#pragma once
/// Reports a run while it runs and at its end.

#include "bulk/engine/run_state.hpp"
#include "bulk/values/rate_window.hpp"

namespace vembed::bulk {

class reporter {
public:
    explicit reporter(run_state* run) : run_(run), began_(run->parts.now()) {}

    /// Notes what the account's gate had seen before the run.
    void begin() { run_->parts.backend->describe_gate(gate_before_); }
    /// Begins to count the rate of rows.
    void note_start() { rate_.note(run_->parts.now(), 0); }

    /// Tells the caller the progress again and again, until it is cancelled.
    asio::awaitable<void> tell_progress();
    /// Ends the run's work on disk, and makes the report.
    asio::awaitable<result<bulk_report>> conclude();

private:
    progress measure();
    void estimate_finish(progress& seen) const;
    asio::awaitable<void> settle_duplicates();
    [[nodiscard]] bulk_report fill_report();
    void decide_reason(bulk_report& report) const;
    [[nodiscard]] std::string explain(const bulk_report& report) const;
    [[nodiscard]] std::string explain_in_doubt() const;

    run_state* run_;
    monotonic_time began_;
    rate_window rate_;
    progress gate_before_;
};

}  // namespace vembed::bulk
