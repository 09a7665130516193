#include "admission/gate.hpp"

#include <gtest/gtest.h>

#include "support/virtual_time.hpp"

namespace vembed::admission {
namespace {

using namespace std::chrono_literals;
using testing_support::begun;

policy::quota_limits per_minute(std::uint64_t chunks) {
    policy::quota_limits limits;
    limits.chunks_per_minute = chunks;
    return limits;
}

applicant interactive() {
    return {priority::interactive, nullptr};
}

applicant bulk(std::shared_ptr<const withdrawal> run = nullptr) {
    return {priority::bulk, std::move(run)};
}

error busy() {
    return {errc::service_busy, "busy"};
}

class gate_test : public ::testing::Test {
protected:
    void limit(const policy::quota_limits& limits) {
        subject = std::make_shared<gate>(world.context.get_executor(), world.env, limits);
        warm_up();
    }

    void SetUp() override { warm_up(); }

    // Submissions start slowly: past that, a few may be under way at once.
    void warm_up() {
        for (int i = 0; i < 8; ++i) {
            lease job = entered(0);
            job.settle(0);
        }
    }

    begun<result<lease>> enter(std::uint64_t chunks, applicant who = bulk(), monotonic_time deadline = no_deadline) {
        return world.begin(subject->enter(chunks, std::move(who), deadline));
    }

    // Enters, which must succeed at once.
    lease entered(std::uint64_t chunks, applicant who = bulk()) {
        auto under_way = enter(chunks, std::move(who));
        world.context.restart();
        world.context.poll();
        return std::move(under_way.value().value());
    }

    // Also where nobody waits for anything.
    void let_pass_until(monotonic_clock::duration since_start) {
        auto asleep = world.begin(sleep_until(world.env, at(since_start)));
        world.run_until(since_start);
    }

    // A lease of a job that was accepted with that many chunks and has ended.
    void spend(std::uint64_t chunks) {
        lease spent = entered(chunks);
        spent.sent();
        spent.settle(chunks);
    }

    [[nodiscard]] monotonic_time at(monotonic_clock::duration since_start) const { return world.start + since_start; }

