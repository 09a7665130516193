#pragma once
/// What a process has to live with: a journal and a sink whose process can die before any of their calls. What was
/// recorded before stays; what comes after is lost, as with kill -9.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <vembed/bulk/journal.hpp>
#include <vembed/bulk/sink.hpp>

namespace vembed::testing {

class lifetime {
public:
    std::uint64_t calls_left = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t calls = 0;
    std::function<void()> at_death;

    [[nodiscard]] bool dead() const noexcept { return calls_left == 0; }
    void die() { calls_left = 0; }

    /// One durable call: refused where the process is dead.
    result<void> use() {
        ++calls;
        if (calls_left == 0) {
            return failure(errc::io, "the process died");
        }
        if (--calls_left == 0 && at_death) {
            at_death();
        }
        return {};
    }
};

/// run_journal in memory, with its rules checked as the SQLite one checks them.
class memory_journal : public run_journal {
public:
    explicit memory_journal(std::shared_ptr<lifetime> life) : life_(std::move(life)) {}

    result<prior_run> open(const run_identity&) override {
        prior_run prior;
        for (const auto& [number, batch] : batches) {
            prior.batches.push_back(batch);
        }
        prior.failed_rows.assign(failed.begin(), failed.end());
        return prior;
    }
    result<void> intend(std::uint64_t batch, const row_ranges& rows, std::uint64_t chunks) override {
        journalled_batch made;
        made.batch = batch;
        made.rows = rows;
        made.chunks = chunks;
        return change([&] { return !rows.empty() && batches.emplace(batch, made).second; }, batch, "intended");
    }
    result<void> accept(std::uint64_t batch, const std::string& job_id, std::uint64_t chunks) override {
        return move(batch, {batch_state::intent, batch_state::unknown}, batch_state::accepted,
                    [&](journalled_batch& b) {
                        b.job_id = job_id;
                        b.chunks = chunks;
                    });
    }
    result<void> complete(std::uint64_t batch) override {
        return move(batch, {batch_state::accepted}, batch_state::done, [](journalled_batch&) {});
    }
    result<void> forget(std::uint64_t batch) override {
        return change(
            [&] {
                const auto found = batches.find(batch);
                return found != batches.end() && found->second.state != batch_state::done && batches.erase(batch) == 1;
            },
            batch, "forgotten");
    }
    result<void> mark_unknown(std::uint64_t batch) override {
        return move(batch, {batch_state::intent, batch_state::unknown}, batch_state::unknown, [](journalled_batch&) {});
    }
    result<void> fail_row(std::uint64_t row) override {
        if (auto alive = life_->use(); !alive) {
            return alive;
        }
        failed.insert(row);
        return {};
    }

    [[nodiscard]] std::uint64_t count(batch_state state) const {
        std::uint64_t counted = 0;
        for (const auto& [number, batch] : batches) {
            counted += batch.state == state ? 1 : 0;
        }
        return counted;
    }

    std::map<std::uint64_t, journalled_batch> batches;
    std::set<std::uint64_t> failed;
    std::vector<std::string> broken;  ///< Rules that a caller broke.

private:
    template <class Do>
    result<void> change(Do what, std::uint64_t batch, const char* word) {
        if (auto alive = life_->use(); !alive) {
            return alive;
        }
        if (!what()) {
            broken.push_back("batch " + std::to_string(batch) + " cannot be " + word);
            return failure(errc::invalid_argument, broken.back());
        }
        return {};
    }
    template <class Then>
    result<void> move(std::uint64_t batch, std::initializer_list<batch_state> from, batch_state to, Then then) {
        return change(
            [&] {
                const auto found = batches.find(batch);
                if (found == batches.end() || std::find(from.begin(), from.end(), found->second.state) == from.end()) {
                    return false;
                }
                found->second.state = to;
                then(found->second);
                return true;
            },
            batch, std::string(to_string(to)).c_str());
    }

    std::shared_ptr<lifetime> life_;
};

/// Any journal or sink, as long as its process lives.
class mortal_journal : public run_journal {
public:
    mortal_journal(run_journal& to, std::shared_ptr<lifetime> life) : to_(&to), life_(std::move(life)) {}
    result<prior_run> open(const run_identity& identity) override { return to_->open(identity); }
    result<void> intend(std::uint64_t batch, const row_ranges& rows, std::uint64_t chunks) override {
        auto alive = life_->use();
        return alive ? to_->intend(batch, rows, chunks) : alive;
    }
    result<void> accept(std::uint64_t batch, const std::string& job_id, std::uint64_t chunks) override {
        auto alive = life_->use();
        return alive ? to_->accept(batch, job_id, chunks) : alive;
    }
    result<void> complete(std::uint64_t batch) override {
        auto alive = life_->use();
        return alive ? to_->complete(batch) : alive;
    }
    result<void> forget(std::uint64_t batch) override {
        auto alive = life_->use();
        return alive ? to_->forget(batch) : alive;
    }
    result<void> mark_unknown(std::uint64_t batch) override {
        auto alive = life_->use();
        return alive ? to_->mark_unknown(batch) : alive;
    }
    result<void> fail_row(std::uint64_t row) override {
        auto alive = life_->use();
        return alive ? to_->fail_row(row) : alive;
    }

private:
    run_journal* to_;
    std::shared_ptr<lifetime> life_;
};

class mortal_sink : public row_sink {
public:
    mortal_sink(row_sink& to, std::shared_ptr<lifetime> life) : to_(&to), life_(std::move(life)) {}
    result<void> describe(std::uint64_t index, const source_row& row) override {
        return life_->dead() ? life_->use() : to_->describe(index, row);
    }
    result<void> prove(const batch_proof& proof) override {
        auto alive = life_->use();
        return alive ? to_->prove(proof) : alive;
    }
    result<void> write(const row_batch& rows) override {
        auto alive = life_->use();
        return alive ? to_->write(rows) : alive;
    }
    result<void> fail(const failed_row& row) override {
        auto alive = life_->use();
        return alive ? to_->fail(row) : alive;
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
