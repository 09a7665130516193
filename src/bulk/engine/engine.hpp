#pragma once
/// One bulk run under way: the state its coroutines share, confined to the client's executor.

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <vembed/bulk/options.hpp>
#include <vembed/bulk/sink.hpp>
#include <vembed/core/result.hpp>
#include <vembed/corpus/source.hpp>
#include <vembed/runtime/environment.hpp>

#include "bulk/batches/batch_reader.hpp"
#include "bulk/batches/feed.hpp"
#include "bulk/batches/saved_rows.hpp"
#include "bulk/engine/disk_queue.hpp"
#include "bulk/engine/job_patience.hpp"
#include "bulk/engine/pipeline.hpp"
#include "bulk/engine/rate_window.hpp"
#include "bulk/job_backend.hpp"
#include "policy/quota/reconcile.hpp"
#include "runtime/semaphore.hpp"
#include "runtime/task_group.hpp"
#include "runtime/wait_queue.hpp"

namespace vembed::bulk {

/// A batch whose submission was never answered and whose texts are at hand still.
class parked_batch {
public:
    std::size_t place = 0;  ///< In bulk_report::unknown.
    batch rows;

    parked_batch() = default;
};

/// What a worker holds for the batch it sees through: a place in flight until its job is settled, then one to fetch and
/// store what the job brought.
class job_place {
public:
    runtime::semaphore::permit in_flight;
    runtime::semaphore::permit storing;

    job_place() = default;
};

/// The batch that an accepted job is for.
class job_owner {
public:
    /// What the journal has of that batch, once what was queued for it is done.
    enum class standing : std::uint8_t {
        none,     ///< Nothing.
        held,     ///< Accepted or done.
        doubted,  ///< Unknown: the service gave the job's id to another submission too.
    };

    std::uint64_t batch = 0;
    standing journalled = standing::none;
    bool stored = false;       ///< Its rows are written.
    bool ended = false;        ///< It is asked for no longer.
    bool proved = false;       ///< Its receipt's inputs_root was seen to be that of its texts.
    bool disputed = false;     ///< The service gave its id to another submission too.
    row_ranges rows;           ///< That are written, where no journal knows them.
    std::vector<digest> keys;  ///< Of those in the cache, where nothing proves them and the sink does not know them.

    job_owner() = default;
};

/// What is known of the rows of a job that is done.
class stored_rows {
public:
    std::vector<std::uint64_t> indices;
    std::uint64_t chunks = 0;          ///< That their job was charged.
    std::vector<input_digests> texts;  ///< Empty where the sink does not keep them.

    stored_rows() = default;
};

/// One of a number of jobs.
class counted_job {
public:
    explicit counted_job(std::uint64_t& in) : in_(&in) { ++*in_; }
    ~counted_job() { leave(); }
    counted_job(const counted_job&) = delete;
    counted_job& operator=(const counted_job&) = delete;
    void leave() noexcept {
        if (in_ != nullptr) {
            --*std::exchange(in_, nullptr);
        }
    }

private:
    std::uint64_t* in_;
};

/// Of a job's looks: what the last one showed, and what follows where they brought no rows.
class job_looks {
public:
    std::vector<offline_check> checks;
    verify_level level = verify_level::none;  ///< That the last one asked for.
    job_reaction reaction = job_reaction::leave;
    std::optional<counted_job> settled;  ///< It is being fetched, or stored.
    std::optional<counted_job> suspect;  ///< It is asked for again after a look that nothing on the way explains.

    job_looks() = default;
};

class engine : public std::enable_shared_from_this<engine> {
public:
    /// A place in the line of those who try a service that does not answer, one at a time.
    using trial = std::optional<runtime::wait_queue::place>;

    engine(asio::any_io_executor executor, std::shared_ptr<environment> env, job_backend* backend, corpus_source source,
           row_sink* sink, std::shared_ptr<bulk_options> options, monotonic_time deadline);

    asio::awaitable<result<bulk_report>> run();

private:
    class intent;

    /// A batch is sent within that time of the moment its intent bears, or the intent is recorded anew.
    static constexpr std::chrono::seconds recording_max{5};
    /// To read the account: enough for a service that is well; one that is not leaves the counts unknown.
    static constexpr std::chrono::seconds account_patience{60};
    /// Submissions without an answer, one after the other: it is not chance.
    static constexpr std::uint32_t unanswered_in_a_row_max = 3;