    testing_support::simulation world;
    std::shared_ptr<gate> subject =
        std::make_shared<gate>(world.context.get_executor(), world.env, policy::quota_limits());
};

TEST_F(gate_test, lets_in_at_once_where_there_is_room) {
    auto first = enter(5);
    auto second = enter(5, interactive());
    world.run_until(0s);
    EXPECT_TRUE(first.value());
    EXPECT_TRUE(second.value());
    EXPECT_EQ(subject->jobs_in_flight(), 2u);
    EXPECT_EQ(subject->statistics().limited_by, "");
}

TEST_F(gate_test, makes_wait_exactly_until_the_window_has_room) {
    limit(per_minute(10));
    spend(10);
    auto waiting = enter(1);
    world.run_until(60s - 1ns);
    EXPECT_FALSE(waiting.ended());
    EXPECT_EQ(subject->statistics().limited_by, "chunks a minute");
    world.run_until(60s);
    EXPECT_TRUE(waiting.value());
}

TEST_F(gate_test, is_first_come_first_served_and_a_big_batch_does_not_starve) {
    limit(per_minute(10));
    spend(5);
    auto big = enter(10);
    std::vector<begun<result<lease>>> small;
    for (int i = 0; i < 5; ++i) {
        small.push_back(enter(1));
    }
    world.run_until(59s);
    for (auto& one : small) {
        EXPECT_FALSE(one.ended()) << "there is room for it, but it came later";
    }
    world.run_until(60s);
    EXPECT_TRUE(big.value());
    big.value()->sent();
    big.value()->settle(10);
    world.run_until(119s);
    EXPECT_FALSE(small.front().ended());
    world.run_until(120s);
    for (auto& one : small) {
        EXPECT_TRUE(one.value());
    }
}

TEST_F(gate_test, interactive_calls_go_ahead_of_bulk) {
    limit(per_minute(10));
    spend(10);
    auto first_bulk = enter(10, bulk());
    auto second_bulk = enter(10, bulk());
    world.run_until(30s);
    auto ahead = enter(10, interactive());
    world.run_until(60s);
    ASSERT_TRUE(ahead.value());
    EXPECT_FALSE(first_bulk.ended());
    ahead.value()->release();
    world.run_until(60s);
    EXPECT_TRUE(first_bulk.value());
    EXPECT_FALSE(second_bulk.ended());
}

// However the one in front leaves, those behind it must not go on waiting for a call that nobody makes.
TEST_F(gate_test, bulk_goes_on_when_the_interactive_call_ahead_of_it_leaves) {
    for (const int how : {0, 1, 2}) {
        SCOPED_TRACE(how);
        policy::quota_limits limits = per_minute(10);
        limits.chunks_per_period = how == 2 ? std::optional<std::uint64_t>(25) : std::nullopt;
        limit(limits);
        const auto now = world.elapsed();
        spend(10);
        auto ahead = enter(10, interactive(), how == 0 ? at(now + 5s) : no_deadline);
        auto waiting = enter(5, bulk());
        world.run_until(now + 1s);
        if (how == 1) {
            ahead.cancel();
        } else if (how == 2) {
            limits.chunks_per_period = 19;
            subject->resync(limits, policy::period_count());
        }
        world.run_until(now + 10s);
        EXPECT_TRUE(ahead.ended());
        EXPECT_FALSE(ahead.value());
        world.run_until(now + 60s);
        ASSERT_TRUE(waiting.ended());
        EXPECT_TRUE(waiting.value());
    }
}

TEST_F(gate_test, bulk_follows_an_interactive_call_at_once_where_there_is_room_for_both) {
    limit(per_minute(10));
    spend(10);
    auto waiting = enter(5, bulk());
    auto ahead = enter(5, interactive());
    world.run_until(60s);
    EXPECT_TRUE(ahead.value());
    EXPECT_TRUE(waiting.value()) << "without waiting for what becomes of the call ahead";
}

TEST_F(gate_test, a_pause_parks_everyone_and_the_longest_wish_wins) {
    subject->pause(10s, busy());
    subject->pause(30s, busy());
    subject->pause(5s, busy());
    auto batch = enter(1, bulk());
    auto call = enter(1, interactive());
    auto poll = world.begin(subject->pass(no_deadline));
    world.run_until(30s - 1ns);
    EXPECT_FALSE(batch.ended() || call.ended() || poll.ended());
    EXPECT_EQ(subject->statistics().limited_by, "pause asked for by the service");
    world.run_until(33s);
    EXPECT_TRUE(batch.value());
    EXPECT_TRUE(call.value());
    EXPECT_TRUE(poll.value());
    EXPECT_EQ(subject->statistics().pauses, 1u);
    EXPECT_GE(subject->statistics().paused, 30s);
    EXPECT_LE(subject->statistics().paused, 32s);
}

TEST_F(gate_test, a_pause_that_grows_holds_those_who_wait_already) {
    subject->pause(10s, busy());
    auto batch = enter(1);
    auto poll = world.begin(subject->pass(no_deadline));
    world.run_until(9s);
    subject->pause(20s, busy());
    world.run_until(28s);
    EXPECT_FALSE(batch.ended() || poll.ended());
    world.run_until(32s);
    EXPECT_TRUE(batch.ended() && poll.ended());
}

TEST_F(gate_test, a_pause_past_the_deadline_is_told_at_once_with_its_reason) {
    subject->pause(60s, error(errc::rate_limited, "slow down"));
    auto batch = enter(1, bulk(), at(30s));
    auto poll = world.begin(subject->pass(at(30s)));
    world.run_until(0s);
    for (const error& f : {batch.value().error(), poll.value().error()}) {
        EXPECT_EQ(f.kind, errc::rate_limited);
        EXPECT_EQ(f.retry_after, 60s) << "what the service asked for, not the pause with its jitter";
    }
}

TEST_F(gate_test, a_deadline_ends_the_wait) {
    limit(per_minute(10));
    spend(10);
    auto waiting = enter(1, bulk(), at(20s));
    auto behind = enter(1, bulk(), at(15s));
    world.run_until(15s);
    EXPECT_EQ(behind.value().error().kind, errc::timeout) << "also where it is not first";
    EXPECT_FALSE(waiting.ended());
    world.run_until(20s);
    EXPECT_EQ(waiting.value().error().kind, errc::timeout);
}

TEST_F(gate_test, cancellation_ends_the_wait_wherever_one_stands) {
    limit(per_minute(10));
    spend(10);
    auto first = enter(1);
    auto second = enter(1);
    auto third = enter(1);
    world.run_until(1s);
    second.cancel();
    first.cancel();
    world.run_until(1s);
    EXPECT_EQ(first.value().error().kind, errc::cancelled);
    EXPECT_EQ(second.value().error().kind, errc::cancelled);
    world.run_until(60s);
    EXPECT_TRUE(third.value());
    EXPECT_EQ(subject->jobs_in_flight(), 1u);

    subject->pause(10s, busy());
    auto poll = world.begin(subject->pass(no_deadline));
    world.run_until(61s);
    poll.cancel();
    world.run_until(61s);
    EXPECT_EQ(poll.value().error().kind, errc::cancelled);
}

TEST_F(gate_test, a_run_withdraws_its_applications_and_no_others) {
    limit(per_minute(10));
    spend(10);
    const auto run = std::make_shared<withdrawal>();
    auto first = enter(1, bulk(run));
    auto other = enter(1, bulk());
    auto second = enter(1, bulk(run));
    world.run_until(1s);
    run->requested = true;
    subject->recheck();
    world.run_until(1s);
    EXPECT_EQ(first.value().error().kind, errc::cancelled);
    EXPECT_EQ(second.value().error().kind, errc::cancelled);
    EXPECT_FALSE(other.ended());
    world.run_until(60s);
    EXPECT_TRUE(other.value());
}

TEST_F(gate_test, the_day_and_the_period_refuse_at_once) {
    policy::quota_limits limits;
    limits.chunks_per_day = 10;
    limit(limits);
    spend(10);
    auto next = enter(1);
    world.run_until(0s);
    ASSERT_TRUE(next.ended());
    EXPECT_EQ(next.value().error().kind, errc::quota_exceeded);
    EXPECT_EQ(next.value().error().retry_after, 24h);
    EXPECT_NE(next.value().error().message.find("day"), std::string::npos);

    limits = policy::quota_limits();
    limits.chunks_per_period = 10;
    limit(limits);
    spend(10);
    auto never = enter(1);
    world.run_until(0s);
    EXPECT_EQ(never.value().error().kind, errc::quota_exceeded);
    EXPECT_FALSE(never.value().error().retry_after);
    EXPECT_NE(never.value().error().message.find("period"), std::string::npos);
}

TEST_F(gate_test, the_day_waits_for_jobs_whose_cost_is_not_settled) {
    policy::quota_limits limits;
    limits.chunks_per_day = 10;
    limit(limits);
    lease open = entered(10);
    auto waiting = enter(5);
    world.run_until(1s);
    EXPECT_FALSE(waiting.ended());
    open.sent();
    open.settle(2);
    world.run_until(1s);
    EXPECT_TRUE(waiting.value());
    auto refused = enter(4);
    world.run_until(1s);
    EXPECT_FALSE(refused.ended());
    waiting.value()->sent();
    waiting.value()->settle(5);
    world.run_until(1s);
    EXPECT_EQ(refused.value().error().kind, errc::quota_exceeded);
}

TEST_F(gate_test, a_lease_gone_without_a_word_costs_what_its_state_allows_at_worst) {
    limit(per_minute(10));
    { const lease unsent = entered(10); }
    {
        lease sent = entered(10);
        sent.sent();
        EXPECT_EQ(subject->jobs_in_flight(), 1u);
    }
    EXPECT_EQ(subject->jobs_in_flight(), 0u) << "unknown: not in flight";
    auto next = enter(1);
    world.run_until(59s);
    EXPECT_FALSE(next.ended()) << "but spent";
    world.run_until(60s);
    EXPECT_TRUE(next.value());
}

TEST_F(gate_test, a_settled_lease_is_in_flight_until_it_ends) {
    policy::quota_limits limits;
    limits.jobs_in_flight = 1;
    limit(limits);
    lease job = entered(1);
    job.sent();
    job.settle(1);
    auto next = enter(1);
    world.run_until(1h);
    EXPECT_FALSE(next.ended());
    job.end();
    world.run_until(1h);
    ASSERT_TRUE(next.value());
    next.value()->settle(1);
    auto last = enter(1);
    world.run_until(1h);
    EXPECT_FALSE(last.ended());
    *next.value() = lease();
    world.run_until(1h);
    EXPECT_TRUE(last.ended()) << "a settled lease that goes ends its job";
}

TEST_F(gate_test, every_word_about_a_lease_counts_once) {
    limit(per_minute(10));
    lease job = entered(4);
    job.sent();
    job.settle(4);
    job.settle(400);
    job.release();
    job.end();
    job.end();
    job.settle(5);
    EXPECT_EQ(subject->jobs_in_flight(), 0u);
    auto next = enter(6);
    world.run_until(0s);
    EXPECT_TRUE(next.ended());
    lease nothing;
    nothing.sent();
    nothing.settle(1);
    nothing.release();
    nothing.end();
}

TEST_F(gate_test, a_lease_that_moved_leaves_nothing_behind) {
    limit(per_minute(10));
    {
        lease from = entered(4);
        from.sent();
        lease to(std::move(from));
        EXPECT_EQ(subject->jobs_in_flight(), 1u);
        from.settle(9);
        from.release();
        from.end();
        EXPECT_EQ(subject->jobs_in_flight(), 1u);
        lease other = entered(6);
        other = std::move(to);
        EXPECT_EQ(subject->jobs_in_flight(), 1u) << "what was assigned over is given back";
        lease& same = other;
        other = std::move(same);
        EXPECT_EQ(subject->jobs_in_flight(), 1u);
        other.settle(4);
        other.end();
    }
    EXPECT_EQ(subject->jobs_in_flight(), 0u);
    auto next = enter(6);
    world.run_until(0s);
    EXPECT_TRUE(next.ended()) << "4 of 10 are spent";
}

TEST_F(gate_test, keeps_itself_alive_for_leases_and_waiters) {
    limit(per_minute(10));
    std::optional<lease> job = entered(10);
    auto waiting = enter(1);
    world.run_until(1s);
    subject.reset();
    job->release();
    world.run_until(1s);
    EXPECT_TRUE(waiting.value());
    job.reset();
}

TEST_F(gate_test, an_in_flight_refusal_lets_fewer_in) {
    std::vector<lease> jobs;
    for (int i = 0; i < 3; ++i) {
        jobs.push_back(entered(1));
        jobs.back().sent();
        jobs.back().settle(1);
    }
    lease fourth = entered(1);
    fourth.sent();
    fourth.refused(error(errc::too_many_inflight, "too many"));
    auto next = enter(1);
    world.run_until(10s);
    EXPECT_FALSE(next.ended());
    EXPECT_EQ(subject->statistics().limited_by, "jobs in flight");
    EXPECT_EQ(subject->statistics().quota.jobs_in_flight.limit, 3u);
    jobs[0].end();
    world.run_until(10s);
    EXPECT_TRUE(next.ended());
}

TEST_F(gate_test, new_limits_hold_at_once) {
    limit(per_minute(10));
    spend(10);
    auto waiting = enter(5);
    world.run_until(1s);
    EXPECT_FALSE(waiting.ended());
    subject->resync(per_minute(100), policy::period_count());
    world.run_until(1s);
    EXPECT_TRUE(waiting.ended());
}

TEST_F(gate_test, everyone_in_line_hears_at_once_that_a_quota_is_used_up) {
    limit(per_minute(10));
    spend(10);
    auto first = enter(1);
    std::vector<begun<result<lease>>> others;
    for (int i = 0; i < 20; ++i) {
        others.push_back(enter(1, i % 2 == 0 ? bulk() : interactive()));
    }
    world.run_until(1s);
    error used_up(errc::quota_exceeded, "the daily quota is used up");
    used_up.retry_after = 7200s;
    subject->resync(per_minute(11), policy::period_count());
    world.run_until(1s);
    std::optional<lease> admitted_one;
    for (auto& one : others) {
        if (one.ended() && one.value()) {
            admitted_one.emplace(std::move(one.value().value()));
        }
    }
    ASSERT_TRUE(admitted_one) << "an interactive one went first";
    admitted_one->sent();
    admitted_one->refused(used_up);
    world.run_until(1s);
    ASSERT_TRUE(first.ended());
    EXPECT_EQ(first.value().error().kind, errc::quota_exceeded);
    EXPECT_EQ(first.value().error().retry_after, 7200s);
    for (auto& one : others) {
        EXPECT_TRUE(one.ended());
    }
}

TEST_F(gate_test, a_used_up_quota_asks_for_the_services_own_count_and_not_again_for_a_minute) {
    int asked = 0;
    subject->on_resync_due([&asked] { ++asked; });
    for (const auto when : {0s, 30s, 61s}) {
        let_pass_until(when);
        policy::quota_limits changed = per_minute(1000 + static_cast<std::uint64_t>(when.count()));
        subject->resync(changed, policy::period_count());
        lease job = entered(1);
        job.refused(error(errc::quota_exceeded, "used up"));
    }
    EXPECT_EQ(asked, 2);
}

TEST_F(gate_test, bulk_work_asks_for_the_services_count_every_ten_minutes_and_nobody_else) {
    int asked = 0;
    subject->on_resync_due([&] {
        ++asked;
        subject->resync(policy::quota_limits(), policy::period_count());
    });
    lease before = entered(1);
    EXPECT_EQ(asked, 0) << "it was never told";
    subject->resync(policy::quota_limits(), policy::period_count());
    for (int minute = 1; minute <= 60; ++minute) {
        let_pass_until(std::chrono::minutes(minute));
        lease job = entered(1, minute <= 30 ? interactive() : bulk());
    }
    EXPECT_EQ(asked, 3) << "at 31, 41 and 51 minutes";
}

TEST_F(gate_test, an_adopted_job_is_in_flight_until_it_ends_and_costs_nothing_more) {
    policy::quota_limits limits = per_minute(10);
    limits.jobs_in_flight = 2;
    limit(limits);
    lease job = subject->adopt(10);
    EXPECT_EQ(subject->jobs_in_flight(), 1u);
    lease other = entered(10);
    auto next = enter(1);
    other.release();
    world.run_until(0s);
    EXPECT_TRUE(next.ended());
    auto last = enter(1);
    world.run_until(1s);
    EXPECT_FALSE(last.ended());
    job.end();
    world.run_until(1s);
    EXPECT_TRUE(last.ended());
}

// Two hundred who were parked come back one after the other, and a service that asks for quiet again is obeyed again.
TEST_F(gate_test, those_who_were_parked_come_back_gradually) {
    limit(per_minute(600));
    subject->pause(30s, busy());
    std::vector<begun<result<void>>> polls;
    for (int i = 0; i < 200; ++i) {
        polls.push_back(world.begin(subject->pass(no_deadline)));
    }
    const auto ended = [&] { return std::count_if(polls.begin(), polls.end(), [](auto& one) { return one.ended(); }); };
    world.run_until(1s);
    const monotonic_clock::duration opens = subject->statistics().paused + 0s;
    EXPECT_EQ(ended(), 0);
    world.run_until(30s);
    EXPECT_LE(ended(), 1);
    while (ended() == 0) {
        world.run_until(world.elapsed() + 1ms);
    }
    const auto first = world.elapsed();
    EXPECT_GE(first, 30s);
    EXPECT_LE(opens, 33s);
    world.run_until(first + 1s - 2ms);
    EXPECT_LE(ended(), 11);
    EXPECT_GE(ended(), 9);
    subject->pause(20s, busy());
    const auto so_far = ended();
    world.run_until(first + 20s);
    EXPECT_LE(ended(), so_far + 1);
    world.run_until(first + 60s);
    EXPECT_EQ(ended(), 200);
}

TEST_F(gate_test, a_ledger_moves_elsewhere_with_all_it_knows) {
    limit(per_minute(10));
    lease open = entered(4);
    spend(3);
    auto waiting = enter(5);
    auto there = std::make_shared<local_ledger>(policy::quota_ledger(policy::quota_limits(), subject->owner()));
    std::uint64_t used = 0;
    const monotonic_time now = world.env->now();
    subject->move_ledger(there);
    there->update([&](policy::quota_ledger& ledger) { used = ledger.chunks_in_minute(now); });
    EXPECT_EQ(used, 7u);
    open.sent();
    open.settle(1);
    open.end();
    world.run_until(0s);
    EXPECT_TRUE(waiting.ended()) << "what was admitted before is settled there";
    there->update([&](policy::quota_ledger& ledger) { used = ledger.chunks_in_minute(now); });
    EXPECT_EQ(used, 9u);
}

// A ledger that another process changes as well.
class watched_ledger final : public ledger_access {
public:
    explicit watched_ledger(std::uint64_t owner) : ledger(policy::quota_limits(), owner) {}
    void update(ledger_operation what) override { what(ledger); }
    [[nodiscard]] monotonic_clock::duration look_again_every() const noexcept override { return 500ms; }

