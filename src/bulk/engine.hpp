#pragma once
/// One bulk run under way: the state its coroutines share, confined to the client's executor.

#include <deque>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <vembed/bulk/options.hpp>
#include <vembed/bulk/sink.hpp>
#include <vembed/bulk/source.hpp>
#include <vembed/core/result.hpp>
#include <vembed/runtime/environment.hpp>

#include "bulk/batch_reader.hpp"
#include "bulk/job_backend.hpp"
#include "bulk/rate_window.hpp"
#include "runtime/task_group.hpp"
#include "runtime/wait_queue.hpp"

namespace vembed::bulk {

class engine : public std::enable_shared_from_this<engine> {
public:
    engine(asio::any_io_executor executor, std::shared_ptr<environment> env, job_backend* backend, row_source* source,
           row_sink* sink, std::shared_ptr<bulk_options> options, monotonic_time deadline);

    asio::awaitable<result<bulk_report>> run();

private:
    /// Why no more batches are taken.
    void stop(stop_reason reason, std::string why, std::optional<std::chrono::seconds> resume_after = std::nullopt);
    void give_up(const failure& f);
    [[nodiscard]] bool stopping() const noexcept { return stopped_ || fatal_; }

    // Preparing.
    asio::awaitable<result<void>> open_journal();
    asio::awaitable<result<void>> adopt(prior_run prior);
    bool may_resubmit(std::uint64_t chunks) noexcept;

    // Workers: each takes a batch, sees it through, takes the next.
    asio::awaitable<void> work();
    /// Ends the run where the caller cancelled it: whoever goes on only tidies up.
    asio::awaitable<bool> cancelled();
    asio::awaitable<std::optional<batch>> take();
    asio::awaitable<void> see_through(batch first);
    asio::awaitable<void> see_through_one(batch* item, std::deque<batch>* todo);

    // Submitting.
    asio::awaitable<bool> submit(batch* item, std::deque<batch>* todo);
    asio::awaitable<bool> fit(batch* item, std::deque<batch>* todo);
    void cut(batch* item, std::uint64_t rows, std::deque<batch>* todo);
    [[nodiscard]] std::uint64_t rows_in_a_job(std::uint64_t rows) const;
    [[nodiscard]] std::uint64_t rows_in_budget(std::uint64_t rows) const;
    void first_job_shown();
    asio::awaitable<result<void>> record_intent(batch* item, std::uint64_t chunks);
    asio::awaitable<bool> accepted(batch* item, submitted_job job);
    asio::awaitable<void> refused(batch* item, failure why, std::deque<batch>* todo);
    asio::awaitable<void> park(batch* item, failure why, std::deque<batch>* todo);
    asio::awaitable<void> reconsider_set_aside();
    asio::awaitable<void> split(batch* item, failure why, std::deque<batch>* todo);

    // After acceptance.
    asio::awaitable<void> settle_and_store(batch* item, std::deque<batch>* todo);
    asio::awaitable<result<fetched_job>> settle_and_fetch(const batch* item);
    asio::awaitable<void> store(batch* item, fetched_job fetched);
    asio::awaitable<void> came_to_nothing(batch* item, failure why, std::deque<batch>* todo);
    asio::awaitable<void> resubmit_good_rows(batch* item, failure why, std::deque<batch>* todo);
    asio::awaitable<void> fail_rows(const batch* item, std::size_t first, std::size_t last, failure why);
    asio::awaitable<void> forget(const batch* item);

    /// Runs `work` on the worker thread; a failure of it ends the run.
    asio::awaitable<bool> on_disk(std::function<result<void>()> work);

    // Telling.
    asio::awaitable<void> tell_progress();
    progress measure();
    asio::awaitable<result<bulk_report>> conclude();
    void explain();

    asio::any_io_executor executor_;
    std::shared_ptr<environment> env_;
    job_backend* backend_;
    row_sink* sink_;
    std::shared_ptr<bulk_options> options_;
    run_journal* journal_;
    monotonic_time deadline_;
    monotonic_time began_;
    batch_reader reader_;
    batch_limits limits_;
    runtime::wait_queue reading_;    ///< Who may read the source: the first in line.
    runtime::wait_queue first_job_;  ///< Waits until the first job has shown what a job costs.
    runtime::wait_queue budget_;     ///< Waits until a submission under way has shown what it leaves of the budget.
    reader_counts counted_;          ///< As of the last work on the worker thread, which alone touches the reader.
    bool first_job_under_way_ = false;
    bool first_job_done_ = false;
    std::optional<std::uint64_t> max_chunks_per_job_;
    std::uint64_t chunks_submitting_ = 0;  ///< Of submissions that are not answered yet, at most.
    std::uint64_t chunks_unknown_ = 0;     ///< Of submissions that were never answered, at most.
    std::uint64_t next_batch_ = 0;
    std::uint64_t jobs_in_flight_ = 0;
    std::uint64_t jobs_left_ = 0;  ///< Accepted, and left to a later run.
    std::uint64_t rows_parked_ = 0;
    std::deque<std::pair<std::size_t, batch>> set_aside_;  ///< Parked in this run, by place in report_.unknown.
    std::uint64_t rows_refused_in_a_row_ = 0;
    std::uint64_t rows_done_now_ = 0;
    std::optional<std::uint64_t> rows_total_;
    std::vector<std::vector<float>> spare_values_;
    rate_window rate_;
    progress gate_before_;  ///< What the account's gate had seen before this run.
    bulk_report report_;
    bool stopped_ = false;
    std::optional<failure> fatal_;
    std::string stop_message_;
};

}  // namespace vembed::bulk