    /// Why no more batches are taken.
    void stop(stop_reason reason, std::string why, std::optional<std::chrono::seconds> resume_after = std::nullopt);
    void give_up(const failure& f);
    void wake_all();
    [[nodiscard]] bool asked_to_stop() const noexcept { return stopped_ && report_.reason == stop_reason::stopped; }
    [[nodiscard]] bool stopping() const noexcept { return stopped_ || fatal_; }

    // Preparing (engine_prior.cpp).
    asio::awaitable<result<void>> prepare();
    asio::awaitable<result<prior_run>> open_journal();
    asio::awaitable<void> learn_limits_into(result<void>* outcome);
    asio::awaitable<result<void>> learn_limits_until_stopped();
    asio::awaitable<result<void>> learn_limits();
    void expect_chunk_size(const job_limits& allowed);
    asio::awaitable<void> take_baseline(const prior_run* prior);
    asio::awaitable<bool> tell_size(std::uint64_t dimensions);
    asio::awaitable<result<void>> adopt(prior_run prior);
    asio::awaitable<result<void>> open_aids();
    [[nodiscard]] result<std::vector<digest>> keys_of(const std::vector<std::uint64_t>& rows);
    [[nodiscard]] policy::unknown_verdict judge_prior(const prior_run& prior) const;

    // Workers: each takes a batch, sees it through, takes the next.
    asio::awaitable<void> work();
    asio::awaitable<void> run_workers();
    asio::awaitable<void> watch_deadline(runtime::task_group* workers);
    /// Ends the run where the caller cancelled it: whoever goes on only tidies up.
    asio::awaitable<bool> cancelled();
    static failure run_cancelled();
    asio::awaitable<std::optional<batch>> take();
    asio::awaitable<void> see_through(batch first, job_place* place);
    asio::awaitable<void> see_through_one(batch* item, std::deque<batch>* todo, job_place* place);
    asio::awaitable<void> await_reading_turn();
    asio::awaitable<void> read_ahead();
    asio::awaitable<bool> fill_feed();
    asio::awaitable<bool> fill_from_rows();
    result<void> read_part(monotonic_time until);

    // Submitting (engine_jobs.cpp).
    [[nodiscard]] policy::packing_limits packing() const;
    asio::awaitable<bool> submit(batch* item, std::deque<batch>* todo);
    asio::awaitable<bool> fit(batch* item, std::deque<batch>* todo);
    [[nodiscard]] bool may_go(intent* own) const;
    asio::awaitable<result<void>> intend(batch* item, intent* own);
    asio::awaitable<result<void>> take_back(batch* item);
    asio::awaitable<void> put_off(batch* item, std::deque<batch>* todo);
    void cut(batch* item, std::uint64_t rows, std::deque<batch>* todo);
    [[nodiscard]] std::uint64_t chunks_spoken_for() const noexcept;
    [[nodiscard]] std::uint64_t rows_in_budget(std::uint64_t rows) const;
    void warn_of_part_of_chunk(std::uint64_t rows);
    [[nodiscard]] std::string explain_budget() const;
    asio::awaitable<void> learn_from_first(const batch* item);
    void first_job_shown();
    asio::awaitable<bool> accepted(batch* item, submitted_job job);
    asio::awaitable<void> refused(batch* item, failure why, std::deque<batch>* todo);
    asio::awaitable<void> quota_used_up(batch* item, failure why, std::deque<batch>* todo);
    bool may_narrow(std::size_t rows, std::size_t half);
    asio::awaitable<void> split(batch* item, failure why, std::deque<batch>* todo);
    bool may_resubmit(std::uint64_t chunks) noexcept;
    unknown_batch unknown_of(const batch& item, const failure& why);
    asio::awaitable<void> park(batch* item, failure why, std::deque<batch>* todo);

    // Submissions that were never answered (engine_unknown.cpp).
    asio::awaitable<bool> await_trial(trial* own);
    asio::awaitable<bool> service_speaks();
    void service_was_silent(bool tried, const failure& why);
    void service_answered();
    /// Nothing but one trial at a time is sent: what was sent last was never answered.
    [[nodiscard]] bool in_outage() const noexcept { return unanswered_in_a_row_ >= unanswered_in_a_row_max; }
    asio::awaitable<void> settle_unknown();
    asio::awaitable<void> await_decision();
    [[nodiscard]] std::string why_undecidable() const;
    [[nodiscard]] std::optional<std::chrono::seconds> decidable_in() const;
    asio::awaitable<policy::unknown_verdict> judge_unknown_now();
    asio::awaitable<void> release_uncharged();
    asio::awaitable<void> resubmit_parked();
    [[nodiscard]] std::optional<policy::account_count> baseline() const;
    [[nodiscard]] std::chrono::seconds charges_made_after() const;
    [[nodiscard]] bool charges_are_made(monotonic_time last_sent, bool jobs_in_flight) const;
    [[nodiscard]] monotonic_time last_charge_from() const { return std::max(last_unknown_at_, last_accepted_at_); }
    [[nodiscard]] monotonic_time written_by(const journalled_batch& left) const;
    void keep_parked(std::size_t place, const batch& item);

