#include <vembed/aitbc/batch.hpp>

#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

#include "aitbc/client_world.hpp"
#include "support/repetitions.hpp"
#include "support/scratch.hpp"

namespace vembed::aitbc {
namespace {

using namespace std::chrono_literals;

std::string request_line(std::uint64_t i) {
    return R"({"model":"m","input":"text )" + std::to_string(i) + R"("})";
}

/// A folder, a file of requests and a service with raised or real limits.
class batch_world {
public:
    explicit batch_world(testing::aitbc_options served, client_options chosen = {})
        : w(std::move(served), std::move(chosen)) {}

    void write_requests(std::uint64_t count, const std::string& more = "") {
        std::ofstream out(requests());
        for (std::uint64_t i = 0; i < count; ++i) {
            out << request_line(i) << '\n';
        }
        out << more;
    }

    [[nodiscard]] std::string requests() const { return scratch.file("jobs.jsonl"); }
    [[nodiscard]] std::string folder() const { return scratch.file("out"); }

    result<job_batch_report> run(job_batch_options options = {}) {
        return w.world.run<result<job_batch_report>>(run_batch(*w.subject, requests(), folder(), std::move(options)));
    }

    served_world w;
    testing::scratch_folder scratch;
};

testing::aitbc_options unlimited(std::uint64_t seed = 1) {
    testing::aitbc_options served;
    served.seed = seed;
    served.requests_per_minute = 0;
    served.requests_per_hour = 0;
    return served;
}

client_options without_limits() {
    client_options options;
    options.calls_per_minute.reset();
    options.calls_per_hour.reset();
    return options;
}

TEST(aitbc_batch, keeps_every_result_in_the_order_of_the_requests) {
    batch_world b(unlimited(), without_limits());
    b.write_requests(40, "\n  \n");
    std::uint64_t told = 0;
    job_batch_options options;
    options.jobs_at_once = 7;
    options.progress = [&](const job_batch_report& so_far) {
        ++told;
        EXPECT_LE(so_far.under_way, 7u);
    };
    const result<job_batch_report> report = b.run(options);
    ASSERT_TRUE(report) << report.error();
    EXPECT_FALSE(report->ended_by) << *report->ended_by;
    EXPECT_TRUE(report->is_complete());
    EXPECT_EQ(report->done, 40u);
    EXPECT_GE(told, 80u);
    EXPECT_EQ(b.w.service->counters().jobs_accepted, 40u);
    const std::vector<std::string> results = testing::lines_of(b.folder() + "/results.jsonl");
    ASSERT_EQ(results.size(), 40u);
    for (std::size_t i = 0; i < results.size(); ++i) {
        const boost::json::object record = boost::json::parse(results[i]).as_object();
        EXPECT_EQ(record.at("line").to_number<std::uint64_t>(), i + 1);
        const std::string name(record.at("files").at(0).at("name").as_string());
        EXPECT_EQ(testing::lines_of(b.folder() + "/files/" + name).size(), 1u) << name;
    }
    EXPECT_TRUE(testing::lines_of(b.folder() + "/failed.jsonl").empty());
    const result<job_batch_report> again = b.run();
    ASSERT_TRUE(again) << again.error();
    EXPECT_TRUE(again->is_complete());
    EXPECT_EQ(b.w.service->counters().jobs_accepted, 40u) << "nothing is bought twice";
}

// The limits of the contract: 60 requests a minute and 1,000 an hour.
TEST(aitbc_batch, three_hundred_jobs_keep_to_the_real_limits) {
    testing::aitbc_options served;
    served.job_time_ms = 60'000;
    served.ttl_s = 86'400;
    batch_world b(served);
    b.write_requests(300);
    const result<job_batch_report> report = b.run();
    ASSERT_TRUE(report) << report.error();
    EXPECT_FALSE(report->ended_by) << *report->ended_by;
    EXPECT_EQ(report->done, 300u);
    const testing::aitbc_counters seen = b.w.service->counters();
    EXPECT_EQ(seen.jobs_accepted, 300u);
    EXPECT_EQ(seen.refused_by_window, 0u);
    EXPECT_LE(seen.requests_in_a_minute_max, 60u);
    EXPECT_LE(seen.requests_in_an_hour_max, 1000u);
    EXPECT_LE(b.w.world.elapsed(), 3h);
}

TEST(aitbc_batch, what_failed_is_a_batch_again) {
    testing::aitbc_options served = unlimited();
    served.faults.failed = 0.2;
    served.faults.failed_result = 0.2;
    batch_world b(served, without_limits());
    b.write_requests(60);
    const result<job_batch_report> report = b.run();
    ASSERT_TRUE(report) << report.error();
    EXPECT_TRUE(report->is_complete());
    EXPECT_GT(report->failed, 5u);
    EXPECT_GT(report->done, 20u);
    const std::vector<std::string> failed = testing::lines_of(b.folder() + "/failed.jsonl");
    EXPECT_EQ(failed.size(), report->failed);
    for (const std::string& line : failed) {
        EXPECT_TRUE(read_request(line)) << line;
    }
    std::uint64_t with_reason = 0;
    for (const std::string& line : testing::lines_of(b.folder() + "/results.jsonl")) {
        with_reason += boost::json::parse(line).as_object().contains("error") ? 1 : 0;
    }
    EXPECT_EQ(with_reason, report->failed);
}

// A stop at any moment, and the same call again: nothing is accepted twice.
TEST(aitbc_batch, goes_on_after_a_stop_at_any_moment) {
    testing::aitbc_options served = unlimited();
    served.job_time_ms = 20'000;
    for (const auto stop_after : {1ms, 3ms, 10ms, 30ms, 100ms, 1000ms, 12'000ms, 25'000ms}) {
        batch_world b(served, without_limits());
        b.write_requests(30);
        std::stop_source stop;
        job_batch_options options;
        options.jobs_at_once = 10;
        options.stop = stop.get_token();
        auto first =
            b.w.world.begin<result<job_batch_report>>(run_batch(*b.w.subject, b.requests(), b.folder(), options));
        b.w.world.run_until(stop_after);
        stop.request_stop();
        b.w.world.run();
        ASSERT_TRUE(first.value()) << first.value().error();
        EXPECT_TRUE(first.value()->in_doubt.empty()) << "a request on its way is not cut off";
        const result<job_batch_report> rest = b.run();
        ASSERT_TRUE(rest) << rest.error();
        EXPECT_EQ(rest->done, 30u) << stop_after.count();
        EXPECT_EQ(b.w.service->counters().jobs_accepted, 30u) << stop_after.count();
    }
}

TEST(aitbc_batch, a_lost_response_is_found_or_named_and_never_sent_again) {
    const std::uint64_t seeds = testing::number_from("VEMBED_SEEDS", testing::repetitions(10));
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        for (const bool shows : {true, false}) {
            testing::aitbc_options served = unlimited(seed);
            served.dialect = testing::aitbc_dialect::coordinator;
            served.shows_payload = shows;
            served.faults.lost_reply = 0.1;
            served.faults.bad_gateway = 0.05;
            client_options options = without_limits();
            options.asked_in = dialect::coordinator;
            batch_world b(served, options);
            b.write_requests(25);
            const result<job_batch_report> report = b.run();
            ASSERT_TRUE(report) << report.error();
            const result<job_batch_report> rest = b.run();
            ASSERT_TRUE(rest) << rest.error();
            EXPECT_LE(b.w.service->counters().jobs_accepted, 25u) << seed;
            EXPECT_EQ(rest->done + rest->failed + rest->in_doubt.size(), 25u) << seed;
        }
    }
}

TEST(aitbc_batch, lines_that_are_no_requests_are_named_before_anything_is_sent) {
    batch_world b(unlimited(), without_limits());
    b.write_requests(2, "{\"model\":\"m\"}\nnot json\n{\"model\":\"m\",\"input\":\"a\",\"imput\":1}\n");
    const result<job_batch_report> report = b.run();
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().kind, errc::bad_input);
    const std::string said = report.error().message;
    for (const char* part : {"3 lines", "line 3: ", "line 4: ", "line 5: \"imput\""}) {
        EXPECT_NE(said.find(part), std::string::npos) << part << " in " << said;
    }
    EXPECT_EQ(b.w.service->counters().requests, 0u);
}

