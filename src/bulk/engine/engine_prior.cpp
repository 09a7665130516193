// What a run begins with: the account's limits, what an earlier process left, and what saves jobs.

#include <algorithm>
#include <limits>
#include <utility>

#include <vembed/verify/sha256.hpp>

#include "bulk/engine/engine.hpp"
#include "core/row_ranges.hpp"
#include "policy/packing/learned_chunk_size.hpp"

namespace vembed::bulk {
namespace {

bool has_no_answer(const journalled_batch& left) noexcept {
    return left.state == batch_state::intent || left.state == batch_state::unknown;
}

// Fetching and storing takes a small part of a job's time; each place costs the memory of an output.
std::uint64_t storing_places(std::uint64_t jobs_in_flight, std::uint64_t rows_per_job) noexcept {
    constexpr std::uint64_t rows_at_once = 4000;
    constexpr std::uint64_t least = 4;
    return std::clamp(rows_at_once / rows_per_job, least, std::max(least, jobs_in_flight));
}

}  // namespace

asio::awaitable<result<void>> engine::prepare() {
    if (options_->identity.model.empty() && options_->identity.spec_sha256.empty()) {
        options_->identity.model = options_->model;
        if (!options_->spec_yaml.empty()) {
            options_->identity.spec_sha256 = to_hex(sha256_of(options_->spec_yaml));
        }
    }
    result<prior_run> prior = co_await open_journal();
    if (!prior) {
        co_return prior.error();
    }
    const result<void> limited = co_await learn_limits_until_stopped();
    if (!limited) {
        co_return limited.error();
    }
    const bool fits = co_await tell_size(dimensions_expected_);
    if (!fits) {
        co_return *fatal_;
    }
    co_await take_baseline(&*prior);
    const result<void> opened = co_await open_aids();
    if (!opened) {
        co_return opened.error();
    }
    co_return co_await adopt(std::move(*prior));
}

asio::awaitable<result<prior_run>> engine::open_journal() {
    prior_run prior;
    if (journal_ == nullptr) {
        co_return prior;
    }
    disk_work open;
    open.work = [this, &prior]() -> result<void> {
        prior_visitor visitor;
        visitor.done = [this](const journalled_batch& done) -> result<void> {
            reader_.skip_done(done.rows);
            own_job(done);
            last_accepted_at_ = std::max(last_accepted_at_, written_by(done));
            return {};
        };
        visitor.failed = [this](std::uint64_t first, std::uint64_t last) -> result<void> {
            reader_.skip_failed(first, last);
            return {};
        };
        auto opened = journal_->open(options_->identity, visitor);
        if (!opened) {
            return opened.error();
        }
        prior = std::move(*opened);
        return {};
    };
    const bool opened = co_await on_disk(std::move(open));
    if (!opened) {
        co_return *fatal_;
    }
    facts_ = prior.facts;
    recorded_facts_ = prior.facts;
    next_batch_ = prior.next_batch;
    chunks_charged_before_ = prior.chunks_charged;
    chunks_unknown_ = facts_.extra_chunks;  // What was sent again may have been charged before.
    report_.extra_chunks = facts_.extra_chunks;
    report_.dimensions = facts_.dimensions;
    co_return prior;
}

asio::awaitable<result<void>> engine::learn_limits() {
    const result<job_limits> allowed = co_await backend_->limits(deadline_);
    if (!allowed) {
        co_return allowed.error();
    }
    limits_.rows = std::clamp<std::uint64_t>(options_->rows_per_job, 1, allowed->max_inputs);
    limits_.bytes = std::max<std::uint64_t>(options_->max_job_bytes, 1);
    limits_.chunks = allowed->max_chunks_per_request;
    dimensions_expected_ = facts_.dimensions != 0 ? facts_.dimensions : allowed->dimensions;
    if (allowed->jobs_at_once && options_->jobs_in_flight > *allowed->jobs_at_once) {
        co_return failure(errc::invalid_argument,
                          std::to_string(options_->jobs_in_flight) + " jobs in flight need as many connections, and " +
                              std::to_string(*allowed->jobs_at_once) +
                              " can be open here: ask for fewer, or raise the limit of open files (ulimit -n) and of "
                              "the client's connections");
    }
    const std::uint64_t spare = allowed->jobs_at_once.value_or(std::numeric_limits<std::uint64_t>::max()) -
                                std::max<std::uint64_t>(options_->jobs_in_flight, 1);
    storing_at_once_ = std::min<std::uint64_t>(spare, storing_places(options_->jobs_in_flight, limits_.rows));
    if (storing_at_once_ > 0) {
        storing_.emplace(executor_, env_, storing_at_once_);
    }
    // Where chunks are known already, no job has to show them.
    first_job_done_ = std::max(backend_->rows_per_chunk(), facts_.rows_per_chunk) > 0;
    expect_chunk_size(*allowed);
    co_return result<void>();
}

// The size that the run goes by until its jobs show another one.
void engine::expect_chunk_size(const job_limits& allowed) {
    policy::prior_chunk_sizes known;
    known.said = options_->rows_per_chunk;
    known.remembered = allowed.rows_per_chunk;
    known.remembered_whole = allowed.rows_per_chunk_whole;
    known.gone_by = facts_.rows_per_chunk;
    known.shown = policy::jobs_showed_size(chunks_charged_before_, next_batch_) ? facts_.rows_per_chunk : 0;
    const std::uint64_t expected = policy::expected_chunk_size(known, options_->max_chunks.has_value());
    if (options_->max_chunks && known.said > expected) {
        env_->log(log_level::warning, "chunk_size_in_doubt",
                  {log_field("said", known.said), log_field("counted", expected)});
    }
    backend_->expect_rows_per_chunk(expected);
}

// A sink that has no room for the whole result says so before it is paid for.
asio::awaitable<bool> engine::tell_size(std::uint64_t dimensions) {
    if (size_told_ || !rows_total_ || dimensions == 0) {
        co_return true;
    }
    size_told_ = true;
    disk_work telling;
    telling.work = [this, rows = *rows_total_, dimensions] { return sink_->expect(rows, dimensions); };
    co_return co_await on_disk(std::move(telling));
}

// What the account had consumed before the run's first submission: what tells later whether a submission without an
// answer became a job.
asio::awaitable<void> engine::take_baseline(const prior_run* prior) {
    const bool fresh = prior->batches.empty() && prior->batches_done == 0 && prior->chunks_charged == 0;
    const bool asked = std::any_of(prior->batches.begin(), prior->batches.end(), has_no_answer);
    if (!fresh && !(asked && facts_.baseline)) {
        co_return;
    }
    const monotonic_time until = std::min(deadline_, deadline_after(env_->now(), account_patience));
    const result<policy::account_count> counted = co_await backend_->count_chunks(until);
    if (!counted) {
        co_return;  // Then the counts decide nothing.
    }
    account_now_ = *counted;
    if (fresh && !facts_.baseline) {
        account_baseline before;
        before.chunks_consumed_period = counted->chunks;
        before.period = policy::to_period_text(*counted);
        before.taken_at = env_->wall_now();
        facts_.baseline = before;
    }
}

policy::unknown_verdict engine::judge_prior(const prior_run& prior) const {
    policy::reconciliation seen;
    monotonic_time last_sent = last_accepted_at_;
    bool in_flight = false;
    for (const journalled_batch& left : prior.batches) {
        in_flight = in_flight || left.state == batch_state::accepted;
        seen.unknown += has_no_answer(left) ? left.chunks : 0;
        last_sent = std::max(last_sent, written_by(left));
    }
    seen.before = baseline();
    seen.now = account_now_;
    seen.charged = prior.chunks_charged;
    seen.perhaps_given_back = facts_.jobs_came_to_nothing;
    seen.charges_are_made = charges_are_made(last_sent, in_flight);
    seen.sole_use = options_->sole_use;
    return policy::judge_unknown(seen);
}

// Under which the cache has the rows, as far as the sink knows their texts.
result<std::vector<digest>> engine::keys_of(const std::vector<std::uint64_t>& rows) {
    std::vector<digest> keys;
    if (options_->cache == nullptr || !sink_->keeps_digests()) {
        return keys;
    }
    for (const std::uint64_t& row : rows) {
        const auto known = sink_->digests_of(std::span(&row, 1));
        if (!known) {
            return known.error();
        }
        if (*known) {
            keys.push_back((*known)->front().text);
        }
    }
    return keys;
}

// Takes over what an earlier process left: rows that are done stay done, jobs that were accepted are taken up again,
// submissions without an answer are unknown.
asio::awaitable<result<void>> engine::adopt(prior_run prior) {
    const policy::unknown_verdict verdict = judge_prior(prior);
    disk_work record;
    std::vector<std::uint64_t> in_doubt;
    for (const journalled_batch& left : prior.batches) {
        if (left.state == batch_state::accepted) {
            own_job(left);
            reader_.take_up(left);
            backend_->take_up(left.job_id, left.chunks);
            continue;
        }
        unknown_batch unknown;
        unknown.batch = left.batch;
        unknown.rows = core::indices_of(left.rows);
        unknown.chunks_estimated = std::min<std::uint64_t>(left.chunks, backend_->chunks_at_most(unknown.rows.size()));
        unknown.reason = left.state == batch_state::intent ? "the process that sent it ended before it was answered"
                                                           : "sent by an earlier process and never answered";
        unknown.not_charged = verdict == policy::unknown_verdict::none_charged;
        unknown.probably_charged = verdict == policy::unknown_verdict::all_charged;
        chunks_unknown_ += unknown.not_charged ? 0 : unknown.chunks_estimated;
        unknown.resubmitted = !unknown.not_charged && may_resubmit(unknown.chunks_estimated);
        if (unknown.not_charged || unknown.resubmitted) {
            record.changes.push_back(journal_change::forget(left.batch));
        } else {
            rows_parked_ += unknown.rows.size();
            last_unknown_at_ = std::max(last_unknown_at_, written_by(left));
            reader_.skip_parked(left.rows);
            if (left.state == batch_state::intent) {
                record.changes.push_back(journal_change::mark_unknown(left.batch));
            }
        }
        in_doubt.insert(in_doubt.end(), unknown.rows.begin(), unknown.rows.end());
        report_.unknown.push_back(std::move(unknown));
    }
    if (!in_doubt.empty()) {
        // A process may have died after it had doubted a batch whose rows were written, and before those were gone.
        record.work = [this, &in_doubt]() -> result<void> {
            const auto keys = keys_of(in_doubt);
            if (!keys) {
                return keys.error();
            }
            saved_.forget(*keys);
            const auto withdrawn = sink_->withdraw(in_doubt);
            return withdrawn ? result<void>() : withdrawn.error();
        };
    }
    note_facts(record.changes);
    const bool recorded = co_await on_disk(std::move(record));
    if (recorded) {
        co_await settle_prior_disputes();
    }
    if (fatal_) {
        co_return *fatal_;
    }
    co_return result<void>();
}

// What makes rows come without a job. A run can do without.
asio::awaitable<result<void>> engine::open_aids() {
    failure without;
    disk_work open;
    open.work = [this, &without]() -> result<void> {
        if (options_->deduplicate && sink_->can_copy()) {
            auto index = reuse::dedup_index::create("");
            if (index) {
                reader_.find_duplicates(std::move(*index));
            } else {
                without = index.error();
            }
        }
        if (options_->cache != nullptr) {
            saved_.open(*options_->cache, options_->identity, reader_.finds_duplicates());
        }
        return {};
    };
    const bool opened = co_await on_disk(std::move(open));
    if (!opened) {
        co_return *fatal_;
    }
    if (!without.message.empty()) {
        env_->log(log_level::warning, "duplicates_not_found", {log_field("reason", without.message)});
    }
    co_return result<void>();
}

}  // namespace vembed::bulk