    // One id for two submissions (engine_disputes.cpp).
    static bool inputs_are_proved(const std::vector<offline_check>& checks);
    void own_job(const journalled_batch& of);
    asio::awaitable<void> settle_prior_disputes();
    job_owner* owner_of(const batch& item);
    void leaves_journal(const batch& item);
    void withdraw_left(const std::string& job_id);
    void report_in_doubt(std::uint64_t number, const std::vector<std::uint64_t>& rows, const failure& why);
    asio::awaitable<void> dispute(batch* item, std::string job_id, std::deque<batch>* todo);
    [[nodiscard]] bool is_disputed(const batch& item) const;
    [[nodiscard]] std::vector<journal_change> completion_of(batch* item, std::uint64_t chunks_shown);
    asio::awaitable<void> note_stored(batch* item, bool proved);
    asio::awaitable<void> settle_dispute(const std::string* job_id, job_owner* owner);
    asio::awaitable<bool> prove_inputs(const std::string* job_id, const stored_rows* rows);
    result<void> look_up(const job_owner& owner, stored_rows* found);
    asio::awaitable<void> withdraw(const std::string* job_id, job_owner* owner, const stored_rows* rows);
    asio::awaitable<void> park_disputed(batch* item, failure why, std::vector<journal_change> changes,
                                        std::deque<batch>* todo);
    asio::awaitable<void> doubt(batch* item, std::deque<batch>* todo);

    // After acceptance (engine_results.cpp).
    asio::awaitable<void> settle_and_store(batch* item, std::deque<batch>* todo, job_place* place);
    asio::awaitable<result<fetched_job>> settle_and_fetch(const batch* item, job_place* place, job_looks* looks);
    [[nodiscard]] job_standing standing_of(const batch& item) const;
    asio::awaitable<result<fetched_job>> look_at(const batch* item, job_place* place, job_looks* looks,
                                                 look_stage* reached);
    asio::awaitable<void> make_way(job_place* place);
    void end_watch(const batch& item);
    asio::awaitable<bool> await_suspects();
    asio::awaitable<bool> pause_before_asking(monotonic_time until, errc why);
    asio::awaitable<void> store(batch* item, fetched_job fetched, bool proved, std::deque<batch>* todo);
    void pin_cached();
    bool same_model(const fetched_job& fetched);
    result<void> write(const batch& item, const fetched_job& fetched);
    asio::awaitable<void> came_to_nothing(batch* item, failure why, job_reaction reaction, std::deque<batch>* todo);
    asio::awaitable<void> leave(const batch* item, failure why, bool at_fault);
    void job_was_bad(const failure& why);
    asio::awaitable<void> refunded(batch* item, failure why, std::deque<batch>* todo);
    asio::awaitable<void> narrow(batch* item, failure why, std::deque<batch>* todo);
    void narrow_rows(const batch& item, std::size_t first, std::size_t last, failure why, std::deque<batch>& again,
                     std::vector<failed_row>& lost);
    /// False where the run ends instead.
    asio::awaitable<bool> fail_job(const batch* item, std::vector<failed_row> rows, std::uint64_t chunks_charged);
    asio::awaitable<void> fail_whole(const batch* item, failure why, std::uint64_t chunks_charged);
    asio::awaitable<bool> fail_rows(std::vector<failed_row> rows, std::vector<journal_change> changes);

    // What is on disk.
    /// Work on the sink, the reader and the journal; a failure of it ends the run.
    asio::awaitable<bool> on_disk(disk_work what);
    asio::awaitable<bool> record(journal_change change);
    asio::awaitable<bool> forget(const batch* item, std::uint64_t chunks_charged = 0);
    /// Appends what the run has learned since it was last recorded.
    void note_facts(std::vector<journal_change>& changes);

    // Telling (engine_report.cpp).
    asio::awaitable<void> tell_progress();
    progress measure();
    void estimate_finish(progress& seen) const;
    asio::awaitable<void> settle_duplicates();
    asio::awaitable<result<bulk_report>> conclude();
    void fill_report();
    void count(const std::vector<offline_check>& checks);
    void explain();