TEST(aitbc_batch, ends_if_the_first_requests_are_all_refused) {
    testing::aitbc_options served = unlimited();
    served.dialect = testing::aitbc_dialect::coordinator;
    batch_world b(served, without_limits());
    b.write_requests(50);
    const result<job_batch_report> report = b.run();
    ASSERT_TRUE(report) << report.error();
    ASSERT_TRUE(report->ended_by);
    EXPECT_NE(report->ended_by->message.find("coordinator"), std::string::npos) << report->ended_by->message;
    EXPECT_EQ(b.w.service->counters().requests, 10u);
}

TEST(aitbc_batch, a_folder_belongs_to_its_requests) {
    batch_world b(unlimited(), without_limits());
    b.write_requests(3);
    ASSERT_TRUE(b.run());
    b.write_requests(4);
    const result<job_batch_report> other = b.run();
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().kind, errc::folder_mismatch);
    EXPECT_EQ(b.w.service->counters().jobs_accepted, 3u);
}

TEST(aitbc_batch, a_refused_key_ends_the_run_and_loses_nothing) {
    batch_world b(unlimited(), without_limits());
    b.write_requests(3);
    client_options options = b.w.options;
    options.api_key = secret::from_key("another-key", "").value();
    client stranger(b.w.world.context.get_executor(), options);
    const auto refused = b.w.world.run<result<job_batch_report>>(run_batch(stranger, b.requests(), b.folder()));
    ASSERT_TRUE(refused) << refused.error();
    ASSERT_TRUE(refused->ended_by);
    EXPECT_EQ(refused->ended_by->kind, errc::unauthorized);
    const result<job_batch_report> report = b.run();
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->done, 3u);
}

}  // namespace
}  // namespace vembed::aitbc