    policy::quota_ledger ledger;
};

TEST_F(gate_test, what_others_do_to_a_shared_ledger_is_seen_soon) {
    auto shared = std::make_shared<watched_ledger>(subject->owner());
    subject->move_ledger(shared);
    shared->ledger.pause(world.env->now() + 10s, errc::service_busy);
    auto poll = world.begin(subject->pass(at(5s)));
    auto batch = enter(1);
    world.run_until(0s);
    EXPECT_EQ(poll.value().error().kind, errc::service_busy);
    world.run_until(9s);
    EXPECT_FALSE(batch.ended());
    world.run_until(11s);
    EXPECT_TRUE(batch.value());
    batch.value()->settle(1);

    policy::quota_limits one_job;
    one_job.jobs_in_flight = 1;
    subject->resync(one_job, policy::period_count());
    auto next = enter(1);
    world.run_until(30s);
    EXPECT_FALSE(next.ended());
    shared->ledger.drop_owner(subject->owner(), world.env->now());
    world.run_until(31s);
    EXPECT_TRUE(next.ended());
}

// A thousand random comings and goings: nobody is forgotten, and the ledger's cap holds.
TEST_F(gate_test, nobody_is_forgotten) {
    policy::quota_limits limits = per_minute(50);
    limits.jobs_in_flight = 7;
    limit(limits);
    std::vector<begun<result<lease>>> all;
    std::uint64_t bits = 12345;
    const auto draw = [&bits](std::uint64_t below) {
        bits = bits * 6364136223846793005u + 1442695040888963407u;
        return (bits >> 33) % below;
    };
    for (int i = 0; i < 1000; ++i) {
        const bool hurried = draw(4) == 0;
        const auto deadline = hurried ? deadline_after(world.env->now(), std::chrono::seconds(draw(30))) : no_deadline;
        all.push_back(enter(1 + draw(10), draw(3) == 0 ? interactive() : bulk(), deadline));
        world.run_until(world.elapsed() + std::chrono::milliseconds(draw(3000)));
        for (auto& one : all) {
            if (one.ended() && one.value() && draw(10) == 0) {
                one.value()->sent();
                draw(3) == 0 ? one.value()->release() : one.value()->settle(1 + draw(10));
                one.value()->end();
            } else if (!one.ended() && draw(200) == 0) {
                one.cancel();
            }
        }
        if (draw(50) == 0) {
            subject->pause(std::chrono::seconds(draw(20)), busy());
        }
        EXPECT_LE(subject->jobs_in_flight(), 7u);
    }
    for (int i = 0; i < 1000; ++i) {
        for (auto& one : all) {
            if (one.ended() && one.value()) {
                *one.value() = lease();
            }
        }
        world.run_until(world.elapsed() + 10s);
    }
    for (auto& one : all) {
        EXPECT_TRUE(one.ended());
    }
    EXPECT_EQ(subject->jobs_in_flight(), 0u);
}

policy::quota_limits calls_per_minute(std::uint64_t calls, std::optional<std::uint64_t> jobs = std::nullopt) {
    policy::quota_limits limits;
    limits.calls_per_minute = calls;
    limits.jobs_in_flight = jobs;
    return limits;
}

class gate_calls_test : public gate_test {
protected:
    begun<result<call_lease>> call(call_rank rank, monotonic_time deadline = no_deadline) {
        return world.begin(subject->enter_call(rank, deadline));
    }

