#pragma once
/// State that the parts of one bulk run share, confined to the client's executor: what the run was called with, the
/// values it decides by, and its work on disk.

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "bulk/batches/batch_reader.hpp"
#include "bulk/batches/feed.hpp"
#include "bulk/batches/saved_rows.hpp"
#include "bulk/disk_queue.hpp"
#include "bulk/pipeline.hpp"
#include "bulk/values/charge_evidence.hpp"
#include "bulk/values/chunk_budget.hpp"
#include "bulk/values/first_job.hpp"
#include "bulk/values/in_doubt_batches.hpp"
#include "bulk/values/job_registry.hpp"
#include "bulk/values/job_streak.hpp"
#include "bulk/values/run_end.hpp"
#include "bulk/values/run_model.hpp"
#include "bulk/values/submission_outage.hpp"
#include "runtime/semaphore.hpp"

namespace vembed::bulk {

/// What follows for the batch at hand.
enum class step : std::uint8_t {
    go_on,
    over,  ///< Nothing follows: the batch was dealt with, or the run ends.
};

/// A batch on its way, its parts that are to be tried again, and the slots it holds: one in flight until its job is
/// settled, then one to fetch and store what the job brought.
class batch_task {
public:
    batch item;
    std::deque<batch> again;
    runtime::semaphore::permit in_flight;
    runtime::semaphore::permit storing;

    batch_task() = default;

    void requeue() { again.push_front(part_of(item, 0, item.indices.size())); }
    /// Requeues all but the first `rows` rows.
    void cut(std::uint64_t rows);
};

/// What a run was called with.
class run_parts {
public:
    asio::any_io_executor executor;
    std::shared_ptr<environment> env;
    job_backend* backend = nullptr;
    corpus_source source;
    row_sink* sink = nullptr;
    std::shared_ptr<bulk_options> options;
    monotonic_time deadline = no_deadline;

    run_parts() = default;

    [[nodiscard]] monotonic_time now() const { return env->now(); }
    /// The time `patience` from now, or the run's deadline if that is earlier.
    [[nodiscard]] monotonic_time within(monotonic_clock::duration patience) const {
        return std::min(deadline, deadline_after(env->now(), patience));
    }
    [[nodiscard]] std::uint64_t rows_per_chunk() const { return backend->rows_per_chunk(); }
};

/// What a run counts for its progress and its report only, except for the jobs that hold submissions.
class run_tally {
public:
    std::uint64_t rows_done = 0;       ///< Rows that came from jobs.
    std::uint64_t rows_withdrawn = 0;  ///< Rows counted as done that were withdrawn.
    std::uint64_t jobs = 0;
    std::uint64_t jobs_unverified = 0;
    std::uint64_t chunks_sampled = 0;
    std::uint64_t jobs_in_flight = 0;
    std::uint64_t jobs_settled = 0;  ///< Jobs that are being fetched or stored.
    std::uint64_t suspects = 0;      ///< Jobs that are asked for again after a look that failed.
    std::vector<job_left> left;
    std::vector<check_count> checks;

    run_tally() = default;
    void count(const std::vector<offline_check>& of_a_job);
};

class run_state {
public:
    /// Maximum age of a journalled intent when its POST is sent; an older intent is journalled again first.
    static constexpr std::chrono::seconds recording_max{5};
    /// Longest wait for the account: enough if the service is well. If it does not respond in time, the counts stay
    /// unknown.
    static constexpr std::chrono::seconds account_patience{60};

    explicit run_state(run_parts called_with);

    /// Takes over what earlier processes of the run have spent and learned.
    void adopt(const prior_run& prior);
    /// Does work on the sink, the reader and the journal; an error of it ends the run.
    asio::awaitable<step> on_disk(disk_work what);
    asio::awaitable<step> record(journal_change change);
    asio::awaitable<step> forget(const batch* item);
    /// Fails rows and records `changes`. Ends the run instead if it is told to.
    asio::awaitable<step> fail_rows(std::vector<failed_row> rows, std::vector<journal_change> changes);
    /// Makes the work that tells the sink that the batch's rows do not come.
    [[nodiscard]] std::function<result<void>()> leaving_out(const batch* item, const error& why) const;
    /// Appends what the run has learned since it was last recorded.
    void note_facts(std::vector<journal_change>& changes);
    /// Tells the sink how large the result will be, once.
    asio::awaitable<step> tell_size(std::uint64_t dimensions);

    /// Waits in a line while `held` returns true, until `until` at the latest. Returns `over` if the caller cancelled
    /// the run meanwhile.
    asio::awaitable<step> wait_in(runtime::wait_queue* line, std::function<bool()> held,
                                  monotonic_time until = no_deadline);
    /// Notes that the first job has shown what it costs, or never will.
    void first_job_shown();
    /// Notes that a job was bought and gave no usable rows.
    void job_was_bad(const error& why);
    /// Pauses before a job is asked for again. A stop ends the pause if the service cannot be reached.
    asio::awaitable<step> pause_before_asking(monotonic_time until, errc why);

    [[nodiscard]] policy::packing_limits packing() const;
    [[nodiscard]] intent_times times() const;
    /// Makes the entry of a batch in doubt, which is resubmitted if the budget covers that.
    [[nodiscard]] unknown_batch entry_of(const batch& item, const error& why);

    run_parts parts;
    run_lines lines;
    run_end end;
    run_tally tally;

    chunk_budget budget;
    charge_evidence charges;
    submission_outage outage;
    in_doubt_batches in_doubt;
    run_model model;
    first_job first;
    job_registry jobs;
    job_streak streak;
    policy::packing_limits limits;
    std::optional<std::uint64_t> rows_total;
    std::uint64_t next_batch = 0;       ///< The number of the next batch that is about to be sent.
    std::uint64_t storing_at_once = 0;  ///< 0 if no connection can be spared for it.
    std::string waits_for_quota;        ///< The name of that quota for people.

    saved_rows saved;
    feed fed;  ///< It stands between the source and the reader.
    batch_reader reader;
    reader_counts counted;  ///< The state after the last work on the worker thread, which alone touches the reader.

private:
    disk_queue disk_;
    run_facts recorded_;
};

}  // namespace vembed::bulk
