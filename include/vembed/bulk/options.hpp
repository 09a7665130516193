#pragma once
/// @file
/// What a bulk run is told, what it tells while it runs, and what it reports at its end.

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <vembed/core/error.hpp>
#include <vembed/core/quota.hpp>
#include <vembed/core/row_ranges.hpp>
#include <vembed/journal/journal.hpp>
#include <vembed/verify/offline_check.hpp>
#include <vembed/verify/pins.hpp>
#include <vembed/verify/verify_level.hpp>

namespace vembed {

class row_cache;

/// What to do about a batch in doubt: its submission was sent but had no usable response.
enum class unknown_policy : std::uint8_t {
    park,      ///< Leave its rows out and name it in the report: it may have been charged.
    resubmit,  ///< Submit it again, for at most max_extra_chunks in the whole run.
};

enum class error_policy : std::uint8_t { stop, skip };

class progress {
public:
    std::uint64_t rows_done = 0;
    std::uint64_t rows_failed = 0;
    std::uint64_t rows_blank = 0;             ///< Blank lines that keep their place; not among the failed ones.
    std::uint64_t rows_read = 0;              ///< Rows taken from the source so far.
    std::optional<std::uint64_t> rows_total;  ///< Known once the source has ended, or from its size_hint().
    std::uint64_t jobs_in_flight = 0;
    std::uint64_t jobs_done = 0;
    std::uint64_t batches_unknown = 0;
    std::uint64_t chunks_used = 0;
    std::uint64_t rows_duplicate = 0;  ///< Rows whose text an earlier row has; they cost nothing.
    std::uint64_t rows_cached = 0;     ///< Rows served from the cache folder.
    quota_state quota;
    std::uint64_t pauses = 0;  ///< Times the account's gate was closed by the service.
    std::chrono::milliseconds paused{0};
    std::chrono::milliseconds elapsed{0};
    double rows_per_second = 0;  ///< Over a recent window.
    std::string limited_by;      ///< What holds the run back now: "", "chunks a minute", "jobs in flight", …
    /// For how long no request has had a response, if tries in a row failed for that reason; empty: the service
    /// responds.
    std::optional<std::chrono::milliseconds> unreachable_for;
    std::string unreachable_reason;  ///< How the last failed try ended, in a few words, e.g. "Connection refused".
    std::optional<std::chrono::seconds> time_left;  ///< Until every row is done, as far as can be told.
    std::string finish_bound;                       ///< The limit that decides time_left; empty: the service's speed.
    std::optional<std::chrono::seconds> tier_left;  ///< Until the account's trial ends; empty: it has no such end.
    /// About how many rows the limits do not allow to be bought before the trial ends.
    std::uint64_t rows_beyond_tier = 0;

    progress() = default;
};

class bulk_options {
public:
    std::string model;                  ///< Current form; exactly one of model and spec_yaml is set.
    std::string spec_yaml;              ///< Older form.
    std::uint32_t rows_per_job = 1000;  ///< A maximum; the account's max_inputs and max_chunks_per_request lower it.
    std::uint64_t max_job_bytes = 8u << 20;  ///< Text bytes of one job, at most (one longer text still goes alone).
    std::uint32_t jobs_in_flight = 8;        ///< At most, 1 to jobs_in_flight_max (0 is 1, more is invalid_argument);
                                             ///< the gate may allow fewer. Each takes a connection and a coroutine.
    static constexpr std::uint32_t jobs_in_flight_max = 10'000;
    verify_level verify = verify_level::receipt;
    unknown_policy on_unknown = unknown_policy::park;
    std::uint64_t max_extra_chunks = 0;  ///< Budget of unknown_policy::resubmit, for all processes of the run together.
    /// A job that failed is narrowed down to the rows at fault by submitting parts of it again, at most at this price
    /// in chunks for this call; beyond it the rows still in question fail together.
    std::uint64_t max_narrowing_chunks = 128;
    error_policy on_error = error_policy::skip;
    /// The most chunks that the whole run may use: earlier calls in the journal count, and batches in doubt count as
    /// used.
    std::optional<std::uint64_t> max_chunks;
    /// The number of rows in a chunk, if the caller knows it; 0: the first job shows it. What jobs show takes
    /// precedence; with max_chunks, so does a smaller size that earlier jobs showed (the run's, or others recorded in
    /// client_options::quota_folder).
    std::uint64_t rows_per_chunk = 0;
    /// True: nobody else uses the account, with this key or another. False: the account's count decides about batches
    /// in doubt only if /account shows that no other key was used meanwhile.
    bool sole_use = false;
    /// How long a submission without a response may take to show in the account's count. Before that, nothing is
    /// decided.
    std::chrono::seconds arrival_wait{120};
    bool wait_unanswered = false;  ///< Wait for arrival_wait at the end of the call if the count can decide then.
    /// Rows with the same text are bought once, and the values are copied to the others. This needs a sink that can
    /// copy rows, and files without names in $TMPDIR (else /var/tmp): about 50 to 100 bytes a row.
    bool deduplicate = true;
    /// Rows bought by earlier runs; null: none. Must outlive the run. With a sink that keeps no digests of its texts, a
    /// run below verify_level::offline holds 32 bytes a row that it buys.
    row_cache* cache = nullptr;
    /// If the day's or the period's quota is used up, wait for it to come back instead of ending the run.
    bool wait_for_quota = false;
    std::chrono::seconds job_timeout{600};  ///< From submit to a final state.
    /// For how long a service may not know a job that it accepted itself (404, 409, results without rows, a proxy's
    /// page) before the job is left to a later run. Never a reason to buy anything again in the run that submitted it.
    std::chrono::seconds visible_within{30};
    std::function<void(const progress&)> on_progress;  ///< On the client's executor, at most every progress_interval.
    std::chrono::milliseconds progress_interval{250};
    run_journal* journal = nullptr;  ///< Remembers the run across processes; null: nothing does. Must outlive the run.
    run_identity identity;           ///< For the journal. Empty service, model and spec_sha256 are filled in.
    std::stop_token stop;  ///< Submit nothing more, finish what is in flight, then report. call_options::stop cancels.

