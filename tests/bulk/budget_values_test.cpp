// What a run may spend: the chunk budget, narrowing within it, and the batches in doubt that it decides about.

#include <gtest/gtest.h>

#include "bulk/values/chunk_budget.hpp"
#include "bulk/values/in_doubt_batches.hpp"
#include "bulk/values/narrowing.hpp"

namespace vembed::bulk {
namespace {

using policy::unknown_verdict;

bulk_options capped_at(std::uint64_t chunks) {
    bulk_options options;
    options.max_chunks = chunks;
    return options;
}

bulk_options resubmitting(std::uint64_t extra) {
    bulk_options options;
    options.on_unknown = unknown_policy::resubmit;
    options.max_extra_chunks = extra;
    return options;
}

bulk_options narrowing_within(std::uint64_t chunks) {
    bulk_options options;
    options.max_narrowing_chunks = chunks;
    return options;
}

// Rows first, first + 1, …
batch rows_from(std::uint64_t first, std::size_t count, std::size_t text_size = 1) {
    batch made;
    for (std::size_t i = 0; i < count; ++i) {
        made.indices.push_back(first + i);
    }
    made.rows.resize(count);
    made.texts = std::make_shared<const std::vector<std::string>>(count, std::string(text_size, 'x'));
    return made;
}

std::vector<std::vector<std::uint64_t>> rows_of(const std::deque<batch>& batches) {
    std::vector<std::vector<std::uint64_t>> rows;
    for (const batch& one : batches) {
        rows.push_back(one.indices);
    }
    return rows;
}

std::vector<std::uint64_t> rows_of(const std::vector<failed_row>& failed) {
    std::vector<std::uint64_t> rows;
    for (const failed_row& one : failed) {
        rows.push_back(one.index);
    }
    return rows;
}

error failed_in(std::vector<std::pair<std::uint64_t, std::uint64_t>> chunks) {
    error f(errc::job_failed, "failed");
    for (const auto& [first, last] : chunks) {
        failed_chunk& chunk = f.failed_chunks.emplace_back();
        chunk.row_start = first;
        chunk.row_end = last;
    }
    return f;
}

TEST(ChunkBudget, AffordsRowsByWhatTheyCostAtMost) {
    class row {
    public:
        std::uint64_t cap, used, rows, rows_per_chunk, affordable;
    };
    const row table[] = {
        {10, 0, 5, 1, 5},   {10, 0, 50, 1, 10}, {10, 0, 50, 4, 40}, {10, 0, 50, 0, 10}, {10, 9, 50, 4, 4},
        {10, 10, 50, 4, 0}, {10, 12, 1, 4, 0},  {0, 0, 1, 1, 0},    {1, 0, 4, 4, 4},
    };
    for (const row& r : table) {
        chunk_budget budget(capped_at(r.cap));
        budget.submitting(r.used);
        budget.accepted(r.used, r.used, false);
        EXPECT_EQ(budget.rows_affordable(r.rows, r.rows_per_chunk), r.affordable)
            << r.cap << ' ' << r.used << ' ' << r.rows << ' ' << r.rows_per_chunk;
    }
    const chunk_budget boundless{bulk_options()};
    EXPECT_FALSE(boundless.is_capped());
    EXPECT_EQ(boundless.rows_affordable(1'000'000, 0), 1'000'000U);
}

TEST(ChunkBudget, CountsWhatIsOutAndWhatIsInDoubtAsCharged) {
    run_facts facts;
    facts.extra_chunks = 2;
    chunk_budget budget(capped_at(100));
    budget.adopt_charged(10, facts);
    EXPECT_EQ(budget.spoken_for(), 12U);
    budget.adopt_in_doubt(3);
    budget.submitting(5);
    EXPECT_TRUE(budget.may_grow());
    EXPECT_EQ(budget.spoken_for(), 20U);
    budget.unanswered(5);
    EXPECT_FALSE(budget.may_grow());
    EXPECT_EQ(budget.spoken_for(), 20U);
    budget.submitting(5);
    budget.accepted(5, 4, true);
    EXPECT_EQ(budget.spoken_for(), 24U);
    EXPECT_EQ(budget.narrowing(), 4U);
    budget.submitting(5);
    budget.refused(5);
    EXPECT_EQ(budget.spoken_for(), 24U);
    budget.correct(1, true);
    EXPECT_EQ(budget.used(), 3U);
    EXPECT_EQ(budget.narrowing(), 3U);
    budget.none_in_doubt_charged();
    EXPECT_EQ(budget.spoken_for(), 13U);
    EXPECT_EQ(budget.charged(), 13U);
    EXPECT_EQ(budget.charged_before(), 10U);
    EXPECT_EQ(budget.extra(), 2U);
}

TEST(ChunkBudget, ResubmitsOnlyIfToldToAndOnlyWithinTheExtraBudget) {
    chunk_budget parks{bulk_options()};
    EXPECT_FALSE(parks.take_extra(0));
    chunk_budget budget(resubmitting(5));
    EXPECT_FALSE(budget.take_extra(6));
    EXPECT_TRUE(budget.take_extra(3));
    EXPECT_FALSE(budget.take_extra(3));
    EXPECT_TRUE(budget.take_extra(2));
    EXPECT_EQ(budget.extra(), 5U);
    chunk_budget later(resubmitting(5));
    run_facts facts;
    facts.extra_chunks = 7;  // The budget was larger then.
    later.adopt_charged(0, facts);
    EXPECT_TRUE(later.take_extra(0));
    EXPECT_FALSE(later.take_extra(1));
}

TEST(ChunkBudget, ExplainsWhatTheCapWouldHaveToBe) {
    chunk_budget budget(capped_at(3));
    budget.submitting(3);
    budget.accepted(3, 3, false);
    EXPECT_EQ(budget.explain(0, 4), "the run has used 3 chunks, of 3 that it may use in all");
    EXPECT_EQ(budget.explain(9, 4),
              "the run has used 3 chunks, of 3 that it may use in all; to buy every row that is left, allow 6");
    EXPECT_EQ(budget.explain(2, 0),
              "the run has used 3 chunks, of 3 that it may use in all; to buy every row that is left, allow 5");
}

using lists = std::vector<std::vector<std::uint64_t>>;

TEST(Narrowing, OfAFailedJob) {
    class row {
    public:
        std::vector<std::pair<std::uint64_t, std::uint64_t>> chunks;  ///< Of a job of rows 10 to 17.
        std::uint64_t allowed;
        lists again;
        std::vector<std::uint64_t> lost;
    };
    const row table[] = {
        {{}, 99, {{10, 11, 12, 13}, {14, 15, 16, 17}}, {}},
        {{}, 0, {}, {10, 11, 12, 13, 14, 15, 16, 17}},
        {{{0, 1}}, 99, {{11, 12, 13, 14, 15, 16, 17}}, {10}},
        {{{2, 4}}, 99, {{10, 11}, {12}, {13}, {14, 15, 16, 17}}, {}},
        {{{2, 4}}, 1, {{10, 11}, {14, 15, 16, 17}}, {12, 13}},
        {{{4, 8}, {0, 2}}, 2, {{10}, {11}, {12, 13}}, {14, 15, 16, 17}},
        {{{6, 99}}, 99, {{10, 11, 12, 13, 14, 15}, {16}, {17}}, {}},
        {{{0, 2}, {1, 3}}, 99, {{10}, {11}, {13, 14, 15, 16, 17}}, {12}},
        {{{90, 99}}, 99, {{10, 11, 12, 13, 14, 15, 16, 17}}, {}},
    };
    const batch item = rows_from(10, 8);
    for (const row& r : table) {
        chunk_budget budget(narrowing_within(r.allowed));
        const narrowing plan = narrow_failed(item, failed_in(r.chunks), 2, &budget);
        EXPECT_EQ(rows_of(plan.again), r.again);
        EXPECT_EQ(rows_of(plan.lost), r.lost);
    }
}

TEST(Narrowing, MarksOnlyWhatHoldsARowAtFault) {
    batch item = rows_from(0, 6);
    item.narrowing = true;
    chunk_budget budget(narrowing_within(99));
    const narrowing plan = narrow_failed(item, failed_in({{2, 4}}), 2, &budget);
    ASSERT_EQ(plan.again.size(), 4U);
    EXPECT_FALSE(plan.again[0].narrowing);
    EXPECT_TRUE(plan.again[1].narrowing);
    EXPECT_TRUE(plan.again[2].narrowing);
    EXPECT_FALSE(plan.again[3].narrowing);
}

TEST(Narrowing, SaysWhyRowsAreLostTogether) {
    chunk_budget budget(narrowing_within(0));
    const narrowing failed = narrow_failed(rows_from(0, 2), failed_in({}), 1, &budget);
    ASSERT_EQ(failed.lost.size(), 2U);
    EXPECT_EQ(failed.lost[0].reason.message,
              "failed; which of the 2 rows is at fault was not looked for any further (max_narrowing_chunks)");
    error firewall(errc::api, "forbidden");
    firewall.http_status = 403;
    const narrowing refused = halve_refused(rows_from(0, 3), firewall, 4, &budget);
    ASSERT_EQ(refused.lost.size(), 3U);
    EXPECT_EQ(refused.lost[0].reason.message,
              "forbidden; which of the 3 rows it refused was not looked for any further (max_narrowing_chunks)");
}

TEST(Narrowing, OfARefusedBatch) {
    error firewall(errc::api, "");
    firewall.http_status = 403;
    const error too_large(errc::request_too_large, "");
    class row {
    public:
        error why;
        std::size_t rows;
        std::uint64_t rows_per_chunk, allowed;
        lists again;
        std::size_t lost;
    };
    const row table[] = {
        {too_large, 1, 2, 99, {}, 1},
        {too_large, 4, 2, 0, {{0, 1}, {2, 3}}, 0},
        {too_large, 3, 4, 0, {{0}, {1, 2}}, 0},
        {firewall, 4, 2, 0, {{0, 1}, {2, 3}}, 0},  // Full chunks cost no more in halves.
        {firewall, 4, 4, 0, {}, 4},
        {firewall, 4, 4, 1, {{0, 1}, {2, 3}}, 0},
        {firewall, 1, 4, 9, {}, 1},
    };
    for (const row& r : table) {
        chunk_budget budget(narrowing_within(r.allowed));
        const narrowing plan = halve_refused(rows_from(0, r.rows), r.why, r.rows_per_chunk, &budget);
        EXPECT_EQ(rows_of(plan.again), r.again);
        EXPECT_EQ(plan.lost.size(), r.lost);
    }
}

batch numbered(std::uint64_t number, std::uint64_t first, std::size_t count, std::size_t text_size = 1) {
    batch made = rows_from(first, count, text_size);
    made.number = number;
    return made;
}

void add_kept(in_doubt_batches& to, const batch& item, chunk_budget* budget) {
    to.add(in_doubt_batches::entry_of(item, "no answer", 2, budget));
    to.keep_texts(item);
}

TEST(InDoubtBatches, ComeBackOnceTheCountShowsThatNoneWasCharged) {
    chunk_budget budget{bulk_options()};
    in_doubt_batches batches;
    add_kept(batches, numbered(3, 0, 4), &budget);
    add_kept(batches, numbered(5, 4, 3), &budget);
    EXPECT_EQ(batches.rows_out(), 7U);
    EXPECT_EQ(batches.chunks_open(), 4U);
    EXPECT_FALSE(batches.take_released());
    EXPECT_EQ(batches.release(), (std::vector<std::uint64_t>{3, 5}));
    EXPECT_EQ(batches.rows_released(), 7U);
    EXPECT_EQ(batches.chunks_open(), 0U);
    const auto first = batches.take_released();
    ASSERT_TRUE(first);
    EXPECT_EQ(first->indices, (std::vector<std::uint64_t>{0, 1, 2, 3}));
    EXPECT_EQ(batches.rows_out(), 3U);
    EXPECT_EQ(batches.rows_released(), 3U);
    EXPECT_TRUE(batches.take_released());
    EXPECT_FALSE(batches.take_released());
}

TEST(InDoubtBatches, WithAJobOfTheirOwnAreNeverReleased) {
    chunk_budget budget{bulk_options()};
    in_doubt_batches batches;
    batch lost = numbered(1, 0, 2);
    lost.job_id = "j1";
    batches.add(in_doubt_batches::entry_of(lost, "lost", 2, &budget));
    EXPECT_EQ(batches.chunks_open(), 0U);
    EXPECT_TRUE(batches.release().empty());
    batches.note(unknown_verdict::all_charged);
    EXPECT_FALSE(batches.entries()[0].probably_charged);
    EXPECT_EQ(batches.rows_out(), 2U);
}

TEST(InDoubtBatches, AreResubmittedAsFarAsTheExtraBudgetGoes) {
    chunk_budget budget(resubmitting(3));
    in_doubt_batches batches;
    add_kept(batches, numbered(1, 0, 8), &budget);
    add_kept(batches, numbered(2, 8, 10), &budget);
    add_kept(batches, numbered(3, 18, 9), &budget);
    EXPECT_EQ(batches.rows_out(), 27U);
    const auto again = batches.take_affordable(4, &budget);  // Two rows a chunk was too dear an estimate.
    ASSERT_TRUE(again);
    EXPECT_EQ(again->number, 1U);
    EXPECT_TRUE(batches.entries()[0].resubmitted);
    EXPECT_EQ(batches.entries()[0].chunks_estimated, 2U);
    EXPECT_EQ(batches.rows_out(), 19U);
    EXPECT_FALSE(batches.take_affordable(4, &budget));
    batches.lower_estimates(5);
    EXPECT_EQ(batches.entries()[0].chunks_estimated, 2U);  // It was spent.
    EXPECT_EQ(batches.entries()[1].chunks_estimated, 2U);
}

TEST(InDoubtBatches, KeepNoMoreTextsThanTheyMay) {
    chunk_budget budget{bulk_options()};
    in_doubt_batches batches;
    add_kept(batches, numbered(1, 0, 2, in_doubt_batches::bytes_max / 2), &budget);
    add_kept(batches, numbered(2, 2, 1), &budget);
    EXPECT_EQ(batches.release().size(), 2U);
    EXPECT_TRUE(batches.take_released());
    EXPECT_FALSE(batches.take_released());  // A later run reads it.
    EXPECT_EQ(batches.rows_released(), 1U);
}

TEST(InDoubtBatches, OfAnEarlierProcess) {
    class row {
    public:
        batch_state state;
        unknown_verdict verdict;
        std::uint64_t extra;
        bool not_charged, probably_charged, resubmitted;
        std::uint64_t spoken_for, rows_out;
    };
    const row table[] = {
        {batch_state::intent, unknown_verdict::undecided, 0, false, false, false, 2, 4},
        {batch_state::intent, unknown_verdict::none_charged, 9, true, false, false, 0, 0},
        {batch_state::unknown, unknown_verdict::all_charged, 0, false, true, false, 2, 4},
        {batch_state::unknown, unknown_verdict::undecided, 9, false, false, true, 2, 0},
    };
    for (const row& r : table) {
        journalled_batch left;
        left.batch = 7;
        left.state = r.state;
        left.rows = {{20, 24}};
        left.chunks = 5;
        chunk_budget budget(resubmitting(r.extra));
        in_doubt_batches batches;
        const unknown_batch& entry = batches.adopt(left, r.verdict, 2, &budget);
        EXPECT_EQ(entry.chunks_estimated, 2U);
        EXPECT_EQ(entry.not_charged, r.not_charged);
        EXPECT_EQ(entry.probably_charged, r.probably_charged);
        EXPECT_EQ(entry.resubmitted, r.resubmitted);
        EXPECT_EQ(stays_out(entry), r.rows_out > 0);
        EXPECT_EQ(budget.spoken_for(), r.spoken_for);
        EXPECT_EQ(batches.rows_out(), r.rows_out);
    }
}

}  // namespace
}  // namespace vembed::bulk