    asio::any_io_executor executor_;
    std::shared_ptr<environment> env_;
    job_backend* backend_;
    corpus_source source_;
    feed feed_;  ///< Between the source and the reader.
    row_sink* sink_;
    std::shared_ptr<bulk_options> options_;
    run_journal* journal_;
    monotonic_time deadline_;
    monotonic_time began_;
    disk_queue disk_;
    saved_rows saved_;
    batch_reader reader_;
    reader_counts counted_;  ///< As of the last work on the worker thread, which alone touches the reader.
    policy::packing_limits limits_;

    runtime::semaphore in_flight_;               ///< As many as jobs may be in flight.
    std::optional<runtime::semaphore> storing_;  ///< Absent where no connection could be spared for it.
    std::uint64_t storing_at_once_ = 0;
    runtime::wait_queue reading_;    ///< Who may read the source: the first in line.
    std::deque<batch> read_;         ///< For those who wait in that line.
    bool all_read_ = false;          ///< Nothing comes after those.
    runtime::wait_queue first_job_;  ///< Waits until the first job has shown what a job costs.
    runtime::wait_queue budget_;     ///< Waits until a submission under way has shown what it leaves of the budget.
    runtime::wait_queue quota_;      ///< Waits until a used-up quota comes back.
    runtime::wait_queue outage_;     ///< Waits until the service answers again; the first in line tries.
    runtime::wait_queue asking_;     ///< Pauses before a job is asked for again.
    runtime::wait_queue suspicion_;  ///< Waits until jobs whose looks failed have brought rows or not.
    bool first_job_under_way_ = false;
    bool first_job_done_ = false;
    std::string waits_for_quota_;  ///< Which one, as people read it.
    monotonic_time quota_back_at_{};

    std::optional<policy::account_count> account_now_;  ///< As the run began.
    run_facts facts_;
    run_facts recorded_facts_;
    std::uint64_t chunks_charged_before_ = 0;  ///< By earlier processes of the run.
    std::uint64_t chunks_submitting_ = 0;      ///< Of submissions that are not answered yet, at most.
    std::uint64_t chunks_unknown_ = 0;         ///< Of submissions that were never answered, at most.
    monotonic_time last_unknown_at_{};         ///< Nothing of those was written later.
    monotonic_time last_accepted_at_{};        ///< Of the run's jobs: a late charge of it could hide another one.
    std::uint32_t unanswered_in_a_row_ = 0;    ///< With nothing accepted in between.
    std::uint32_t trials_in_vain_ = 0;         ///< Since the outage began.
    monotonic_time next_trial_at_{};
    std::uint64_t next_batch_ = 0;
    std::map<std::string, job_owner, std::less<>> jobs_;  ///< Every job of the run, by its id.
    /// Of ids that the journal has for two batches, the second ones. Not added to once they are settled.
    std::vector<std::pair<std::string, job_owner>> disputed_before_;
    std::uint64_t jobs_in_flight_ = 0;
    std::uint64_t jobs_settled_ = 0;       ///< That are being fetched or stored.
    std::uint64_t suspects_ = 0;           ///< That are asked for again after a look that failed.
    std::uint64_t bad_jobs_in_a_row_ = 0;  ///< With no rows of any job stored in between.
    std::uint64_t rows_parked_ = 0;
    std::uint64_t rows_released_ =
        0;  ///< Of those, certainly not bought: left to the next run, which reads them again.
    std::deque<parked_batch> parked_;  ///< As far as their texts may be kept.
    std::uint64_t parked_bytes_ = 0;
    std::uint64_t rows_refused_in_a_row_ = 0;
    std::uint64_t narrowing_chunks_planned_ = 0;
    std::uint64_t rows_done_now_ = 0;   ///< By jobs.
    std::uint64_t rows_withdrawn_ = 0;  ///< Of the rows counted as done.
    std::optional<std::uint64_t> rows_total_;
    std::uint64_t dimensions_expected_ = 0;  ///< Before the first job's output; 0: not known.
    bool size_told_ = false;                 ///< To the sink.
    std::vector<std::vector<float>> spare_values_;
    rate_window rate_;
    progress gate_before_;  ///< What the account's gate had seen before this run.
    bulk_report report_;
    bool stopped_ = false;
    std::optional<failure> fatal_;
    std::string stop_message_;
};

}  // namespace vembed::bulk
