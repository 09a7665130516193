// One account's quota, shared: two gates in virtual time, processes that are killed, clocks that change.

#include "admission/shared_ledger.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <deque>
#include <latch>
#include <stdexcept>
#include <thread>

#include "admission/gate.hpp"
#include "storage/local_folder.hpp"
#include "support/scratch.hpp"
#include "support/virtual_time.hpp"

namespace vembed::admission {
namespace {

using namespace std::chrono_literals;
using policy::quota_ledger;
using testing::scratch_folder;

// Two clocks that a test sets.
class hand_clocks final : public environment {
public:
    monotonic_time mono{1h};
    wall_time wall{std::chrono::seconds(1'767'225'600)};
    std::uint64_t warnings = 0;

    void pass(monotonic_clock::duration time) {
        mono += time;
        wall += std::chrono::duration_cast<std::chrono::milliseconds>(time);
    }
    [[nodiscard]] monotonic_time now() const override { return mono; }
    [[nodiscard]] wall_time wall_now() const override { return wall; }
    std::uint64_t random() override { return 4; }
    std::unique_ptr<timer> make_timer(const asio::any_io_executor&) override { throw std::logic_error("no timers"); }
    asio::awaitable<void> run_blocking(std::function<void()>) override { throw std::logic_error("no worker"); }
    void log(log_level level, std::string_view, std::initializer_list<log_field>) override {
        warnings += level == log_level::warning ? 1 : 0;
    }
};

policy::quota_limits limits_of(std::uint64_t minute, std::optional<std::uint64_t> day = std::nullopt) {
    policy::quota_limits limits;
    limits.chunks_per_minute = minute;
    limits.chunks_per_day = day;
    return limits;
}

// One client's side of a shared ledger.
class side {
public:
    side(const scratch_folder& scratch, std::uint64_t owner, std::shared_ptr<environment> env,
         const std::string& clock = "clock") {
        auto opened = shared_ledger::open(scratch.file("quota/account"), clock, owner << 8, std::move(env));
        if (!opened) {
            throw std::runtime_error(opened.error().describe());
        }
        ledger = std::move(*opened);
        with([](quota_ledger& l) { l.set_limits(limits_of(100, 1000)); });
    }
    template <class F>
    void with(F what) {
        ledger->update(what);
    }
    std::uint64_t reserve(monotonic_time now, std::uint64_t chunks) {
        policy::admission_decision decision;
        with([&](quota_ledger& l) { decision = l.reserve(now, chunks); });
        EXPECT_TRUE(decision.reservation) << to_string(decision.bound);
        return decision.reservation.value_or(0);
    }
    // A job that was accepted and is in flight.
    std::uint64_t submit(monotonic_time now, std::uint64_t chunks) {
        const std::uint64_t number = reserve(now, chunks);
        with([&](quota_ledger& l) { l.settle(number, chunks, now); });
        return number;
    }
    quota_state use(monotonic_time now) {
        quota_state seen;
        with([&](quota_ledger& l) { seen = l.use(now); });
        return seen;
    }

    std::shared_ptr<shared_ledger> ledger;
};

TEST(shared_ledger, what_one_side_does_the_other_sees) {
    scratch_folder scratch;
    auto env = std::make_shared<hand_clocks>();
    side a(scratch, 1, env);
    side b(scratch, 2, env);
    const std::uint64_t job = a.submit(env->now(), 30);
    EXPECT_EQ(b.use(env->now()).chunks_minute.used, 30u);
    EXPECT_EQ(b.use(env->now()).chunks_day.used, 30u);
    EXPECT_EQ(b.use(env->now()).jobs_in_flight.used, 1u);
    (void)b.submit(env->now(), 5);
    a.with([&](quota_ledger& l) { l.job_ended(job); });
    EXPECT_EQ(a.use(env->now()).chunks_minute.used, 35u);
    EXPECT_EQ(b.use(env->now()).jobs_in_flight.used, 1u);
    EXPECT_EQ(env->warnings, 0u);
}

policy::quota_limits calls_of(std::uint64_t minute) {
    policy::quota_limits limits;
    limits.calls_per_minute = minute;
    limits.calls_per_hour = 1000;
    return limits;
}

TEST(shared_ledger, calls_are_shared_and_those_of_the_dead_count) {
    scratch_folder scratch;
    auto env = std::make_shared<hand_clocks>();
    side a(scratch, 1, env);
    side b(scratch, 2, env);
    (void)a.submit(env->now(), 30);
    for (side* each : {&a, &b}) {
        each->with([](quota_ledger& l) { l.set_limits(calls_of(3)); });
    }
    EXPECT_EQ(a.use(env->now()).chunks_minute.used, 30u) << "what was written without calls keeps its counts";
    policy::admission_decision decision;
    {
        side gone(scratch, 3, env);
        gone.with([&](quota_ledger& l) {
            l.set_limits(calls_of(3));
            decision = l.reserve_call(env->now());
        });
        EXPECT_EQ(a.use(env->now()).calls_hour.used, 1u);
    }
    env->pass(2s);
    EXPECT_EQ(b.use(env->now()).calls_minute.used, 1u) << "its end is not known, so that it counts from now on";
    a.with([&](quota_ledger& l) { decision = l.reserve_call(env->now()); });
    const std::uint64_t open = decision.reservation.value();
    b.with([&](quota_ledger& l) { (void)l.reserve_call(env->now()); });
    EXPECT_EQ(a.use(env->now()).calls_minute.used, 3u);
    b.with([&](quota_ledger& l) { decision = l.reserve_call(env->now()); });
    EXPECT_FALSE(decision.reservation);
    a.with([&](quota_ledger& l) { l.end_call(open, env->now(), false); });
    EXPECT_EQ(b.use(env->now()).calls_minute.used, 2u);
    EXPECT_EQ(env->warnings, 0u);
}

TEST(shared_ledger, pauses_and_what_refusals_taught_are_shared) {
    scratch_folder scratch;
    auto env = std::make_shared<hand_clocks>();
    side a(scratch, 1, env);
    side b(scratch, 2, env);
    const auto refuse = [&](errc kind, std::optional<std::chrono::seconds> retry_after) {
        const std::uint64_t number = a.reserve(env->now(), 1);
        error why(kind, "no");
        why.retry_after = retry_after;
        a.with([&](quota_ledger& l) { l.refused(number, why, env->now()); });
    };
    (void)a.submit(env->now(), 1);
    (void)a.submit(env->now(), 1);
    refuse(errc::too_many_inflight, std::nullopt);
    std::optional<std::uint64_t> cap;
    b.with([&](quota_ledger& l) { cap = l.in_flight_cap(); });
    EXPECT_EQ(cap, 2u);
    env->pass(1h);
    refuse(errc::quota_exceeded, 5h);
    policy::admission_decision decision;
    b.with([&](quota_ledger& l) { decision = l.reserve(env->now(), 1); });
    EXPECT_EQ(decision.bound, policy::quota_bound::chunks_per_day);
    EXPECT_EQ(decision.retry_at, env->now() + 5h);
    b.with([&](quota_ledger& l) { l.pause(env->now() + 90s, errc::rate_limited); });
    a.with([&](const quota_ledger& l) {
        EXPECT_EQ(l.paused().state().until, env->now() + 90s);
        EXPECT_EQ(l.paused().state().because, errc::rate_limited);
    });
}

TEST(shared_ledger, outlives_its_clients) {
    scratch_folder scratch;
    auto env = std::make_shared<hand_clocks>();
    {
        side a(scratch, 1, env);
        (void)a.submit(env->now(), 40);
        (void)a.reserve(env->now(), 2);  // never told what became of it
    }
    env->pass(10s);
    {
        side b(scratch, 2, env);
        const quota_state seen = b.use(env->now());
        EXPECT_EQ(seen.chunks_minute.used, 42u);
        EXPECT_EQ(seen.jobs_in_flight.used, 0u) << "nobody watches them any longer";
    }
    env->pass(3h);
    side c(scratch, 3, env);
    EXPECT_EQ(c.use(env->now()).chunks_minute.used, 0u);
    EXPECT_EQ(c.use(env->now()).chunks_day.used, 42u);
    env->pass(22h);
    EXPECT_EQ(c.use(env->now()).chunks_day.used, 0u);
}

// ---- clocks

TEST(shared_ledger, a_day_is_a_day_across_a_restart_of_the_machine) {
    scratch_folder scratch;
    auto env = std::make_shared<hand_clocks>();
    env->mono = monotonic_time(500h);
    {
        side a(scratch, 1, env, "boot 1");
        (void)a.submit(env->now(), 40);
    }
    env->pass(2h);
    env->mono = monotonic_time(30s);
    side b(scratch, 2, env, "boot 2");
    EXPECT_EQ(b.use(env->now()).chunks_minute.used, 0u);
    EXPECT_EQ(b.use(env->now()).chunks_day.used, 40u);
    env->pass(22h - 1s);
    EXPECT_EQ(b.use(env->now()).chunks_day.used, 40u);
    env->pass(2min);
    EXPECT_EQ(b.use(env->now()).chunks_day.used, 0u);
}

TEST(shared_ledger, a_wall_clock_that_changes_frees_nothing_early) {
    for (const auto jump : {-5h, -1h, 1h, 30h}) {
        scratch_folder scratch;
        auto env = std::make_shared<hand_clocks>();
        {
            side a(scratch, 1, env);
            (void)a.submit(env->now(), 40);
        }
        env->wall += jump;
        env->pass(1h);
        side b(scratch, 2, env);
        EXPECT_EQ(b.use(env->now()).chunks_day.used, 40u) << "the machine was not restarted: only its clock counts";
        env->wall -= 2 * jump;
        env->pass(22h);
        side c(scratch, 3, env);
        EXPECT_EQ(c.use(env->now()).chunks_day.used, 40u);
        env->pass(1h + 1min);
        EXPECT_EQ(c.use(env->now()).chunks_day.used, 0u);
    }
}

TEST(shared_ledger, a_wall_clock_that_was_set_back_over_a_restart_frees_nothing_early) {
    scratch_folder scratch;
    auto env = std::make_shared<hand_clocks>();
    {
        side a(scratch, 1, env, "boot 1");
        (void)a.submit(env->now(), 40);
        a.with([&](quota_ledger& l) { l.pause(env->now() + 10min, errc::service_busy); });
    }
    env->wall -= 100h;
    env->mono = monotonic_time(5s);
    side b(scratch, 2, env, "boot 2");
    b.with([&](const quota_ledger& l) {
        EXPECT_GE(l.paused().state().until, env->now() + 10min);
        EXPECT_LE(l.paused().state().until, env->now() + 10min + 10ms);
    });
    env->pass(24h - 1s);
    EXPECT_EQ(b.use(env->now()).chunks_day.used, 40u);
    env->pass(2min);
    EXPECT_EQ(b.use(env->now()).chunks_day.used, 0u);
}

TEST(shared_ledger, shift_between_clocks) {
    const auto stamp = [](const char* clock, monotonic_clock::duration mono, std::chrono::milliseconds wall) {
        return ledger_stamp(clock, monotonic_time(mono), wall_time(wall));
    };
    const auto then = stamp("a", 100s, 1'000'000ms);
    EXPECT_EQ(shift_between(then, stamp("a", 150s, 5ms)), 0s);
    EXPECT_EQ(shift_between(then, stamp("a", 100s, 0ms)), 0s);
    EXPECT_EQ(shift_between(then, stamp("a", 10s, 1'020'000ms)), 10s - 100s - 20s + 1ms) << "no clock goes back";
    EXPECT_EQ(shift_between(then, stamp("b", 10s, 1'020'000ms)), 10s - 100s - 20s + 1ms);
    EXPECT_EQ(shift_between(then, stamp("b", 10s, 900'000ms)), 10s - 100s) << "nothing has passed";
    EXPECT_EQ(shift_between(stamp("", 100s, 0ms), stamp("", 100s, 1ms)), 0s) << "a clock without a name is no other's";
    EXPECT_LT(shift_between(then, stamp("b", 10s, std::chrono::hours(1'000'000))), -400'000h);
    EXPECT_FALSE(machine_clock_name().empty());
    EXPECT_EQ(machine_clock_name(), machine_clock_name());
}

// ---- gates

// Two gates want all they can get for ten minutes: together they stay within the cap, and use it.
TEST(shared_ledger, two_gates_never_exceed_the_cap_together) {
    scratch_folder scratch;
    testing_support::simulation world;
    constexpr std::uint64_t cap = 60;
    std::vector<std::shared_ptr<gate>> gates;
    for (int i = 0; i < 2; ++i) {
        gates.push_back(std::make_shared<gate>(world.context.get_executor(), world.env, limits_of(cap)));
        auto there = shared_ledger::open(scratch.file("account"), "sim", gates.back()->owner(), world.env);
        ASSERT_TRUE(there) << there.error();
        gates.back()->move_ledger(std::move(*there));
    }
    std::deque<std::pair<monotonic_time, std::uint64_t>> admitted;
    const auto work = [](gate* through, environment* env, decltype(admitted)* log,
                         std::uint64_t chunks) -> asio::awaitable<int> {
        for (;;) {
            result<lease> let_in = co_await through->enter(chunks, applicant(), no_deadline);
            if (!let_in) {
                co_return 1;
            }
            let_in->sent();
            log->emplace_back(env->now(), chunks);
            let_in->settle(chunks);
            let_in->end();
        }
    };
    std::vector<testing_support::begun<int>> running;
    for (std::uint64_t i = 0; i < 20; ++i) {
        running.push_back(world.begin(work(gates[i % 2].get(), world.env.get(), &admitted, 1 + i % 3)));
    }
    world.run_until(10min);
    std::uint64_t total = 0;
    std::uint64_t within = 0;
    std::uint64_t most = 0;
    std::deque<std::pair<monotonic_time, std::uint64_t>> window;
    for (const auto& one : admitted) {
        total += one.second;
        within += one.second;
        window.push_back(one);
        while (window.front().first + 60s <= one.first) {
            within -= window.front().second;
            window.pop_front();
        }
        most = std::max(most, within);
    }
    EXPECT_LE(most, cap);
    EXPECT_GE(total, cap * 10 * 95 / 100);
    for (auto& one : running) {
        one.cancel();
    }
    world.run();
}

TEST(shared_ledger, what_a_gate_did_before_it_moved_is_added) {
    scratch_folder scratch;
    testing_support::simulation world;
    side other(scratch, 1, world.env);
    (void)other.submit(world.env->now(), 10);
    const auto moving = std::make_shared<gate>(world.context.get_executor(), world.env, limits_of(100));
    {
        auto let_in = world.run(moving->enter(7, applicant(), no_deadline));
        ASSERT_TRUE(let_in);
        let_in->sent();
        let_in->settle(7);
        auto there = shared_ledger::open(scratch.file("quota/account"), "clock", moving->owner(), world.env);
        ASSERT_TRUE(there);
        moving->move_ledger(std::move(*there));
        EXPECT_EQ(moving->statistics().quota.chunks_minute.used, 17u);
        EXPECT_EQ(moving->statistics().quota.chunks_minute.limit, 100u);
        EXPECT_EQ(other.use(world.env->now()).jobs_in_flight.used, 2u);
    }
    EXPECT_EQ(other.use(world.env->now()).jobs_in_flight.used, 1u);
    EXPECT_EQ(other.use(world.env->now()).chunks_minute.used, 17u);
}

// ---- processes and threads

template <class Work>
pid_t in_child(Work work) {
    const pid_t child = ::fork();
    if (child == 0) {
        work();
        ::_exit(0);
    }
    return child;
}

void kill_and_wait(pid_t child) {
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
}

TEST(shared_ledger, what_a_killed_process_had_reserved_stays_spent) {
    scratch_folder scratch;
    auto env = std::make_shared<hand_clocks>();
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = in_child([&] {
        side mine(scratch, 1, env);
        (void)mine.submit(env->now(), 11);
        (void)mine.reserve(env->now(), 7);
        (void)!::write(ends[1], "+", 1);
        ::pause();
    });
    char told = 0;
    ASSERT_EQ(::read(ends[0], &told, 1), 1);
    side parent(scratch, 2, env);
    EXPECT_EQ(parent.use(env->now()).chunks_minute.used, 18u);
    EXPECT_EQ(parent.use(env->now()).jobs_in_flight.used, 2u) << "it lives";
    kill_and_wait(child);
    env->pass(2s);
    EXPECT_EQ(parent.use(env->now()).jobs_in_flight.used, 0u);
    EXPECT_EQ(parent.use(env->now()).chunks_minute.used, 18u);
    env->pass(59s);
    EXPECT_EQ(parent.use(env->now()).chunks_minute.used, 7u) << "the open one counts from when it was found dead";
    env->pass(2s);
    EXPECT_EQ(parent.use(env->now()).chunks_minute.used, 0u);
    EXPECT_EQ(parent.use(env->now()).chunks_day.used, 18u);
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST(shared_ledger, a_process_killed_at_any_moment_leaves_its_last_finished_update) {
    scratch_folder scratch;
    auto env = std::make_shared<hand_clocks>();
    std::uint64_t before = 0;
    for (std::uint64_t round = 0; round < 20; ++round) {
        int ends[2];
        ASSERT_EQ(::pipe(ends), 0);
        const pid_t child = in_child([&] {
            side mine(scratch, 10 + round, env);
            mine.with([](quota_ledger& l) { l.set_limits({}); });
            for (;;) {
                const std::uint64_t job = mine.submit(env->now(), 1);
                mine.with([&](quota_ledger& l) { l.job_ended(job); });
                if (::write(ends[1], "+", 1) != 1) {
                    return;
                }
            }
        });
        std::uint64_t told = 0;
        for (char byte = 0; told < 5 + 3 * round && ::read(ends[0], &byte, 1) == 1;) {
            ++told;
        }
        kill_and_wait(child);
        ::close(ends[1]);
        for (char byte = 0; ::read(ends[0], &byte, 1) == 1;) {
            ++told;
        }
        ::close(ends[0]);
        side parent(scratch, 2, env);
        const std::uint64_t used = parent.use(env->now()).chunks_day.used;
        EXPECT_GE(used, before + told);
        EXPECT_LE(used, before + told + 1) << "the one that was under way";
        before = used;
    }
    EXPECT_EQ(env->warnings, 0u);
}

TEST(shared_ledger, threads_with_a_client_each_lose_nothing) {
    scratch_folder scratch;
    constexpr std::uint64_t each = 300;
    std::vector<std::thread> threads;
    for (std::uint64_t i = 1; i <= 3; ++i) {
        threads.emplace_back([&scratch, i] {
            auto env = std::make_shared<hand_clocks>();
            side mine(scratch, i, env);
            mine.with([](quota_ledger& l) { l.set_limits({}); });
            for (std::uint64_t n = 0; n < each; ++n) {
                const std::uint64_t job = mine.submit(env->now(), 1);
                mine.with([&](quota_ledger& l) { l.job_ended(job); });
            }
            EXPECT_EQ(env->warnings, 0u);
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    auto env = std::make_shared<hand_clocks>();
    side after(scratch, 9, env);
    EXPECT_EQ(after.use(env->now()).chunks_day.used, 3 * each);
}

// Whoever comes first makes the file; nobody is turned away meanwhile.
TEST(shared_ledger, clients_that_start_together_all_open_it) {
    for (int round = 0; round < 30; ++round) {
        scratch_folder scratch;
        std::vector<std::thread> threads;
        std::latch together(4);
        for (std::uint64_t owner = 1; owner <= 4; ++owner) {
            threads.emplace_back([&, owner] {
                together.arrive_and_wait();
                auto opened = shared_ledger::open(scratch.file("quota/account"), "clock", owner << 8,
                                                  std::make_shared<hand_clocks>());
                EXPECT_TRUE(opened) << (opened ? "" : opened.error().describe());
            });
        }
        for (auto& thread : threads) {
            thread.join();
        }
    }
}

// ---- trouble

TEST(shared_ledger, goes_on_alone_while_the_file_is_held_and_then_adds_what_it_did) {
    scratch_folder scratch;
    auto env = std::make_shared<hand_clocks>();
    side a(scratch, 1, env);
    side b(scratch, 2, env);
    (void)a.submit(env->now(), 10);
    (void)b.submit(env->now(), 20);
    env->pass(2min);
    EXPECT_EQ(a.use(env->now()).chunks_day.used, 30u);
    auto held = storage::database::open(scratch.file("quota/account.sqlite"));
    ASSERT_TRUE(held);
    ASSERT_TRUE(held->execute("BEGIN IMMEDIATE"));
    const std::uint64_t job = a.submit(env->now(), 3);
    EXPECT_EQ(a.use(env->now()).chunks_day.used, 33u);
    env->pass(900ms);
    EXPECT_EQ(a.use(env->now()).chunks_day.used, 33u);
    EXPECT_EQ(env->warnings, 0u) << "others are busy for a while";
    env->pass(100ms);
    EXPECT_EQ(a.use(env->now()).chunks_day.used, 33u);
    env->pass(100ms);
    EXPECT_EQ(a.use(env->now()).chunks_day.used, 33u);
    EXPECT_EQ(env->warnings, 1u) << "told once";
    ASSERT_TRUE(held->execute("ROLLBACK"));
    (void)b.submit(env->now(), 4);
    env->pass(99ms);
    EXPECT_EQ(a.use(env->now()).chunks_day.used, 33u) << "it does not ask at every turn";
    env->pass(1ms);
    EXPECT_EQ(a.use(env->now()).chunks_day.used, 37u);
    EXPECT_EQ(b.use(env->now()).chunks_day.used, 37u);
    EXPECT_EQ(b.use(env->now()).jobs_in_flight.used, 4u);
    a.with([&](quota_ledger& l) { l.job_ended(job); });
    EXPECT_EQ(b.use(env->now()).jobs_in_flight.used, 3u);
    EXPECT_EQ(env->warnings, 1u);
}

TEST(shared_ledger, what_was_done_alone_is_added_before_it_goes) {
    scratch_folder scratch;
    auto env = std::make_shared<hand_clocks>();
    side stays(scratch, 1, env);
    auto held = storage::database::open(scratch.file("quota/account.sqlite"));
    ASSERT_TRUE(held);
    {
        side goes(scratch, 2, env);
        ASSERT_TRUE(held->execute("BEGIN IMMEDIATE"));
        (void)goes.submit(env->now(), 7);
        ASSERT_TRUE(held->execute("ROLLBACK"));
        EXPECT_EQ(stays.use(env->now()).chunks_day.used, 0u);
    }
    EXPECT_EQ(stays.use(env->now()).chunks_day.used, 7u);
    EXPECT_EQ(env->warnings, 0u);
}

TEST(shared_ledger, a_damaged_state_is_told_and_written_anew) {
    scratch_folder scratch;
    auto env = std::make_shared<hand_clocks>();
    side a(scratch, 1, env);
    (void)a.submit(env->now(), 10);
    {
        auto other = storage::database::open(scratch.file("quota/account.sqlite"));
        ASSERT_TRUE(other);
        ASSERT_TRUE(other->execute("UPDATE ledger SET version = version + 1, state = x'00'"));
    }
    EXPECT_EQ(a.use(env->now()).chunks_day.used, 10u) << "what this process knows";
    EXPECT_EQ(env->warnings, 1u);
    side b(scratch, 2, env);
    EXPECT_EQ(b.use(env->now()).chunks_day.used, 10u);
}

TEST(shared_ledger, files_of_others_are_refused) {
    scratch_folder scratch;
    auto env = std::make_shared<hand_clocks>();
    scratch.write("x.sqlite", std::string(5000, 'x'));
    auto opened = shared_ledger::open(scratch.file("x"), "clock", 1, env);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().kind, errc::io);
    EXPECT_NE(opened.error().message.find("x.sqlite"), std::string::npos);
    {
        auto other = storage::database::open(scratch.file("y.sqlite"));
        ASSERT_TRUE(other->execute("CREATE TABLE t (a)"));
    }
    opened = shared_ledger::open(scratch.file("y"), "clock", 1, env);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().kind, errc::folder_mismatch);
    EXPECT_TRUE(storage::check_local_folder(scratch.path()));
    EXPECT_FALSE(storage::check_local_folder(scratch.file("nowhere")));
    opened = shared_ledger::open("/proc/nowhere/at/all", "clock", 1, env);
    EXPECT_FALSE(opened);
}

}  // namespace
}  // namespace vembed::admission
