// What the windows of all calls promise, measured as the service counts, in virtual time: many jobs are submitted and
// waited for through the gate. VEMBED_SEEDS=1000 runs more worlds, VEMBED_FIRST_SEED=n begins elsewhere.

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "admission/gate.hpp"
#include "aitbc/wire/assumptions.hpp"
#include "aitbc/wire/poll_plan.hpp"
#include "support/repetitions.hpp"
#include "support/virtual_time.hpp"

namespace vembed::aitbc {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t waited_for = 200;
constexpr std::uint64_t submissions = 1500;

// A service that only counts, and clients on one gate.
class hour_world {
public:
    explicit hour_world(std::uint64_t seed) : draw(seed) {
        policy::quota_limits limits;
        limits.calls_per_minute = assumed::calls_per_minute;
        limits.calls_per_hour = assumed::calls_per_hour;
        gate = std::make_shared<admission::gate>(time.context.get_executor(), time.env, limits);
    }

    // The service sees the request at some moment between its sending and its response.
    boost::asio::awaitable<void> exchange() {
        const auto there = std::chrono::milliseconds(draw() % 400);
        const auto back = std::chrono::milliseconds(draw() % (draw() % 50 == 0 ? 20'000 : 600));
        const monotonic_time arrives = time.env->now() + there;
        (void)co_await sleep_until(time.env, arrives);
        calls.push_back(arrives);
        const monotonic_time answered = arrives + back;
        (void)co_await sleep_until(time.env, answered);
    }

    boost::asio::awaitable<bool> submit_all() {
        for (submitted = 0; submitted < submissions;) {
            if (jobs.size() >= waited_for) {
                const monotonic_time later = time.env->now() + 1s;
                (void)co_await sleep_until(time.env, later);
                continue;
            }
            admission::applicant who(admission::priority::bulk, nullptr);
            auto lease = co_await gate->enter(0, who, no_deadline);
            lease->sent();
            co_await exchange();
            lease->settle(0);
            lease->end();
            const std::string id = std::to_string(++submitted);
            jobs.emplace(id, time.env->now() + std::chrono::seconds(30 + draw() % 600));
            plan.watch(id, time.env->now());
        }
        submitted_at = time.env->now();
        co_return true;
    }

    boost::asio::awaitable<bool> poll_all() {
        while (submitted < submissions || !jobs.empty()) {
            const quota_use hour = gate->statistics().quota.calls_hour;
            const poll_step step = plan.next({*hour.limit - std::min(*hour.limit, hour.used), 0});
            const monotonic_time at = step.what == poll_step::kind::idle ? time.env->now() + 1s : step.at;
            (void)co_await sleep_until(time.env, at);
            if (step.what == poll_step::kind::idle) {
                continue;
            }
            auto call = co_await gate->enter_call(admission::call_rank::poll, no_deadline);
            co_await exchange();
            answer(step);
        }
        co_return true;
    }

    void answer(const poll_step& step) {
        const monotonic_time now = time.env->now();
        job_page page;
        std::uint64_t at = 0;
        for (const auto& [id, ends] : jobs) {
            if (step.what == poll_step::kind::job ? id != step.id : at++ < step.offset) {
                continue;
            }
            page.jobs.emplace_back();
            page.jobs.back().id = id;
            page.jobs.back().state = ends <= now ? job_state::completed : job_state::running;
            if (page.jobs.size() == assumed::page_length) {
                break;
            }
        }
        page.more = at < jobs.size();
        if (step.what == poll_step::kind::page) {
            for (const job& ended : plan.page_read(page, now)) {
                jobs.erase(ended.id);
            }
        } else if (page.jobs.empty()) {
            plan.forget(step.id);
        } else if (plan.job_read(page.jobs.front(), now)) {
            jobs.erase(step.id);
        }
    }

    // The most calls that the service saw in any span of that length.
    [[nodiscard]] std::uint64_t most_in(monotonic_clock::duration length) {
        std::ranges::sort(calls);
        std::uint64_t most = 0;
        for (std::size_t first = 0, i = 0; i < calls.size(); ++i) {
            for (; calls[i] - calls[first] >= length; ++first) {
            }
            most = std::max<std::uint64_t>(most, i - first + 1);
        }
        return most;
    }

    testing_support::simulation time;
    std::mt19937_64 draw;
    std::shared_ptr<admission::gate> gate;
    poll_plan plan;
    std::map<std::string, monotonic_time> jobs;
    std::uint64_t submitted = 0;
    monotonic_time submitted_at{};
    std::vector<monotonic_time> calls;
};

TEST(aitbc_call_limits, are_never_passed_and_used_while_submissions_wait) {
    const std::uint64_t first = testing::number_from("VEMBED_FIRST_SEED", 1);
    const std::uint64_t count = testing::number_from("VEMBED_SEEDS", testing::repetitions(500, 50));
    for (std::uint64_t seed = first; seed < first + count && !HasFailure(); ++seed) {
        SCOPED_TRACE("VEMBED_FIRST_SEED=" + std::to_string(seed) + " VEMBED_SEEDS=1");
        hour_world world(seed);
        auto submits = world.time.begin(world.submit_all());
        auto polls = world.time.begin(world.poll_all());
        world.time.run();
        ASSERT_TRUE(submits.ended() && polls.ended());
        EXPECT_EQ(world.submitted, submissions);
        EXPECT_TRUE(world.jobs.empty());
        EXPECT_LE(world.most_in(60s), assumed::calls_per_minute);
        EXPECT_LE(world.most_in(1h), assumed::calls_per_hour);
        // Every whole hour in which submissions wait.
        for (monotonic_time from = world.time.start; from + 1h <= world.submitted_at; from += 1h) {
            const auto used =
                std::ranges::count_if(world.calls, [from](monotonic_time at) { return at >= from && at < from + 1h; });
            EXPECT_GE(used, 950) << (from - world.time.start) / 1h;
        }
        EXPECT_GE(world.submitted_at - world.time.start, 1h);
    }
}

}  // namespace
}  // namespace vembed::aitbc
