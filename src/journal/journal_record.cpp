#include "journal/journal_record.hpp"

#include <limits>
#include <utility>

#include <vembed/verify/sha256.hpp>

#include "core/row_ranges.hpp"

namespace vembed {

journal_change journal_change::intend(std::uint64_t batch, row_ranges rows, std::uint64_t chunks_estimated,
                                      wall_time now) {
    journal_change change(action::intend, batch);
    change.rows = std::move(rows);
    change.chunks = chunks_estimated;
    change.intended_at = now;
    return change;
}

journal_change journal_change::accept(std::uint64_t batch, std::string job_id, std::uint64_t chunks) {
    journal_change change(action::accept, batch);
    change.job_id = std::move(job_id);
    change.chunks = chunks;
    return change;
}

journal_change journal_change::complete(std::uint64_t batch) {
    return {action::complete, batch};
}

journal_change journal_change::forget(std::uint64_t batch, std::uint64_t chunks_charged) {
    journal_change change(action::forget, batch);
    change.chunks = chunks_charged;
    return change;
}

journal_change journal_change::mark_unknown(std::uint64_t batch) {
    return {action::mark_unknown, batch};
}

journal_change journal_change::doubt(std::uint64_t batch) {
    return {action::doubt, batch};
}

journal_change journal_change::fail_row(std::uint64_t row) {
    return {action::fail_row, row};
}

journal_change journal_change::remember(run_facts facts) {
    journal_change change(action::remember, 0);
    change.facts = std::move(facts);
    return change;
}

std::string_view to_string(journal_change::action what) noexcept {
    switch (what) {
        case journal_change::action::intend: return "intended";
        case journal_change::action::accept: return "accepted";
        case journal_change::action::complete: return "completed";
        case journal_change::action::forget: return "forgotten";
        case journal_change::action::mark_unknown: return "marked unknown";
        case journal_change::action::doubt: return "doubted";
        case journal_change::action::fail_row: return "failed";
        case journal_change::action::remember: return "remembered";
    }
    return "invalid";
}

std::string_view to_string(batch_state state) noexcept {
    switch (state) {
        case batch_state::intent: return "intent";
        case batch_state::accepted: return "accepted";
        case batch_state::done: return "done";
        case batch_state::unknown: return "unknown";
    }
    return "invalid";
}

namespace journal {
namespace {

constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

bool fit(const run_facts& facts) {
    return facts.dimensions <= most && facts.rows_per_chunk <= most && facts.extra_chunks <= most &&
           (!facts.baseline || facts.baseline->chunks_consumed_period <= most);
}

}  // namespace

row_hash& row_hash::add(std::uint64_t number) {
    for (int byte = 0; byte < 8; ++byte) {
        bytes_.push_back(static_cast<char>(number >> (8 * byte) & 0xff));
    }
    return *this;
}

row_hash& row_hash::add(std::string_view text) {
    add(std::uint64_t{text.size()});
    bytes_.append(text);
    return *this;
}

std::uint64_t row_hash::value() const {
    const digest hash = sha256_of(bytes_);
    std::uint64_t first = 0;
    for (std::size_t byte = 0; byte < 8; ++byte) {
        first = first << 8 | std::to_integer<std::uint64_t>(hash[byte]);
    }
    return first;
}

std::uint64_t stored_batch::checksum() const {
    return row_hash()
        .add("batch")
        .add(number)
        .add(state)
        .add(ranges)
        .add(job_id)
        .add(chunks)
        .add(static_cast<std::uint64_t>(intended_at_ms))
        .value();
}

std::optional<journalled_batch> read_batch(stored_batch stored) {
    auto ranges = core::ranges_from_text(stored.ranges);
    const bool has_job = stored.state == static_cast<std::uint64_t>(batch_state::accepted) ||
                         stored.state == static_cast<std::uint64_t>(batch_state::done);
    if (!ranges || ranges->empty() || has_job == stored.job_id.empty()) {
        return std::nullopt;
    }
    journalled_batch batch;
    batch.batch = stored.number;
    batch.state = static_cast<batch_state>(stored.state);
    batch.rows = std::move(*ranges);
    batch.job_id = std::move(stored.job_id);
    batch.chunks = stored.chunks;
    batch.intended_at = wall_time(std::chrono::milliseconds(stored.intended_at_ms));
    return batch;
}

std::uint64_t failed_row_checksum(std::uint64_t row) {
    return row_hash().add("failed_row").add(row).value();
}

std::uint64_t observations_of(const run_facts& facts) noexcept {
    return (facts.charged_on_acceptance ? 1U : 0U) | (facts.jobs_came_to_nothing ? 2U : 0U);
}

void set_observations(run_facts& facts, std::uint64_t stored) noexcept {
    facts.charged_on_acceptance = (stored & 1U) != 0;
    facts.jobs_came_to_nothing = (stored & 2U) != 0;
}

std::uint64_t run_record::checksum() const {
    row_hash hash;
    hash.add("run").add(identity.service).add(identity.model).add(identity.spec_sha256).add(identity.corpus);
    hash.add(facts.spec_hash).add(facts.dimensions).add(facts.rows_per_chunk);
    hash.add(observations_of(facts)).add(std::uint64_t{facts.baseline.has_value()});
    if (facts.baseline) {
        hash.add(facts.baseline->chunks_consumed_period).add(facts.baseline->period);
        hash.add(static_cast<std::uint64_t>(facts.baseline->taken_at.time_since_epoch().count()));
    }
    hash.add(facts.extra_chunks).add(chunks_forgotten).add(next_batch).add(commits).add(content_sum);
    return hash.value();
}

std::string why_refused(const journal_change& change) {
    if (change.number > most || change.chunks > most || (change.facts && !fit(*change.facts))) {
        return "the journal cannot hold numbers over 2^63 - 1";
    }
    if (change.what == journal_change::action::intend && (change.rows.empty() || !core::is_well_formed(change.rows))) {
        return "the rows of batch " + std::to_string(change.number) + " are not ranges";
    }
    if (change.what == journal_change::action::intend && change.number == most) {
        return "there is no batch number after " + std::to_string(change.number);
    }
    if (change.what == journal_change::action::accept && change.job_id.empty()) {
        return "batch " + std::to_string(change.number) + " was accepted without a job id";
    }
    if (change.what == journal_change::action::remember && !change.facts) {
        return "there are no facts to remember";
    }
    return {};
}

bool may_follow(batch_state from, journal_change::action what) noexcept {
    switch (what) {
        case journal_change::action::accept:
        case journal_change::action::mark_unknown: return from == batch_state::intent || from == batch_state::unknown;
        case journal_change::action::complete: return from == batch_state::accepted;
        case journal_change::action::doubt: return from == batch_state::accepted || from == batch_state::done;
        case journal_change::action::forget: return from != batch_state::done;
        case journal_change::action::intend:
        case journal_change::action::fail_row:
        case journal_change::action::remember: break;
    }
    return false;
}

}  // namespace journal
}  // namespace vembed
