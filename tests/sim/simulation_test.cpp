// Bulk runs under random services, options and faults in virtual time. Each seed is a world of its own; what must hold
// holds in all of them. VEMBED_SEEDS=10000 runs more of them, VEMBED_FIRST_SEED=n begins elsewhere.

#include <cstdlib>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "support/corpora.hpp"
#include "support/ledger_sink.hpp"
#include "support/mortal.hpp"
#include "support/world.hpp"

namespace vembed::testing {
namespace {

constexpr std::size_t rows = 120;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
    const char* const text = std::getenv(variable);
    return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

const std::vector<std::string>& texts() {
    static const std::vector<std::string> made = corpus(rows);
    return made;
}

const matrix& truth() {
    static const matrix made = embedded(texts());
    return made;
}

// Everything that differs from one seed to the next.
class scenario {
public:
    explicit scenario(std::uint64_t seed) : draw_(seed) {
        service.seed = seed;
        service.chunk_size = one_of<std::uint32_t>({1, 3, 10, 100});
        service.settle_delay_ms = one_of<std::uint32_t>({0, 300, 5'000, 45'000});
        service.max_inflight = one_of<std::uint32_t>({0, 0, 1, 2, 5});
        service.account_tier = one_of<tier>({tier::paid, tier::paid, tier::paid, tier::trial, tier::free});
        if (chance(0.3)) {
            service.chunks_per_minute = one_of<std::uint64_t>({5, 20, 100});
        }
        if (chance(0.15)) {
            service.chunks_per_day = one_of<std::uint64_t>({1, 7, 30});
        }
        fault_rates& f = service.faults;
        for (double* const rate :
             {&f.drop, &f.delay, &f.truncate, &f.rate_limited, &f.busy, &f.inflight, &f.bad_gateway, &f.empty_error,
              &f.failed_chunk, &f.refund, &f.wrong_shape, &f.corrupt, &f.invalid_receipt}) {
            *rate = chance(0.4) ? one_of<double>({0.01, 0.05, 0.2}) : 0;
        }
        f.retry_after_s_max = one_of<std::uint32_t>({1, 5, 90});
        bulk.model = "bge-small-v1.5";
        bulk.rows_per_job = one_of<std::uint32_t>({1, 7, 25, 1000});
        bulk.jobs_in_flight = one_of<std::uint32_t>({1, 3, 16});
        bulk.verify = one_of<verify_level>({verify_level::hash, verify_level::receipt});
        if (chance(0.4)) {
            bulk.on_unknown = unknown_policy::resubmit;
            bulk.max_extra_chunks = one_of<std::uint64_t>({0, 5, 40, 1000});
        }
        if (chance(0.15)) {
            bulk.max_chunks = one_of<std::uint64_t>({1, 9, 50});
        }
        with_journal = chance(0.5);
        if (chance(0.3)) {
            client.throttle.chunks_per_minute = one_of<std::uint64_t>({3, 30});
        }
        if (chance(0.3)) {
            client.throttle.jobs_in_flight = one_of<std::uint64_t>({1, 4});
        }
        client.learn_limits = chance(0.9);
    }

    service_options service;
    bulk_options bulk;
    client_options client;
    bool with_journal = false;

private:
    bool chance(double probability) { return std::bernoulli_distribution(probability)(draw_); }
    template <class T>
    T one_of(std::initializer_list<T> choices) {
        return *(choices.begin() + std::uniform_int_distribution<std::size_t>(0, choices.size() - 1)(draw_));
    }
    std::mt19937_64 draw_;
};

// One run of one scenario and all that was seen of it.
class played {
public:
    explicit played(std::uint64_t seed) : chosen(seed) {
        world w(chosen.service, seed, chosen.client);
        w.time_limit = deadline_after(w.env->now(), std::chrono::hours(24 * 60));
        w.env->set_log_hook([this, &w](const log_record& record) {
            trace += std::to_string(w.now().count()) + " " + std::string(record.event);
            for (const log_field& field : record.fields) {
                trace += " " + std::string(field.name) + "=" + field.value;
            }
            trace += "\n";
        });
        vector_source source(texts());
        memory_journal journal(std::make_shared<lifetime>());
        chosen.bulk.journal = chosen.with_journal ? &journal : nullptr;
        report.emplace(w.run(w.subject->embed_corpus(source, sink, chosen.bulk)));
        counters = w.remote->counters();
        early_requests = w.network->early_requests;
        bought = w.network->bought;
        trace += w.network->trace;
        broken = journal.broken;
        journalled_unknown = journal.count(batch_state::unknown) + journal.count(batch_state::intent);
        journalled_accepted = journal.count(batch_state::accepted);
    }

