// The engine's decisions apart from its coroutines: reactions, batches and what an earlier run left.

#include <gtest/gtest.h>

#include "bulk/batches/batch_reader.hpp"
#include "bulk/values/rate_window.hpp"
#include "bulk/values/reaction.hpp"
#include "core/row_set.hpp"
#include "support/ledger_sink.hpp"

namespace vembed::bulk {
namespace {

using testing::ledger_sink;

constexpr errc all_kinds[] = {errc::invalid_argument,
                              errc::invalid_request,
                              errc::unknown_model,
                              errc::unauthorized,
                              errc::trial_expired,
                              errc::quota_exceeded,
                              errc::not_found,
                              errc::request_too_large,
                              errc::verification_failed,
                              errc::rate_limited,
                              errc::too_many_inflight,
                              errc::service_busy,
                              errc::verification_timeout,
                              errc::api,
                              errc::network,
                              errc::outcome_unknown,
                              errc::protocol,
                              errc::response_too_large,
                              errc::job_failed,
                              errc::job_refunded,
                              errc::job_cancelled,
                              errc::job_expired,
                              errc::timeout,
                              errc::cancelled,
                              errc::io,
                              errc::bad_input,
                              errc::folder_mismatch,
                              errc::model_changed,
                              errc::journal_damaged,
                              errc::budget_exhausted,
                              errc::callback_failed};

TEST(Reactions, OnlyALostResponseParksABatch) {
    for (const errc kind : all_kinds) {
        EXPECT_EQ(react_to_submit(error(kind, "")) == submit_reaction::park, kind == errc::outcome_unknown)
            << to_string(kind);
    }
}

TEST(Reactions, ToASubmission) {
    const std::pair<errc, submit_reaction> table[] = {
        {errc::request_too_large, submit_reaction::split},   {errc::invalid_request, submit_reaction::split},
        {errc::quota_exceeded, submit_reaction::stop_quota}, {errc::rate_limited, submit_reaction::stop_busy},
        {errc::service_busy, submit_reaction::stop_busy},    {errc::network, submit_reaction::wait_out},
        {errc::cancelled, submit_reaction::withdrawn},       {errc::timeout, submit_reaction::withdrawn},
        {errc::unauthorized, submit_reaction::give_up},      {errc::trial_expired, submit_reaction::give_up},
        {errc::unknown_model, submit_reaction::give_up},     {errc::api, submit_reaction::give_up},
    };
    for (const auto& [kind, wanted] : table) {
        EXPECT_EQ(react_to_submit(error(kind, "")), wanted) << to_string(kind);
    }
    error refused_certificate(errc::network, "");
    refused_certificate.lasting = true;
    EXPECT_EQ(react_to_submit(refused_certificate), submit_reaction::stop_busy);
    error firewall(errc::api, "");
    firewall.http_status = 403;
    EXPECT_EQ(react_to_submit(firewall), submit_reaction::narrow);
}

TEST(Reactions, ToAJobThatWasAccepted) {
    const std::pair<errc, job_reaction> table[] = {
        {errc::network, job_reaction::try_again},      {errc::protocol, job_reaction::try_again},
        {errc::service_busy, job_reaction::try_again}, {errc::job_failed, job_reaction::fail_rows},
        {errc::job_refunded, job_reaction::resubmit},  {errc::verification_failed, job_reaction::withhold},
        {errc::not_found, job_reaction::lost},         {errc::timeout, job_reaction::leave},
        {errc::cancelled, job_reaction::leave},        {errc::unauthorized, job_reaction::give_up},
    };
    for (const auto& [kind, wanted] : table) {
        EXPECT_EQ(react_to_job(error(kind, "")), wanted) << to_string(kind);
    }
    error refused(errc::network, "a certificate");
    refused.lasting = true;
    EXPECT_EQ(react_to_job(refused), job_reaction::leave);
    error proxy(errc::api, "");
    proxy.http_status = 502;
    EXPECT_EQ(react_to_job(proxy), job_reaction::try_again);
    proxy.http_status = 418;
    EXPECT_EQ(react_to_job(proxy), job_reaction::give_up);
}

TEST(RowSet, HoldsWhatWasAddedInWhateverOrder) {
    core::row_set rows;
    EXPECT_FALSE(rows.contains(0));
    rows.add({{3, 5}, {0, 1}, {4, 6}});
    rows.add(1'000'000);
    for (std::uint64_t row = 0; row < 200; ++row) {
        EXPECT_EQ(rows.contains(row), row == 0 || (row >= 3 && row < 6)) << row;
    }
    EXPECT_TRUE(rows.contains(1'000'000));
    EXPECT_FALSE(rows.contains(999'999));
    EXPECT_FALSE(rows.contains(std::uint64_t{1} << 60U));
    EXPECT_EQ(rows.size(), 5U);
    rows.add(4);
    EXPECT_EQ(rows.size(), 5U);
}

policy::packing_limits limits_of(std::uint64_t rows, std::uint64_t bytes = 1'000'000) {
    policy::packing_limits limits;
    limits.rows = rows;
    limits.bytes = bytes;
    return limits;
}

reader_parts parts_of(row_source& source, row_sink& sink) {
    reader_parts parts;
    parts.source = &source;
    parts.sink = &sink;
    return parts;
}

// Reads everything and says which rows travel together.
std::vector<std::vector<std::uint64_t>> batches_of(batch_reader& reader, const policy::packing_limits& limits) {
    std::vector<std::vector<std::uint64_t>> all;
    for (;;) {
        auto next = reader.next(limits);
        EXPECT_TRUE(next) << next.error();
        if (!next || !*next) {
            return all;
        }
        EXPECT_EQ((*next)->indices.size(), (*next)->texts->size());
        EXPECT_EQ((*next)->indices.size(), (*next)->rows.size());
        all.push_back((*next)->indices);
    }
}

using lists = std::vector<std::vector<std::uint64_t>>;

TEST(BatchReader, PacksByRowsAndBytes) {
    const std::vector<std::string> texts{"aaaa", "bb", "cc", "dddddddd", "e", "f"};
    const std::pair<policy::packing_limits, lists> table[] = {
        {limits_of(10), {{0, 1, 2, 3, 4, 5}}},
        {limits_of(2), {{0, 1}, {2, 3}, {4, 5}}},
        {limits_of(1), {{0}, {1}, {2}, {3}, {4}, {5}}},
        {limits_of(10, 6), {{0, 1}, {2}, {3}, {4, 5}}},
        {limits_of(10, 1), {{0}, {1}, {2}, {3}, {4}, {5}}},
        {limits_of(1, 1), {{0}, {1}, {2}, {3}, {4}, {5}}},
    };
    for (const auto& [limits, wanted] : table) {
        vector_source source(texts);
        ledger_sink sink;
        batch_reader reader(parts_of(source, sink));
        EXPECT_EQ(batches_of(reader, limits), wanted) << limits.rows << " rows, " << limits.bytes << " bytes";
        EXPECT_TRUE(reader.counts().ended);
        EXPECT_EQ(reader.counts().rows_read, 6U);
    }
}

journalled_batch accepted(std::uint64_t number, row_ranges rows) {
    journalled_batch batch;
    batch.batch = number;
    batch.state = batch_state::accepted;
    batch.rows = std::move(rows);
    batch.job_id = "job_" + std::to_string(number);
    return batch;
}

TEST(BatchReader, TakesUpWhatAnEarlierRunLeft) {
    vector_source source({"0", "1", "2", "", "4", "5", "6", "7", "8", "9"});
    ledger_sink sink;
    batch_reader reader(parts_of(source, sink));
    reader.skip_done({{0, 2}});
    reader.skip_failed(6, 8);
    reader.skip_parked({{8, 9}});
    reader.take_up(accepted(4, {{4, 5}, {7, 8}}));  // Row 7 was also given up, half-way: the job decides.
    std::vector<std::pair<std::string, std::vector<std::uint64_t>>> seen;
    while (auto next = reader.next(limits_of(3))) {
        if (!*next) {
            break;
        }
        seen.emplace_back((*next)->job_id, (*next)->indices);
    }
    const std::vector<std::pair<std::string, std::vector<std::uint64_t>>> wanted{{"job_4", {4, 7}}, {"", {2, 5, 9}}};
    EXPECT_EQ(seen, wanted);
    EXPECT_EQ(reader.counts().rows_done_before, 2U);
    EXPECT_EQ(reader.counts().rows_failed, 2U) << "row 3 now, row 6 before";
    EXPECT_EQ(sink.described, 10U);
    EXPECT_TRUE(sink.failed.contains(3));
}

TEST(BatchReader, AJobWhoseRowsAreNotAllThereIsNoSilentLoss) {
    vector_source source({"0", "1"});
    ledger_sink sink;
    batch_reader reader(parts_of(source, sink));
    reader.take_up(accepted(0, {{1, 5}}));
    EXPECT_EQ(reader.next(limits_of(1)).value()->indices, std::vector<std::uint64_t>{0});
    const auto end = reader.next(limits_of(1));
    ASSERT_FALSE(end);
    EXPECT_EQ(end.error().kind, errc::folder_mismatch);
}

TEST(PartOfABatch, KeepsIndicesRowsAndTextsTogether) {
    batch whole;
    whole.number = 7;
    whole.job_id = "job_7";
    whole.refunds = 1;
    whole.texts = std::make_shared<const std::vector<std::string>>(std::vector<std::string>{"a", "b", "c"});
    whole.indices = {10, 20, 30};
    whole.rows.resize(3);
    whole.rows[1].id = "second";
    const batch part = part_of(whole, 1, 3);
    EXPECT_EQ(part.indices, (std::vector<std::uint64_t>{20, 30}));
    EXPECT_EQ(*part.texts, (std::vector<std::string>{"b", "c"}));
    EXPECT_EQ(part.rows.at(0).id, "second");
    EXPECT_EQ(part.job_id, "") << "not submitted yet";
    EXPECT_EQ(part.refunds, 1U);
}

TEST(RateWindow, ForgetsWhatIsLongAgo) {
    using std::chrono::seconds;
    const monotonic_time start{};
    rate_window rate(seconds(10));
    EXPECT_EQ(rate.rows_per_second(), 0);
    rate.note(start, 0);
    EXPECT_EQ(rate.rows_per_second(), 0);
    rate.note(start + seconds(5), 50);
    EXPECT_DOUBLE_EQ(rate.rows_per_second(), 10);
    for (int i = 6; i <= 60; ++i) {
        rate.note(start + seconds(i), 50);
    }
    EXPECT_EQ(rate.rows_per_second(), 0);
}

}  // namespace
}  // namespace vembed::bulk