    bulk_options() = default;
};

/// What became of one batch in doubt.
class unknown_batch {
public:
    std::uint64_t batch = 0;
    /// Not empty: it was accepted as this job, which the service no longer knows or has given to two submissions.
    std::string job_id;
    std::vector<std::uint64_t> rows;  ///< Corpus rows, ascending.
    std::uint64_t chunks_estimated = 0;
    bool resubmitted = false;  ///< Its rows were submitted again at the user's risk, counted in extra_chunks.
    bool not_charged = false;  ///< The account's count shows that it never became a job: its rows are bought again.
    bool probably_charged = false;  ///< The account's count shows its chunks, unless somebody else used the account.
    std::string reason;

    unknown_batch() = default;
};

/// An accepted job whose rows did not come in this call. It stays in the journal: the next run asks for it again.
class job_left {
public:
    std::uint64_t batch = 0;
    std::string job_id;
    row_ranges rows;            ///< Corpus rows.
    bool at_fault = false;      ///< The service's responses about it were wrong. False: it did not come in time.
    bool check_failed = false;  ///< With at_fault: a check of its proof failed (verification_failed).
    std::string reason;

    job_left() = default;
};

/// Why a run ended before every row was done.
enum class stop_reason : std::uint8_t {
    complete,        ///< It did not end early: every row was written or failed.
    stopped,         ///< options.stop was requested.
    quota,           ///< The day's or the period's quota is used up; see resume_after.
    parked_batches,  ///< Everything else is done; some batches are in doubt.
    service_busy,    ///< The service kept refusing, did not respond or could not be reached; see resume_after.
    chunk_budget,    ///< options.max_chunks allows no further job.
    faulty_jobs,     ///< Everything else is done; the service's responses about some jobs were wrong. See jobs_left.
};

std::string_view to_string(stop_reason reason) noexcept;

/// How one check of the jobs' proofs came out in this call, job by job.
class check_count {
public:
    std::string name;  ///< One of offline_check_names, or "service_check": the service's own check of its receipt.
    std::uint64_t verified = 0;
    std::uint64_t failed = 0;
    std::uint64_t not_checkable = 0;
    /// offline_check::basis_text() of the last check that was not not_checkable; empty: there was none.
    std::string basis;
    /// The reason of the first check that failed, else of the first that was not checkable; empty: there was none.
    std::string reason;

    check_count() = default;
};

class bulk_report {
public:
    stop_reason reason = stop_reason::complete;
    std::uint64_t rows_total = 0;  ///< Rows of the corpus if it ended or told its size; else rows read.
    std::uint64_t rows_done = 0;   ///< Including those done by earlier processes of the same run.
    std::uint64_t rows_done_before = 0;
    std::uint64_t rows_failed = 0;
    std::uint64_t rows_blank = 0;  ///< Blank lines that keep their place, without values; not among the failed ones.
    /// Jobs with a check that failed, ten minutes after submission; before that they are in jobs_left. Their rows
    /// failed.
    std::uint64_t jobs_unverified = 0;
    std::uint64_t dimensions = 0;
    std::string spec_hash;  ///< The receipts' spec_hash; empty if none was fetched.
    /// The checks that options.verify asked for. Origin is none of them: it is never checkable.
    std::vector<check_count> checks;
    std::string account_id;  ///< Empty if /account was not read.
    account_pins pins;       ///< What the account's receipts were seen to follow.
    std::uint64_t jobs = 0;
    std::uint64_t chunks_used = 0;
    std::uint64_t chunks_sampled = 0;    ///< Used chunks that the service re-executed (selected_for_verification).
    std::uint64_t extra_chunks = 0;      ///< Used by resubmitting batches in doubt, by earlier processes too.
    std::uint64_t narrowing_chunks = 0;  ///< Used to find the rows that made jobs fail.
    std::uint64_t rows_duplicate = 0;    ///< Rows that got the values of an earlier row with the same text.
    std::uint64_t rows_cached = 0;       ///< Rows served from the cache.
    std::string cache_trouble;           ///< Why the cache was not used to the end; empty if it was.
    std::uint64_t rows_per_chunk = 0;    ///< As the service's responses showed; 0: not known.
    std::uint64_t chunks_naive = 0;      ///< What every row of the corpus, cut into jobs of rows_per_job, would cost.
    std::vector<unknown_batch> unknown;
    std::vector<job_left> jobs_left;
    std::chrono::milliseconds elapsed{0};
    std::uint64_t pauses = 0;
    std::chrono::milliseconds paused{0};
    std::optional<std::chrono::seconds> tier_left;  ///< Until the account's trial ends; empty: it has no such end.
    /// About how many of the rows not done cannot be bought before the trial ends.
    std::uint64_t rows_beyond_tier = 0;
    std::optional<std::chrono::seconds> resume_after;  ///< With quota and service_busy: how long to wait, if told.
    std::string message;                               ///< One line for people.

    bulk_report() = default;
};

}  // namespace vembed