    scenario chosen;
    ledger_sink sink;
    std::optional<result<bulk_report>> report;
    service_counters counters;
    std::uint64_t early_requests = 0;
    std::map<std::string, std::uint32_t, std::less<>> bought;
    std::string trace;
    std::vector<std::string> broken;
    std::uint64_t journalled_unknown = 0;
    std::uint64_t journalled_accepted = 0;
};

void expect_true_rows(const played& seen) {
    EXPECT_EQ(seen.sink.broken, std::vector<std::string>());
    for (const auto& [index, row] : seen.sink.rows) {
        ASSERT_EQ(row.size(), 384U);
        const float* const wanted = truth().data() + index * 384;
        ASSERT_TRUE(std::equal(row.begin(), row.end(), wanted)) << "row " << index << " is not its text's embedding";
    }
}

void expect_every_row_accounted_for(const played& seen) {
    const bulk_report& report = **seen.report;
    EXPECT_EQ(report.rows_done, seen.sink.rows.size());
    EXPECT_EQ(report.rows_failed, seen.sink.failed.size());
    std::set<std::uint64_t> parked;
    for (const unknown_batch& batch : report.unknown) {
        for (const std::uint64_t row : batch.rows) {
            if (!batch.resubmitted) {
                EXPECT_TRUE(parked.insert(row).second) << "row " << row << " is in two unknown batches";
                EXPECT_FALSE(seen.sink.rows.contains(row) || seen.sink.failed.contains(row)) << "row " << row;
            }
        }
    }
    const std::uint64_t settled = report.rows_done + report.rows_failed;
    if (report.reason == stop_reason::complete) {
        EXPECT_EQ(settled, rows);
        EXPECT_EQ(seen.sink.finished, rows);
        return;
    }
    EXPECT_EQ(seen.sink.finished, std::nullopt);
    EXPECT_LT(settled, rows);
    if (report.reason == stop_reason::parked_batches) {
        EXPECT_EQ(settled + parked.size(), rows) << "rows are missing that are in no unknown batch";
    }
}

void expect_honest_costs(const played& seen) {
    const bulk_report& report = **seen.report;
    std::uint64_t perhaps = 0;
    for (const unknown_batch& batch : report.unknown) {
        perhaps += batch.chunks_estimated;
    }
    EXPECT_GE(seen.counters.chunks_charged, report.chunks_used);
    EXPECT_LE(seen.counters.chunks_charged, report.chunks_used + perhaps);
    EXPECT_LE(report.extra_chunks, seen.chosen.bulk.max_extra_chunks);
    if (seen.chosen.bulk.max_chunks) {
        EXPECT_LE(seen.counters.chunks_charged, *seen.chosen.bulk.max_chunks);
    }
    const fault_rates& faults = seen.chosen.service.faults;
    if (seen.chosen.bulk.on_unknown == unknown_policy::park && faults.failed_chunk == 0 && faults.refund == 0) {
        for (const auto& [text, times] : seen.bought) {
            EXPECT_EQ(times, 1U) << "may have been bought twice: " << text;
        }
    }
}

// Faults may leave /account unreadable; then nothing has begun.
bool may_end_so(const played& seen) {
    return seen.report->has_error() && seen.report->error().kind == errc::network && seen.counters.jobs_created == 0;
}

void expect_sound(const played& seen) {
    EXPECT_EQ(seen.early_requests, 0U) << "requests were sent before a Retry-After had passed";
    EXPECT_EQ(seen.broken, std::vector<std::string>());
    if (may_end_so(seen)) {
        return;
    }
    ASSERT_TRUE(*seen.report) << seen.report->error();
    expect_true_rows(seen);
    expect_every_row_accounted_for(seen);
    expect_honest_costs(seen);
}

TEST(Simulation, InvariantsHoldForEverySeed) {
    const std::uint64_t first = number_from("VEMBED_FIRST_SEED", 1);
    const std::uint64_t seeds = number_from("VEMBED_SEEDS", 300);
    std::map<std::string, std::uint64_t> ends;
    for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
        SCOPED_TRACE("VEMBED_FIRST_SEED=" + std::to_string(seed) + " VEMBED_SEEDS=1");
        const played seen(seed);
        expect_sound(seen);
        ++ends[*seen.report ? std::string(to_string((*seen.report)->reason)) : "failed"];
        if (HasFatalFailure()) {
            return;
        }
    }
    // A simulation in which nothing ever goes wrong, or everything does, shows nothing.
    for (const auto& [reason, times] : ends) {
        RecordProperty(reason, std::to_string(times));
        std::cout << "  " << reason << ": " << times << "\n";
    }
    if (seeds >= 300) {
        EXPECT_GE(ends["complete"], seeds / 10);
        EXPECT_GE(ends["parked_batches"], seeds / 50);
        EXPECT_GE(ends["quota"], 1U);
    }
}

TEST(Simulation, SameSeedSameTrace) {
    const std::uint64_t first = number_from("VEMBED_FIRST_SEED", 1);
    for (std::uint64_t seed = first; seed < first + 20; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        EXPECT_EQ(played(seed).trace, played(seed).trace);
    }
}

}  // namespace
}  // namespace vembed::testing
