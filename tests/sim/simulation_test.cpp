// Bulk runs under random services, options and faults in virtual time. Each seed is a world of its own; what must hold
// holds in all of them. VEMBED_SEEDS=10000 runs more of them, VEMBED_FIRST_SEED=n begins elsewhere,
// VEMBED_SPEED_MIN=100 asks for so many virtual seconds a second.

#include <iostream>
#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "support/corpora.hpp"
#include "support/ledger_sink.hpp"
#include "support/mortal.hpp"
#include "support/odd_responses.hpp"
#include "support/repetitions.hpp"
#include "support/world.hpp"

namespace vembed::testing {
namespace {

constexpr std::size_t rows = 120;

// What all texts give, made once.
const matrix& truth() {
    static const matrix made = embedded(corpus(rows));
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
        for (double* const rate : {&f.drop, &f.delay, &f.truncate, &f.rate_limited, &f.busy, &f.inflight,
                                   &f.retry_after_date, &f.bad_gateway, &f.empty_error, &f.failed_chunk, &f.refund,
                                   &f.wrong_shape, &f.corrupt, &f.invalid_receipt}) {
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
        service.bucket = one_of({bucket_shape::sliding_log, bucket_shape::sliding_log, bucket_shape::fixed_window,
                                 bucket_shape::token_bucket, bucket_shape::leaky_bucket});
        bulk.deduplicate = chance(0.7);
        const double duplicates = one_of<double>({0, 0, 0.3, 0.9});
        for (std::uint64_t row = 0; row < rows; ++row) {
            originals.push_back(row > 0 && chance(duplicates) ? originals[draw_() % row] : row);
        }
        if (with_journal && chance(0.4)) {
            // A later process cannot look into an earlier one's sink.
            bulk.deduplicate = false;
            for (std::uint64_t deaths = one_of<std::uint64_t>({1, 2, 3}); deaths > 0; --deaths) {
                calls_until_death.push_back(1 + draw_() % 60);
            }
        }
        if (chance(0.3)) {
            client.throttle.chunks_per_minute = one_of<std::uint64_t>({3, 30});
        }
        if (chance(0.3)) {
            client.throttle.jobs_in_flight = one_of<std::uint64_t>({1, 4});
        }
        client.learn_limits = chance(0.9);
        choose_proofs();
        for (double* const rate : {&odd.same_id, &odd.early_404, &odd.unreadable_account}) {
            *rate = chance(0.25) ? one_of<double>({0.02, 0.1, 0.3}) : 0;
        }
    }

    service_options service;
    bulk_options bulk;
    client_options client;
    odd_rates odd;
    bool with_journal = false;
    std::vector<std::uint64_t> originals;          ///< The text of row i is the corpus' text originals[i].
    std::vector<std::uint64_t> calls_until_death;  ///< Of each process but the last: durable calls it makes.

    [[nodiscard]] std::vector<std::string> texts() const {
        std::vector<std::string> made;
        for (const std::uint64_t original : originals) {
            made.push_back(corpus_text(original));
        }
        return made;
    }

private:
    // Spoiled outputs and commitments are left out: before a scheme is known they are questions, and rows may be false.
    void choose_proofs() {
        if (chance(0.4)) {
            bulk.verify = verify_level::offline;
        }
        if (chance(0.3)) {
            service.scheme.hash.json = json_encoding::as_sent;
        }
        if (chance(0.3)) {
            service.scheme.tree.odd = odd_rule::duplicate;
        }
        if (chance(0.3)) {
            const proof_fault fault =
                one_of({proof_fault::results_of_another, proof_fault::receipt_hash_bit, proof_fault::inputs_root_bit,
                        proof_fault::outputs_root_bit, proof_fault::inputs_root_forged,
                        proof_fault::outputs_root_forged, proof_fault::receipt_of_another,
                        proof_fault::receipt_job_forged, proof_fault::receipt_id_forged, proof_fault::output_nan});
            service.faults.proof[static_cast<std::size_t>(fault)] = one_of<double>({0.05, 0.3});
            service.spoiled_in_transfer = chance(0.5);
        }
    }
    bool chance(double probability) { return std::bernoulli_distribution(probability)(draw_); }
    template <class T>
    T one_of(std::initializer_list<T> choices) {
        return *(choices.begin() + std::uniform_int_distribution<std::size_t>(0, choices.size() - 1)(draw_));
    }
    std::mt19937_64 draw_;
};

// A world whose service says odd things.
class odd_world : public world {
public:
    odd_world(const scenario& of, std::uint64_t seed)
        : world(of.service, seed, of.client), between_(std::make_shared<odd_responses>(env, nullptr, of.odd, seed)) {
        again(of.client);
    }