    // Uses up that many calls, which end at once.
    void use(int count) {
        for (int i = 0; i < count; ++i) {
            auto one = call(call_rank::poll);
            world.run_until(0s);
            ASSERT_TRUE(one.value());
            one.value() = call_lease();
        }
    }

    void limit_calls(const policy::quota_limits& limits) {
        subject = std::make_shared<gate>(world.context.get_executor(), world.env, limits);
    }
};

TEST_F(gate_calls_test, are_counted_only_under_a_limit) {
    EXPECT_FALSE(subject->counts_calls());
    subject->resync(calls_per_minute(5), policy::period_count());
    EXPECT_TRUE(subject->counts_calls());
    subject->resync(policy::quota_limits(), policy::period_count());
    EXPECT_FALSE(subject->counts_calls());
}

TEST_F(gate_calls_test, wait_exactly_until_the_window_has_room) {
    limit_calls(calls_per_minute(2));
    use(2);
    auto waits = call(call_rank::poll);
    auto gives_up = call(call_rank::poll, at(30s));
    auto cancelled = call(call_rank::interactive);
    world.run_until(30s);
    EXPECT_EQ(gives_up.value().error().kind, errc::timeout);
    cancelled.cancel();
    world.run_until(60s - 1ns);
    EXPECT_EQ(cancelled.value().error().kind, errc::cancelled);
    EXPECT_FALSE(waits.ended());
    world.run_until(60s);
    EXPECT_TRUE(waits.value());
}

TEST_F(gate_calls_test, an_open_call_holds_its_place_until_its_reply_ends) {
    limit_calls(calls_per_minute(1));
    auto open = call(call_rank::poll);
    auto waits = call(call_rank::poll);
    world.run_until(100s);
    EXPECT_FALSE(waits.ended());
    open.value()->not_sent();
    world.run_until(100s);
    EXPECT_TRUE(waits.value()) << "nothing was sent, so that the place is free at once";
}

TEST_F(gate_calls_test, submissions_go_before_polls_and_interactive_requests_between) {
    limit_calls(calls_per_minute(1));
    use(1);
    auto poll = call(call_rank::poll);
    auto bulk_job = enter(1, bulk());
    auto prompt = call(call_rank::interactive);
    auto job = enter(1, interactive());
    world.run_until(60s);
    ASSERT_TRUE(job.ended());
    EXPECT_FALSE(prompt.ended() || bulk_job.ended() || poll.ended());
    job.value()->sent();
    job.value()->settle(1);
    world.run_until(120s);
    EXPECT_TRUE(prompt.ended() != bulk_job.ended()) << "one of the two, a call each minute";
    EXPECT_FALSE(poll.ended());
    if (prompt.ended()) {
        prompt.value() = call_lease();
    } else {
        bulk_job.value()->sent();
        bulk_job.value()->settle(1);
    }
    world.run_until(180s);
    EXPECT_TRUE(prompt.ended() && bulk_job.ended());
    EXPECT_FALSE(poll.ended());
    prompt.value() = call_lease();
    bulk_job.value()->sent();
    bulk_job.value()->settle(1);
    world.run_until(240s);
    EXPECT_TRUE(poll.ended());
}

TEST_F(gate_calls_test, polls_do_not_wait_for_a_submission_that_waits_for_them) {
    limit_calls(calls_per_minute(10, 1));
    lease job = entered(1);
    job.settle(1);
    auto next_job = enter(1);
    auto poll = call(call_rank::poll);
    world.run_until(0s);
    EXPECT_FALSE(next_job.ended());
    EXPECT_TRUE(poll.ended()) << "the poll may find the end of the job that holds the submission back";
    job.end();
    world.run_until(0s);
    EXPECT_TRUE(next_job.ended());
}

TEST_F(gate_calls_test, wait_behind_a_pause_or_fail_with_what_closed_the_gate) {
    limit_calls(calls_per_minute(10));
    error slow(errc::rate_limited, "slow down");
    subject->pause(60s, slow);
    auto waits = call(call_rank::poll);
    auto fails = call(call_rank::poll, at(5s));
    world.run_until(0s);
    EXPECT_EQ(fails.value().error().kind, errc::rate_limited);
    world.run_until(59s);
    EXPECT_FALSE(waits.ended());
    world.run_until(70s);
    EXPECT_TRUE(waits.value());
}

}  // namespace
}  // namespace vembed::admission
