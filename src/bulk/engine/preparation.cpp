#include "bulk/engine/preparation.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <vembed/verify/sha256.hpp>

#include "core/row_ranges.hpp"
#include "policy/packing/learned_chunk_size.hpp"
#include "runtime/task_group.hpp"

namespace vembed::bulk {
namespace {

// Fetching and storing takes a small part of a job's time; each slot costs the memory of an output.
std::uint64_t storing_slots(std::uint64_t jobs_in_flight, std::uint64_t rows_per_job) noexcept {
    constexpr std::uint64_t rows_at_once = 4000;
    constexpr std::uint64_t least = 4;
    return std::clamp(rows_at_once / rows_per_job, least, std::max(least, jobs_in_flight));
}

}  // namespace

void run_preparation::identify() {
    bulk_options& options = *run_->parts.options;
    if (options.identity.model.empty() && options.identity.spec_sha256.empty()) {
        options.identity.model = options.model;
        if (!options.spec_yaml.empty()) {
            options.identity.spec_sha256 = to_hex(sha256_of(options.spec_yaml));
        }
    }
}

asio::awaitable<result<void>> run_preparation::prepare() {
    identify();
    result<prior_run> prior = co_await open_journal();
    if (!prior) {
        co_return prior.error();
    }
    const result<void> limited = co_await learn_limits_until_stopped();
    if (!limited) {
        co_return limited.error();
    }
    const step fits = co_await run_->tell_size(run_->model.dimensions_expected());
    if (fits == step::over) {
        co_return *run_->end.fatal();
    }
    co_await take_baseline(&*prior);
    const result<void> opened = co_await open_aids();
    if (!opened) {
        co_return opened.error();
    }
    co_return co_await adopt(std::move(*prior));
}

asio::awaitable<result<prior_run>> run_preparation::open_journal() {
    prior_run prior;
    const bulk_options& options = *run_->parts.options;
    if (options.journal == nullptr) {
        co_return prior;
    }
    const intent_times times = run_->times();
    disk_work open;
    open.work = [this, &prior, &options, &times]() -> result<void> {
        prior_visitor visitor;
        visitor.done = [this, &times](const journalled_batch& done) -> result<void> {
            run_->reader.skip_done(done.rows);
            run_->jobs.adopt(done);
            run_->charges.job_accepted(times.written_by(done));
            return {};
        };
        visitor.failed = [this](std::uint64_t first, std::uint64_t last) -> result<void> {
            run_->reader.skip_failed(first, last);
            return {};
        };
        auto opened = options.journal->open(options.identity, visitor);
        if (!opened) {
            return opened.error();
        }
        prior = std::move(*opened);
        return {};
    };
    const step opened = co_await run_->on_disk(std::move(open));
    if (opened == step::over) {
        co_return *run_->end.fatal();
    }
    run_->adopt(prior);
    rows_per_chunk_before_ = prior.facts.rows_per_chunk;
    co_return prior;
}

asio::awaitable<void> run_preparation::learn_limits_into(result<void>* outcome) {
    *outcome = co_await learn_limits();
}

// Nothing is under way yet, so a stop need not wait for a service that may not even be found.
asio::awaitable<result<void>> run_preparation::learn_limits_until_stopped() {
    const run_parts& parts = run_->parts;
    result<void> outcome = error(errc::cancelled, "stopped while the account's limits were read");
    const auto asking = std::make_shared<runtime::task_group>(parts.executor, parts.env);
    asking->spawn(learn_limits_into(&outcome));
    std::optional<stop_listener> listener;
    if (!parts.options->stop.stop_requested()) {
        std::function<void()> give_up = [weak = std::weak_ptr(asking)] {
            if (const auto still = weak.lock()) {
                still->cancel();
            }
        };
        listener.emplace(parts.options->stop, parts.executor, std::move(give_up));
    }
    const bool undisturbed = co_await asking->join();
    if (!undisturbed) {
        co_return error(errc::cancelled, "cancelled while the account's limits were read");
    }
    co_return outcome;
}

asio::awaitable<result<void>> run_preparation::learn_limits() {
    const run_parts& parts = run_->parts;
    const result<job_limits> allowed = co_await parts.backend->limits(parts.deadline);
    if (!allowed) {
        co_return allowed.error();
    }
    run_->limits.rows = std::clamp<std::uint64_t>(parts.options->rows_per_job, 1, allowed->max_inputs);
    run_->limits.bytes = std::max<std::uint64_t>(parts.options->max_job_bytes, 1);
    run_->limits.chunks = allowed->max_chunks_per_request;
    run_->model.expect(allowed->dimensions);
    const result<void> enough = open_slots(*allowed);
    if (!enough) {
        co_return enough.error();
    }
    if (std::max(parts.rows_per_chunk(), rows_per_chunk_before_) > 0) {
        run_->first.show();  // Chunks are known already: no job has to show them.
    }
    expect_chunk_size(*allowed);
    co_return result<void>();
}

result<void> run_preparation::open_slots(const job_limits& allowed) {
    const std::uint64_t in_flight = run_->parts.options->jobs_in_flight;
    if (allowed.jobs_at_once && in_flight > *allowed.jobs_at_once) {
        return error(errc::invalid_argument,
                     std::to_string(in_flight) + " jobs in flight need as many connections, and " +
                         std::to_string(*allowed.jobs_at_once) +
                         " can be open here: ask for fewer, or raise the limit of open files (ulimit -n) and of "
                         "the client's connections");
    }
    const std::uint64_t spare = allowed.jobs_at_once.value_or(std::numeric_limits<std::uint64_t>::max()) -
                                std::max<std::uint64_t>(in_flight, 1);
    run_->storing_at_once = std::min(spare, storing_slots(in_flight, run_->limits.rows));
    return {};
}

// Sets the chunk size that the run uses until its jobs show another one.
void run_preparation::expect_chunk_size(const job_limits& allowed) {
    policy::prior_chunk_sizes known;
    known.said = run_->parts.options->rows_per_chunk;
    known.remembered = allowed.rows_per_chunk;
    known.remembered_whole = allowed.rows_per_chunk_whole;
    known.gone_by = rows_per_chunk_before_;
    known.shown = policy::jobs_showed_size(run_->budget.charged_before(), run_->next_batch) ? known.gone_by : 0;
    const std::uint64_t expected = policy::expected_chunk_size(known, run_->budget.is_capped());
    if (run_->budget.is_capped() && known.said > expected) {
        run_->parts.env->log(log_level::warning, "chunk_size_in_doubt",
                             {log_field("said", known.said), log_field("counted", expected)});
    }
    run_->parts.backend->expect_rows_per_chunk(expected);
}

// Reads the account's count. The count before the run's first submission tells later whether a submission in doubt
// became a job. The count now tells it of an earlier process' submissions in doubt.
asio::awaitable<void> run_preparation::take_baseline(const prior_run* prior) {
    const bool fresh = prior->batches.empty() && prior->batches_done == 0 && prior->chunks_charged == 0;
    const bool asked = std::ranges::any_of(prior->batches, has_no_answer);
    const bool known = run_->charges.baseline().has_value();
    if (!fresh && !(asked && known)) {
        co_return;
    }
    const monotonic_time until = run_->parts.within(run_state::account_patience);
    const result<policy::account_count> counted = co_await run_->parts.backend->count_chunks(until);
    if (!counted) {
        co_return;  // Without a count, the counts decide nothing.
    }
    account_now_ = *counted;
    if (fresh && !known) {
        run_->charges.take_baseline(*counted, run_->parts.env->wall_now());
    }
}

// Opens what gives rows their values without a job. If that fails, the run does without.
asio::awaitable<result<void>> run_preparation::open_aids() {
    error without;
    disk_work open;
    open.work = [run = run_, &without]() -> result<void> {
        const bulk_options& options = *run->parts.options;
        if (options.deduplicate && run->parts.sink->can_copy()) {
            auto index = reuse::dedup_index::create("");
            if (index) {
                run->reader.find_duplicates(std::move(*index));
            } else {
                without = index.error();
            }
        }
        if (options.cache != nullptr) {
            run->saved.open(*options.cache, options.identity, run->reader.finds_duplicates());
        }
        return {};
    };
    const step opened = co_await run_->on_disk(std::move(open));
    if (opened == step::over) {
        co_return *run_->end.fatal();
    }
    if (!without.message.empty()) {
        run_->parts.env->log(log_level::warning, "duplicates_not_found", {log_field("reason", without.message)});
    }
    co_return result<void>();
}

// Takes over what an earlier process left: rows that are done stay done, accepted jobs are taken up again, and
// submissions without a response are in doubt.
asio::awaitable<result<void>> run_preparation::adopt(prior_run prior) {
    const intent_times times = run_->times();
    const policy::unknown_verdict verdict = run_->charges.judge_left(prior, times, account_now_);
    disk_work record;
    std::vector<std::uint64_t> in_doubt;
    for (const journalled_batch& left : prior.batches) {
        if (left.state == batch_state::accepted) {
            run_->jobs.adopt(left);
            run_->reader.take_up(left);
            run_->parts.backend->take_up(left.job_id, left.chunks);
            continue;
        }
        const unknown_batch& entry = run_->in_doubt.adopt(left, verdict, run_->parts.rows_per_chunk(), &run_->budget);
        if (!stays_out(entry)) {
            record.changes.push_back(journal_change::forget(left.batch));
        } else {
            run_->charges.in_doubt_sent(times.written_by(left));
            run_->reader.skip_parked(left.rows);
            if (left.state == batch_state::intent) {
                record.changes.push_back(journal_change::mark_unknown(left.batch));
            }
        }
        in_doubt.insert(in_doubt.end(), entry.rows.begin(), entry.rows.end());
    }
    if (!in_doubt.empty()) {
        record.work = [this, &in_doubt] { return withdraw(in_doubt); };
    }
    run_->note_facts(record.changes);
    const step recorded = co_await run_->on_disk(std::move(record));
    if (recorded == step::go_on) {
        co_await disputes_->settle_prior();
    }
    if (run_->end.fatal()) {
        co_return *run_->end.fatal();
    }
    co_return result<void>();
}

// A process may have died after it recorded a batch of written rows as in doubt, and before those rows were gone.
result<void> run_preparation::withdraw(const std::vector<std::uint64_t>& rows) {
    const auto keys = keys_of(rows);
    if (!keys) {
        return keys.error();
    }
    run_->saved.forget(*keys);
    const auto withdrawn = run_->parts.sink->withdraw(rows);
    return withdrawn ? result<void>() : withdrawn.error();
}

// The cache keys of the rows, if the sink knows their texts.
result<std::vector<digest>> run_preparation::keys_of(const std::vector<std::uint64_t>& rows) {
    std::vector<digest> keys;
    row_sink* const sink = run_->parts.sink;
    if (run_->parts.options->cache == nullptr || !sink->keeps_digests()) {
        return keys;
    }
    for (const std::uint64_t& row : rows) {
        const auto known = sink->digests_of(std::span(&row, 1));
        if (!known) {
            return known.error();
        }
        if (*known) {
            keys.push_back((*known)->front().text);
        }
    }
    return keys;
}

}  // namespace vembed::bulk
