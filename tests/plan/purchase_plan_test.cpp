#include "plan/purchase_plan.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "plan/corpus_plan.hpp"

namespace vembed {
namespace {

using namespace std::chrono_literals;

constexpr wall_time now = std::chrono::sys_days(std::chrono::year(2026) / 3 / 1) + 12h;

account_info trial_account() {
    account_info account;
    account.effective_tier = "trial";
    account.trial_ends_at = "2026-03-15T12:00:00Z";
    account.chunks_period_started_at = "2026-03-01T12:00:00Z";
    account.limits.chunks_per_period = 400;
    account.limits.period_length_days = 14;
    account.limits.chunks_per_day = 100;
    account.limits.chunks_per_minute = 60;
    account.limits.max_chunks_per_request = 100;
    account.limits.max_inputs = 1000;
    return account;
}

purchase bought(std::uint64_t rows, std::uint64_t rows_per_chunk, const account_info& account) {
    plan::purchase_counter counter(plan::packing_limits_of(1000, rows_per_chunk, account.limits));
    for (std::uint64_t i = 0; i < rows; ++i) {
        counter.add(80);
    }
    counter.finish();
    purchase out = plan::purchase_of(counter, rows, 1000);
    policy::forecast_input input = plan::forecast_input_of(account, now);
    input.chunks = out.chunks;
    out.finish = policy::forecast(input);
    return out;
}

bool has_line(const std::vector<std::string>& lines, std::string_view part) {
    return std::any_of(lines.begin(), lines.end(),
                       [part](const std::string& line) { return line.find(part) != std::string::npos; });
}

TEST(purchase_counter, packs_by_rows_chunks_and_bytes) {
    struct packing_case {
        std::uint64_t rows;
        std::uint64_t bytes_each;
        std::uint64_t rows_per_chunk;
        std::optional<std::uint64_t> max_chunks;
        std::uint64_t jobs;
        std::uint64_t chunks;
    };
    for (const packing_case& c :
         {packing_case{0, 1, 100, {}, 0, 0}, packing_case{117'659, 80, 100, {}, 118, 1177},
          packing_case{1000, 1, 300, {}, 2, 4}, packing_case{250, 1, 1, 100, 3, 250},
          packing_case{1000, 65'536, 100, {}, 10, 10}, packing_case{300, 65'536, 1, {}, 3, 300}}) {
        policy::packing_limits limits;
        limits.rows_per_chunk = c.rows_per_chunk;
        limits.chunks = c.max_chunks;
        plan::purchase_counter counter(limits);
        for (std::uint64_t i = 0; i < c.rows; ++i) {
            counter.add(c.bytes_each);
        }
        counter.finish();
        EXPECT_EQ(counter.rows(), c.rows);
        EXPECT_EQ(counter.jobs(), c.jobs) << c.rows << " of " << c.bytes_each;
        EXPECT_EQ(counter.chunks(), c.chunks) << c.rows << " of " << c.bytes_each;
    }
}

TEST(purchase, wordnet_on_the_trial_tier) {
    const account_info account = trial_account();
    const purchase out = bought(117'659, 100, account);
    EXPECT_EQ(out.chunks, 1177u);
    EXPECT_EQ(out.rows_bought(), 40'000u);
    const auto lines = plan::describe_purchase(out, &account, now);
    EXPECT_TRUE(has_line(lines, "this tier buys 400 of the 1,177 chunks: 40,000 of the 117,659 rows"))
        << ::testing::PrintToString(lines);
    EXPECT_TRUE(has_line(lines, "days 1-4 (2026-03-01 to 2026-03-04): 100 chunks, up to 10,000 rows a day"));
    EXPECT_TRUE(has_line(lines, "the other 777 chunks, 77,659 rows, need another tier: the trial ends 2026-03-15"));
    EXPECT_TRUE(has_line(lines, "1,177% of 100: done in 11d 00h"));
    EXPECT_TRUE(has_line(lines, "of the 400 left of 400"));
}

TEST(purchase, a_paid_tier_says_when_it_is_done_and_what_binds) {
    account_info account;
    account.effective_tier = "paid";
    account.trial_ends_at = "2020-01-01T00:00:00Z";  // Long over: not this tier's end.
    account.limits.chunks_per_minute = 600;
    account.limits.chunks_per_day = 50'000;
    const auto lines = plan::describe_purchase(bought(117'659, 100, account), &account, now);
    EXPECT_TRUE(
        has_line(lines, "done in 58 s at the earliest, 2026-03-01T12:00:58Z; the limit that binds: chunks a minute"))
        << ::testing::PrintToString(lines);
    EXPECT_FALSE(has_line(lines, "another tier"));
}

TEST(purchase, says_what_is_saved) {
    const account_info account = trial_account();
    plan::purchase_counter counter(plan::packing_limits_of(1000, 300, account.limits));
    for (int i = 0; i < 1800; ++i) {
        counter.add(1);
    }
    counter.finish();
    const purchase out = plan::purchase_of(counter, 2000, 1000);
    EXPECT_EQ(out.chunks, 6u);
    EXPECT_EQ(out.saved_by_packing, 1u) << "1000 and 800 rows are 4 and 3 chunks";
    EXPECT_EQ(out.saved_by_reuse, 1u) << "2000 rows are 8";
    EXPECT_FALSE(out.finish);
    EXPECT_TRUE(has_line(plan::describe_purchase(out, nullptr, now), "at 300 rows a chunk: 6 chunks in 2 jobs"));
}

TEST(forecast_input, of_an_account_that_says_little) {
    const policy::forecast_input input = plan::forecast_input_of(account_info(), now);
    EXPECT_FALSE(input.quota.chunks_day.limit);
    EXPECT_FALSE(input.quota.period_left);
    EXPECT_FALSE(input.tier_ends);
    account_info odd = trial_account();
    odd.chunks_period_started_at = "yesterday";
    odd.trial_ends_at = "soon";
    EXPECT_FALSE(plan::forecast_input_of(odd, now).quota.period_left);
    EXPECT_FALSE(plan::forecast_input_of(odd, now).tier_ends);
    odd.chunks_period_started_at = "2025-01-01T00:00:00Z";
    EXPECT_EQ(plan::forecast_input_of(odd, now).quota.period_left, 0s);
}

class size_case {
public:
    std::uint64_t said;
    std::uint64_t of_run;
    bool of_run_known;
    detail::chunk_size remembered;
    std::uint64_t rows;
    chunk_size_origin origin;
};

TEST(PlannedChunkSize, IsTheCallersThenTheRunsThenWhatTheMachineRemembers) {
    using enum chunk_size_origin;
    const size_case table[] = {
        {0, 0, false, {}, 1, nobody},
        {0, 5, false, {}, 5, nobody},
        {0, 0, false, {7, false}, 7, nobody},
        {0, 0, false, {10, true}, 10, memory},
        {0, 5, false, {10, true}, 10, memory},
        {0, 20, false, {10, true}, 20, nobody},  // A job of the run has shown since that it grew.
        {0, 20, true, {10, true}, 20, run},
        {50, 20, true, {10, true}, 50, caller},
    };
    for (const size_case& one : table) {
        plan::begun_run begun;
        begun.rows_per_chunk = one.of_run;
        begun.rows_per_chunk_known = one.of_run_known;
        const plan::planned_chunk_size size = plan::chunk_size_for_plan(one.said, begun, one.remembered);
        SCOPED_TRACE(std::to_string(one.said) + ' ' + std::to_string(one.of_run) + ' ' +
                     std::to_string(one.remembered.rows));
        EXPECT_EQ(size.rows, one.rows);
        EXPECT_EQ(size.origin, one.origin);
    }
}

}  // namespace
}  // namespace vembed
