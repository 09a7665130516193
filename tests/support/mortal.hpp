#pragma once
/// A journal and a sink whose process can die before any of their calls. What was recorded before stays; what comes
/// after is lost, as with kill -9.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <vembed/bulk/sink.hpp>
#include <vembed/journal/journal.hpp>

namespace vembed::testing {

class lifetime {
public:
    std::uint64_t calls_left = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t calls = 0;
    std::function<void()> at_death;

    [[nodiscard]] bool dead() const noexcept { return calls_left == 0; }
    void die() { calls_left = 0; }

    /// One durable call: it is refused if the process is dead.
    result<void> use() {
        ++calls;
        if (calls_left == 0) {
            return error(errc::io, "the process died");
        }
        if (--calls_left == 0 && at_death) {
            at_death();
        }
        return {};
    }
};

/// The content of a memory_journal.
class memory_journal_state {
public:
    std::map<std::uint64_t, journalled_batch> batches;
    std::set<std::uint64_t> failed;
    run_facts facts;
    std::uint64_t next_batch = 0;
    std::uint64_t chunks_forgotten = 0;

    memory_journal_state() = default;
};

/// A run_journal in memory that checks the same rules as the SQLite journal.
class memory_journal : public run_journal, public memory_journal_state {
public:
    explicit memory_journal(std::shared_ptr<lifetime> life) : life_(std::move(life)) {}

    using run_journal::open;
    result<prior_run> open(const run_identity&, const prior_visitor& visitor) override {
        prior_run prior;
        prior.facts = facts;
        prior.next_batch = next_batch;
        prior.chunks_charged = chunks_forgotten;
        prior.rows_failed = failed.size();
        for (const auto& [number, batch] : batches) {
            const bool done = batch.state == batch_state::done;
            prior.chunks_charged += done || batch.state == batch_state::accepted ? batch.chunks : 0;
            if (done) {
                ++prior.batches_done;
                for (const auto& [first, last] : batch.rows) {
                    prior.rows_done += last - first;
                }
            }
            if (!done || !visitor.done) {
                prior.batches.push_back(batch);
            } else if (auto visited = visitor.done(batch); !visited) {
                return visited.error();
            }
        }
        for (const std::uint64_t row : failed) {
            if (!visitor.failed) {
                prior.failed_rows.push_back(row);
            } else if (auto visited = visitor.failed(row, row + 1); !visited) {
                return visited.error();
            }
        }
        return prior;
    }

    result<void> commit(std::span<const journal_change> changes) override {
        if (changes.empty()) {
            return {};
        }
        if (auto alive = life_->use(); !alive) {
            return alive;
        }
        memory_journal_state before = *this;
        for (const journal_change& change : changes) {
            if (!apply(change)) {
                static_cast<memory_journal_state&>(*this) = std::move(before);
                broken.push_back(std::to_string(change.number) + " cannot be " + std::string(to_string(change.what)));
                return error(errc::invalid_argument, broken.back());
            }
        }
        note_rows_in_two_places();
        return {};
    }

    result<std::optional<journalled_batch>> find(std::uint64_t batch) override {
        const auto found = batches.find(batch);
        return found == batches.end() ? std::optional<journalled_batch>() : std::optional(found->second);
    }

    [[nodiscard]] std::uint64_t count(batch_state state) const {
        std::uint64_t counted = 0;
        for (const auto& [number, batch] : batches) {
            counted += batch.state == state ? 1 : 0;
        }
        return counted;
    }

    /// A failed row must not be in a job: the next process would count it twice or buy it.
    void note_rows_in_two_places() {
        for (const auto& [number, batch] : batches) {
            for (const auto& [first, last] : batch.rows) {
                const auto both = failed.lower_bound(first);
                if (both != failed.end() && *both < last) {
                    broken.push_back("row " + std::to_string(*both) + " has failed and is in batch " +
                                     std::to_string(number));
                }
            }
        }
    }

