// Kills of a batch: after any number of steps of its process the folder is kept as it is, nothing else. Another process
// goes on with it. VEMBED_KILL_POINTS=300 kills more often, VEMBED_FIRST_SEED=n draws others.

#include <filesystem>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include <vembed/aitbc/batch.hpp>

#include "aitbc/client_world.hpp"
#include "support/repetitions.hpp"
#include "support/scratch.hpp"

namespace vembed::aitbc {
namespace {

constexpr std::uint64_t jobs = 40;

/// One process: a clock, a loop and a client, on a service that outlives it.
class process {
public:
    process(std::shared_ptr<testing::aitbc_service> service, client_options options, monotonic_time now) {
        options.base_url = "https://api.example";
        options.api_key = secret::from_key(service->api_key(), "").value();
        options.env = world.env;
        options.transports = [this, service](const std::string&) {
            return testing::make_memory_transport(world.env, service);
        };
        if (now > world.start) {
            (void)world.run(sleep_until(world.env, now));  // The service's time does not go back.
        }
        subject = std::make_unique<client>(world.context.get_executor(), options);
    }

    testing_support::simulation world;
    std::unique_ptr<client> subject;
};

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
        requests = scratch.write("jobs.jsonl", lines);
    }

    // Runs for `steps` steps, or to the end; then the folder is copied, and nothing else stays. True if it ended.
    bool live(std::uint64_t steps) {
        process alive(service, options, now);
        job_batch_options chosen;
        chosen.jobs_at_once = 8;
        const std::string folder = scratch.file("life" + std::to_string(lives));
        auto running = alive.world.begin<result<job_batch_report>>(run_batch(*alive.subject, requests, folder, chosen));
        std::uint64_t done = 0;
        (void)alive.world.env->run([&] { return running.ended() || ++done >= steps; });
        now = alive.world.env->now();
        steps_made = done;
        if (running.ended()) {
            report = running.value().value();
        }
        std::filesystem::copy(folder, scratch.file("life" + std::to_string(++lives)),
                              std::filesystem::copy_options::recursive);
        return running.ended();
    }

    testing::scratch_folder scratch;
    std::shared_ptr<testing::aitbc_service> service;
    client_options options;
    std::string requests;
    monotonic_time now{};
    std::uint64_t lives = 0;
    std::uint64_t steps_made = 0;
    job_batch_report report;
};

TEST(aitbc_batch_kill, nothing_is_accepted_twice_and_what_is_in_doubt_is_named) {
    kill_world whole(1);
    ASSERT_TRUE(whole.live(std::uint64_t(-1)));
    ASSERT_EQ(whole.report.done, jobs);
    const std::uint64_t points = testing::number_from("VEMBED_KILL_POINTS", testing::repetitions(20));
    const std::uint64_t first = testing::number_from("VEMBED_FIRST_SEED", 1);
    std::uint64_t kills = 0;
    std::uint64_t in_doubt = 0;
    for (std::uint64_t seed = first; kills < points; ++seed) {
        kill_world w(seed);
        std::mt19937_64 draw(seed);
        bool ended = false;
        for (int life = 0; life < 4 && !ended; ++life) {
            ended = w.live(1 + draw() % whole.steps_made);
            kills += ended ? 0 : 1;
        }
        ended = ended || w.live(std::uint64_t(-1));
        ASSERT_TRUE(ended);
        EXPECT_FALSE(w.report.ended_by) << *w.report.ended_by << " seed " << seed;
        EXPECT_LE(w.service->counters().jobs_accepted, jobs) << "seed " << seed;
        EXPECT_EQ(w.report.done + w.report.in_doubt.size(), jobs) << "seed " << seed;
        in_doubt += w.report.in_doubt.size();
    }
    RecordProperty("kills", std::to_string(kills));
    RecordProperty("in_doubt", std::to_string(in_doubt));
}

}  // namespace
}  // namespace vembed::aitbc
