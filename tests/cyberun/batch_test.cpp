#include <vembed/cyberun/batch.hpp>

#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

#include "cyberun/client_world.hpp"
#include "support/batch_lives.hpp"
#include "support/repetitions.hpp"

namespace vembed::cyberun {
namespace {

std::string bytes_line(std::uint64_t bytes) {
    return R"({"workflow":"make-bytes","parameters":{"bytes":)" + std::to_string(bytes) + "}}\n";
}

class batch_world {
public:
    explicit batch_world(testing::cyberun_options served = {}) : w(std::move(served)) {}

    result<job_batch_report> run(const std::string& lines) {
        const std::string requests = scratch.write("runs.jsonl", lines);
        return w.world.run<result<job_batch_report>>(run_batch(*w.subject, requests, scratch.file("out")));
    }

    served_world w;
    testing::scratch_folder scratch;
};

TEST(cyberun_batch, keeps_the_files_of_every_task_in_the_order_of_the_requests) {
    testing::cyberun_options served;
    served.faults.sse_cut = 0.3;
    served.faults.store_cut = 0.2;
    served.store_url = "http://store.test";
    batch_world b(served);
    std::string lines;
    for (std::uint64_t i = 0; i < 20; ++i) {
        lines += bytes_line(100 + i);
    }
    const result<job_batch_report> report = b.run(lines);
    ASSERT_TRUE(report) << report.error();
    EXPECT_FALSE(report->ended_by) << *report->ended_by;
    EXPECT_EQ(report->done, 20u);
    EXPECT_EQ(b.w.service->counters().tasks_accepted, 20u);
    EXPECT_EQ(b.w.service->counters().store_requests_with_key, 0u);
    const std::vector<std::string> results = testing::lines_of(b.scratch.file("out/results.jsonl"));
    ASSERT_EQ(results.size(), 20u);
    for (std::size_t i = 0; i < results.size(); ++i) {
        const boost::json::object record = boost::json::parse(results[i]).as_object();
        EXPECT_EQ(record.at("line").to_number<std::uint64_t>(), i + 1);
        const std::string name(record.at("files").at(0).at("name").as_string());
        EXPECT_EQ(std::filesystem::file_size(b.scratch.file("out/files/" + name)), 100 + i);
    }
    const result<job_batch_report> again = b.run(lines);
    ASSERT_TRUE(again) << again.error();
    EXPECT_TRUE(again->is_complete());
    EXPECT_EQ(b.w.service->counters().tasks_accepted, 20u);
}

TEST(cyberun_batch, tasks_without_streams_are_waited_for_by_lists) {
    testing::cyberun_options served;
    served.faults.sse_refused = 1;
    served.task_time_ms = 100'000;
    served.store_url = "http://store.test";
    batch_world b(served);
    std::string lines;
    for (std::uint64_t i = 0; i < 40; ++i) {
        lines += bytes_line(100 + i);
    }
    const result<job_batch_report> report = b.run(lines);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->done, 40u);
    // By themselves: when the wait begins, some ten times during it, and to fetch the files.
    EXPECT_LE(b.w.service->counters().task_reads, 40u * 6);
    EXPECT_GT(b.w.service->counters().task_lists, 0u);
}

TEST(cyberun_batch, a_request_with_wrong_parameters_fails_alone_and_is_not_sent) {
    batch_world b;
    const std::string wrong = R"({"workflow":"make-bytes","parameters":{"bites":7}})" + std::string("\n");
    const std::string unknown = R"({"workflow":"no-such-thing","parameters":{}})" + std::string("\n");
    const result<job_batch_report> report = b.run(bytes_line(10) + wrong + unknown + bytes_line(20));
    ASSERT_TRUE(report) << report.error();
    EXPECT_FALSE(report->ended_by) << *report->ended_by;
    EXPECT_EQ(report->done, 2u);
    EXPECT_EQ(report->failed, 2u);
    EXPECT_EQ(b.w.service->counters().tasks_accepted, 2u);
    EXPECT_EQ(b.scratch.read("out/failed.jsonl"), wrong + unknown);
    const std::vector<std::string> results = testing::lines_of(b.scratch.file("out/results.jsonl"));
    ASSERT_EQ(results.size(), 4u);
    EXPECT_NE(results[1].find("bytes"), std::string::npos) << "names what may be meant: " << results[1];
}

TEST(cyberun_batch, lines_that_are_no_requests_are_named_before_anything_is_sent) {
    batch_world b;
    const result<job_batch_report> report =
        b.run("{}\n{\"workflow\":\"a\",\"workflow_id\":\"b\"}\n{\"workflow\":1}\n{\"workflow\":\"a/b\"}\n[]\n" +
              bytes_line(1) + R"({"workflow":"a","parameter":{}})");
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().kind, errc::bad_input);
    for (const char* part : {"line 1: ", "line 2: ", "line 3: ", "line 5: ", "line 7: \"parameter\""}) {
        EXPECT_NE(report.error().message.find(part), std::string::npos) << part << report.error().message;
    }
    EXPECT_EQ(b.w.service->counters().requests, 0u);
}

class kill_world {
public:
    static constexpr std::uint64_t tasks = 40;

    explicit kill_world(std::uint64_t seed) {
        testing::cyberun_options served;
        served.seed = seed;
        service = std::make_shared<testing::cyberun_service>(served);
        std::string lines;
        for (std::uint64_t i = 0; i < tasks; ++i) {
            lines += bytes_line(50 + i);
        }
        requests = lives.scratch().write("runs.jsonl", lines);
    }

    testing_support::batch_start start(testing_support::simulation& process, const std::string& folder) {
        client_options options;
        options.base_url = "http://localhost";
        options.api_key = secret::from_key(service->api_key(), "").value();
        options.env = process.env;
        std::map<std::string, std::shared_ptr<testing::local_service>> services;
        services.emplace("http://localhost", service);
        services.emplace("http://store.test", service->store());
        options.transports = testing::make_memory_network(process.env, std::move(services));
        auto made = std::make_shared<client>(process.context.get_executor(), options);
        job_batch_options chosen;
        chosen.jobs_at_once = 8;
        return {run_batch(*made, requests, folder, chosen), made};
    }

    std::shared_ptr<testing::cyberun_service> service;
    std::string requests;
    testing_support::batch_lives lives{
        [this](testing_support::simulation& process, const std::string& folder) { return start(process, folder); }};
};

// VEMBED_KILL_POINTS=300 kills more often, VEMBED_FIRST_SEED=n draws others.
TEST(cyberun_batch_kill, nothing_is_accepted_twice_and_what_is_in_doubt_is_named) {
    kill_world whole(1);
    ASSERT_TRUE(whole.lives.live(std::uint64_t(-1)));
    ASSERT_EQ(whole.lives.report.done, kill_world::tasks);
    const std::uint64_t points = testing::number_from("VEMBED_KILL_POINTS", testing::repetitions(12));
    std::uint64_t kills = 0;
    for (std::uint64_t seed = testing::number_from("VEMBED_FIRST_SEED", 1); kills < points; ++seed) {
        kill_world w(seed);
        kills += w.lives.live_and_die(seed, whole.lives.steps_made);
        const job_batch_report& report = w.lives.report;
        EXPECT_FALSE(report.ended_by) << *report.ended_by << " seed " << seed;
        EXPECT_LE(w.service->counters().tasks_accepted, kill_world::tasks) << "seed " << seed;
        EXPECT_EQ(report.done + report.in_doubt.size(), kill_world::tasks) << "seed " << seed;
    }
}

}  // namespace
}  // namespace vembed::cyberun