    std::vector<std::string> broken;  ///< Rules that a caller broke.

private:
    bool apply(const journal_change& change) {
        using action = journal_change::action;
        switch (change.what) {
            case action::intend: {
                journalled_batch made;
                made.batch = change.number;
                made.rows = change.rows;
                made.chunks = change.chunks;
                made.intended_at = change.intended_at;
                next_batch = std::max(next_batch, change.number + 1);
                return !change.rows.empty() && batches.emplace(change.number, made).second;
            }
            case action::accept:
                return !change.job_id.empty() &&
                       move(change, {batch_state::intent, batch_state::unknown}, batch_state::accepted);
            case action::complete: return move(change, {batch_state::accepted}, batch_state::done);
            case action::mark_unknown:
                return move(change, {batch_state::intent, batch_state::unknown}, batch_state::unknown);
            case action::doubt: return move(change, {batch_state::accepted, batch_state::done}, batch_state::unknown);
            case action::forget:
                chunks_forgotten += change.chunks;
                return batches.contains(change.number) && batches[change.number].state != batch_state::done &&
                       batches.erase(change.number) == 1;
            case action::fail_row: failed.insert(change.number); return true;
            case action::remember: return remember(*change.facts);
        }
        return false;
    }
    bool remember(const run_facts& now) {
        const bool same_model = (facts.spec_hash.empty() || facts.spec_hash == now.spec_hash) &&
                                (facts.dimensions == 0 || facts.dimensions == now.dimensions);
        facts = now;
        return same_model;
    }
    bool move(const journal_change& change, std::initializer_list<batch_state> from, batch_state to) {
        const auto found = batches.find(change.number);
        if (found == batches.end() || std::find(from.begin(), from.end(), found->second.state) == from.end()) {
            return false;
        }
        found->second.state = to;
        found->second.job_id = to == batch_state::unknown ? std::string() : found->second.job_id;
        if (to == batch_state::accepted) {
            found->second.job_id = change.job_id;
            found->second.chunks = change.chunks;
        }
        return true;
    }

    std::shared_ptr<lifetime> life_;
};

/// Passes calls on to any journal while its process lives.
class mortal_journal : public run_journal {
public:
    mortal_journal(run_journal& to, std::shared_ptr<lifetime> life) : to_(&to), life_(std::move(life)) {}
    using run_journal::open;
    result<prior_run> open(const run_identity& identity, const prior_visitor& visitor) override {
        return to_->open(identity, visitor);
    }
    result<void> commit(std::span<const journal_change> changes) override {
        if (changes.empty()) {
            return {};
        }
        auto alive = life_->use();
        return alive ? to_->commit(changes) : alive;
    }
    result<std::optional<journalled_batch>> find(std::uint64_t batch) override { return to_->find(batch); }

private:
    run_journal* to_;
    std::shared_ptr<lifetime> life_;
};

class mortal_sink : public row_sink {
public:
    mortal_sink(row_sink& to, std::shared_ptr<lifetime> life) : to_(&to), life_(std::move(life)) {}
    result<void> declare_row(std::uint64_t index, const source_row& row) override {
        return life_->dead() ? life_->use() : to_->declare_row(index, row);
    }
    result<void> write_receipt(const job_evidence& proof) override {
        auto alive = life_->use();
        return alive ? to_->write_receipt(proof) : alive;
    }
    result<void> write(const row_batch& rows) override {
        auto alive = life_->use();
        return alive ? to_->write(rows) : alive;
    }
    result<void> fail(const failed_row& row) override {
        auto alive = life_->use();
        return alive ? to_->fail(row) : alive;
    }
    result<std::uint64_t> withdraw(std::span<const std::uint64_t> indices) override {
        auto alive = life_->use();
        return alive ? to_->withdraw(indices) : result<std::uint64_t>(alive.error());
    }
    [[nodiscard]] bool keeps_digests() const override { return to_->keeps_digests(); }
    result<std::optional<std::vector<input_digests>>> digests_of(std::span<const std::uint64_t> indices) override {
        return to_->digests_of(indices);
    }
    result<void> flush() override {
        auto alive = life_->use();
        return alive ? to_->flush() : alive;
    }
    result<void> finish(std::uint64_t rows, std::uint64_t dimensions) override {
        auto alive = life_->use();
        return alive ? to_->finish(rows, dimensions) : alive;
    }

private:
    row_sink* to_;
    std::shared_ptr<lifetime> life_;
};

}  // namespace vembed::testing