    void again(client_options chosen) {
        subject.reset();
        env->run();
        between_->go_over(make_memory_transport(env, remote));
        network = std::make_shared<recorder>(env, between_);
        chosen.base_url = "https://service.test";
        chosen.api_key = secret::from_key(remote->api_key()).value();
        chosen.env = env;
        chosen.transport_override = network;
        subject.emplace(context.get_executor(), std::move(chosen));
    }

private:
    std::shared_ptr<odd_responses> between_;
};

// One run of one scenario, in one process or several, and all that was seen of it.
class played {
public:
    explicit played(std::uint64_t seed) : chosen(seed) {
        odd_world w(chosen, seed);
        w.time_limit = deadline_after(w.env->now(), std::chrono::hours(24 * 60));
        w.env->set_log_hook([this, &w](const log_record& record) {
            trace += std::to_string(w.now().count()) + " " + std::string(record.event);
            for (const log_field& field : record.fields) {
                trace += " " + std::string(field.name) + "=" + field.value;
            }
            trace += "\n";
        });
        for (const std::uint64_t calls : chosen.calls_until_death) {
            const auto life = std::make_shared<lifetime>();
            life->calls_left = calls;
            live(w, life);
            w.again(chosen.client);
        }
        live(w, std::make_shared<lifetime>());
        counters = w.remote->counters();
        broken = journal.broken;
        virtual_time = w.now();
    }

