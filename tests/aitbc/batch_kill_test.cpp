// Kills of a batch: after any number of steps of its process the folder is kept as it is, nothing else. Another process
// goes on with it. VEMBED_KILL_POINTS=300 kills more often, VEMBED_FIRST_SEED=n draws others.

#include <string>

#include <gtest/gtest.h>

#include <vembed/aitbc/batch.hpp>

#include "aitbc/client_world.hpp"
#include "support/batch_lives.hpp"
#include "support/repetitions.hpp"

namespace vembed::aitbc {
namespace {

constexpr std::uint64_t jobs = 40;

class kill_world {
public:
    explicit kill_world(std::uint64_t seed) {
        testing::aitbc_options served;
        served.seed = seed;
        served.requests_per_minute = 0;
        served.requests_per_hour = 0;
        served.job_time_ms = 3'000;
        options.calls_per_minute.reset();
        options.calls_per_hour.reset();
        if (seed % 2 == 0) {
            options.asked_in = dialect::coordinator;
            served.dialect = testing::aitbc_dialect::coordinator;
            served.shows_payload = seed % 4 == 0;
        }
        service = std::make_shared<testing::aitbc_service>(served);
        std::string lines;
        for (std::uint64_t i = 0; i < jobs; ++i) {
            lines += R"({"model":"m","input":"text )" + std::to_string(i) + "\"}\n";
        }
        requests = lives.scratch().write("jobs.jsonl", lines);
    }

    testing_support::batch_start start(testing_support::simulation& process, const std::string& folder) {
        options.base_url = "https://api.example";
        options.api_key = secret::from_key(service->api_key(), "").value();
        options.env = process.env;
        options.transports = [env = process.env, to = service](const std::string&) {
            return testing::make_memory_transport(env, to);
        };
        auto made = std::make_shared<client>(process.context.get_executor(), options);
        job_batch_options chosen;
        chosen.jobs_at_once = 8;
        return {run_batch(*made, requests, folder, chosen), made};
    }

    std::shared_ptr<testing::aitbc_service> service;
    client_options options;
    std::string requests;
    testing_support::batch_lives lives{
        [this](testing_support::simulation& process, const std::string& folder) { return start(process, folder); }};
};

TEST(aitbc_batch_kill, nothing_is_accepted_twice_and_what_is_in_doubt_is_named) {
    kill_world whole(1);
    ASSERT_TRUE(whole.lives.live(std::uint64_t(-1)));
    ASSERT_EQ(whole.lives.report.done, jobs);
    const std::uint64_t points = testing::number_from("VEMBED_KILL_POINTS", testing::repetitions(20));
    std::uint64_t kills = 0;
    for (std::uint64_t seed = testing::number_from("VEMBED_FIRST_SEED", 1); kills < points; ++seed) {
        kill_world w(seed);
        kills += w.lives.live_and_die(seed, whole.lives.steps_made);
        const job_batch_report& report = w.lives.report;
        EXPECT_FALSE(report.ended_by) << *report.ended_by << " seed " << seed;
        EXPECT_LE(w.service->counters().jobs_accepted, jobs) << "seed " << seed;
        EXPECT_EQ(report.done + report.in_doubt.size(), jobs) << "seed " << seed;
    }
}

}  // namespace
}  // namespace vembed::aitbc