    scenario chosen;
    ledger_sink sink;                                     ///< Of the last process.
    std::map<std::uint64_t, std::vector<float>> written;  ///< By all processes.
    std::optional<result<bulk_report>> report;            ///< Of the last process.
    memory_journal journal{std::make_shared<lifetime>()};
    std::uint64_t deaths = 0;
    service_counters counters;
    std::uint64_t early_requests = 0;
    std::map<std::string, std::uint32_t, std::less<>> bought;
    std::string trace;
    std::vector<std::string> broken;       ///< Rules of run_journal that the engine broke,
    std::vector<std::string> broken_rows;  ///< and of row_sink.
    std::chrono::milliseconds virtual_time{0};

private:
    void live(odd_world& w, const std::shared_ptr<lifetime>& life) {
        vector_source source(chosen.texts());
        ledger_sink rows_of_this_life;
        mortal_sink mortal_rows(rows_of_this_life, life);
        mortal_journal mortal_memory(journal, life);
        bulk_options options = chosen.bulk;
        options.journal = chosen.with_journal ? &mortal_memory : nullptr;
        row_sink& into = chosen.calls_until_death.empty() ? static_cast<row_sink&>(rows_of_this_life) : mortal_rows;
        report.emplace(w.run(w.subject->embed_corpus(source, into, options)));
        deaths += life->dead() ? 1 : 0;
        early_requests += w.network->early_requests;
        for (const auto& [text, times] : w.network->bought) {
            bought[text] += times;
        }
        trace += w.network->trace;
        for (const std::string& rule : rows_of_this_life.broken) {
            broken_rows.push_back(rule);
        }
        for (const auto& [index, row] : rows_of_this_life.rows) {
            written.insert_or_assign(index, row);
        }
        sink.rows = rows_of_this_life.rows;
        sink.failed = rows_of_this_life.failed;
        sink.finished = rows_of_this_life.finished;
    }
};

void expect_true_rows(const played& seen) {
    EXPECT_EQ(seen.broken_rows, std::vector<std::string>());
    for (const auto& [index, row] : seen.written) {
        ASSERT_EQ(row.size(), 384U);
        const float* const wanted = truth().data() + seen.chosen.originals[index] * 384;
        ASSERT_TRUE(std::equal(row.begin(), row.end(), wanted)) << "row " << index << " is not its text's embedding";
    }
}

bool is_settled(const played& seen, std::uint64_t row) {
    return seen.sink.rows.contains(row) || seen.sink.failed.contains(row);
}

// The rows of batches without an answer, and those that wait for them because their text is the same.
std::set<std::uint64_t> parked_rows(const played& seen) {
    std::set<std::uint64_t> parked;
    std::set<std::uint64_t> left;
    std::set<std::uint64_t> texts;
    for (const unknown_batch& batch : (**seen.report).unknown) {
        for (const std::uint64_t row : batch.rows) {
            if (!batch.resubmitted && !batch.not_charged) {
                EXPECT_TRUE(parked.insert(row).second) << "row " << row << " is in two unknown batches";
                EXPECT_FALSE(is_settled(seen, row)) << "row " << row;
            } else if (!batch.resubmitted && !is_settled(seen, row)) {
                left.insert(row);  // Of a batch that never became a job, to a run that reads them again.
            }
        }
    }
    parked.merge(left);
    for (const std::uint64_t row : parked) {
        texts.insert(seen.chosen.originals[row]);
    }
    for (std::uint64_t row = 0; seen.chosen.bulk.deduplicate && row < rows; ++row) {
        if (texts.contains(seen.chosen.originals[row]) && !is_settled(seen, row)) {
            parked.insert(row);
        }
    }
    return parked;
}

void expect_every_row_accounted_for(const played& seen) {
    const bulk_report& report = **seen.report;
    const bool one_life = seen.chosen.calls_until_death.empty();
    if (one_life) {
        EXPECT_EQ(report.rows_done, seen.sink.rows.size());
        EXPECT_EQ(report.rows_failed, seen.sink.failed.size());
    }
    EXPECT_LE(report.rows_done, seen.written.size());
    const std::set<std::uint64_t> parked = parked_rows(seen);
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
    if (seen.chosen.calls_until_death.empty()) {
        std::uint64_t perhaps = 0;
        for (const unknown_batch& batch : report.unknown) {
            perhaps += batch.chunks_estimated;
        }
        EXPECT_GE(seen.counters.chunks_charged, report.chunks_used);
        EXPECT_LE(seen.counters.chunks_charged, report.chunks_used + perhaps);
        if (seen.chosen.bulk.max_chunks) {
            EXPECT_LE(seen.counters.chunks_charged, *seen.chosen.bulk.max_chunks);
        }
    }
    EXPECT_LE(report.extra_chunks, seen.chosen.bulk.max_extra_chunks);
}

// No two jobs have a row in common, and the service charged for no job that the journal does not know of.
void expect_no_job_twice(const played& seen) {
    std::set<std::uint64_t> in_jobs;
    std::uint64_t chunks = seen.journal.chunks_forgotten;
    for (const auto& [number, batch] : seen.journal.batches) {
        chunks += batch.chunks;
        for (const auto& [first, last] : batch.rows) {
            for (std::uint64_t row = first; row < last; ++row) {
                EXPECT_TRUE(in_jobs.insert(row).second) << "row " << row << " is in two jobs";
            }
        }
    }
    EXPECT_LE(seen.counters.chunks_charged, chunks) << "more was charged than the journal knows of";
}

void expect_nothing_bought_twice(const played& seen) {
    const fault_rates& faults = seen.chosen.service.faults;
    if (seen.chosen.bulk.on_unknown != unknown_policy::park || faults.failed_chunk != 0 || faults.refund != 0) {
        return;
    }
    if (seen.chosen.with_journal) {
        expect_no_job_twice(seen);
    }
    bool counted = !seen.chosen.calls_until_death.empty();
    for (const unknown_batch& batch : (**seen.report).unknown) {
        counted = counted || batch.not_charged;
    }
    if (counted) {
        return;  // The account's count may have shown that they were not: then more is known than the network shows.
    }
    std::map<std::string, std::uint32_t> wanted;
    for (const std::string& text : seen.chosen.texts()) {
        wanted[text] = seen.chosen.bulk.deduplicate ? 1 : wanted[text] + 1;
    }
    for (const auto& [text, times] : seen.bought) {
        EXPECT_LE(times, wanted[text]) << "may have been bought twice: " << text;
    }
}

// Faults may leave /account unreadable; then nothing has begun in that process.
bool may_end_so(const played& seen) {
    return seen.report->has_error() && seen.report->error().kind == errc::network &&
           (seen.counters.jobs_created == 0 || !seen.chosen.calls_until_death.empty());
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
    expect_nothing_bought_twice(seen);
}

// A simulation in which nothing ever goes wrong, or everything does, shows nothing.
void expect_variety(std::map<std::string, std::uint64_t>& ends, std::uint64_t seeds) {
    for (const auto& [reason, times] : ends) {
        ::testing::Test::RecordProperty(reason, std::to_string(times));
        std::cout << "  " << reason << ": " << times << "\n";
    }
    if (seeds >= 300) {
        EXPECT_GE(ends["complete"], seeds / 10);
        EXPECT_GE(ends["parked_batches"], seeds / 50);
        EXPECT_GE(ends["quota"], 1U);
        EXPECT_GE(ends["(processes that died)"], seeds / 20);
    }
}

TEST(Simulation, InvariantsHoldForEverySeed) {
    const std::uint64_t first = number_from("VEMBED_FIRST_SEED", 1);
    const std::uint64_t seeds = number_from("VEMBED_SEEDS", repetitions(500));
    const auto real = make_system_environment();
    const monotonic_time began = real->now();
    std::chrono::milliseconds virtual_time{0};
    std::map<std::string, std::uint64_t> ends;
    for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
        SCOPED_TRACE("VEMBED_FIRST_SEED=" + std::to_string(seed) + " VEMBED_SEEDS=1");
        const played seen(seed);
        expect_sound(seen);
        ++ends[*seen.report ? std::string(to_string((*seen.report)->reason)) : "failed"];
        ends["(processes that died)"] += seen.deaths;
        virtual_time += seen.virtual_time;
        if (HasFatalFailure()) {
            return;
        }
    }
    const double took = std::chrono::duration<double>(real->now() - began).count();
    const double speed = std::chrono::duration<double>(virtual_time).count() / took;
    std::cout << "  " << seeds << " seeds from " << first << ": " << static_cast<std::uint64_t>(speed)
              << " virtual seconds a second\n";
    EXPECT_GE(speed, static_cast<double>(number_from("VEMBED_SPEED_MIN", 0)));
    expect_variety(ends, seeds);
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
