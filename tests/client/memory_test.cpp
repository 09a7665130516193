// Each allocation fails in turn: what was begun is undone, and whoever called is told.

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>

#include "http/socket/connection_pool.hpp"
#include "runtime/alarm.hpp"
#include "support/corpora.hpp"
#include "support/failing_memory.hpp"
#include "support/system_client.hpp"
#include "support/world.hpp"

namespace vembed::testing {
namespace {

using namespace std::chrono_literals;
using testing_support::failing_memory;

constexpr std::uint64_t allocations_max = 10'000;

/// `attempt(n)` makes allocation `n` fail and says whether there was one. Called with 0, 1, … until there was none.
template <class Attempt>
void fail_each_allocation(Attempt attempt) {
    std::uint64_t at = 0;
    while (attempt(at)) {
        ++at;
        ASSERT_LT(at, allocations_max) << "there is no end of them";
    }
    EXPECT_GT(at, 0u) << "no allocation was seen";
}

/// One operation that a callback, a cancellation slot and a stop token belong to.
class started_health {
public:
    void start(client& subject) {
        call_options options;
        options.stop = stop.get_token();
        auto tell = [this](result<health_info> got) {
            ++calls;
            outcome.emplace(std::move(got));
        };
        subject.get_health(std::move(options)).start(asio::bind_cancellation_slot(signal.slot(), std::move(tell)));
    }

    /// What asks it to end finds nothing of an operation that has ended.
    void ask_to_end() {
        stop.request_stop();
        signal.emit(asio::cancellation_type::terminal);
    }

    std::stop_source stop;
    asio::cancellation_signal signal;
    std::optional<result<health_info>> outcome;
    int calls = 0;
};

/// A strand of Asio's that had no memory to schedule itself never runs again, and nobody can ask it. All that a client
/// does after that waits on it.
bool strand_works(world& w) {
    bool ran = false;
    asio::post(w.subject->get_executor(), [&ran] { ran = true; });
    w.env->run();
    return ran;
}

constexpr int lost_strands_max = 4;

TEST(Launch, WithoutMemoryThrowsAndLeavesNothing) {
    int lost_strands = 0;
    fail_each_allocation([&lost_strands](std::uint64_t at) {
        world w{quick_service()};
        started_health subject;
        bool thrown = false;
        bool failed = false;
        {
            const failing_memory without(at);
            try {
                subject.start(*w.subject);
            } catch (const std::bad_alloc&) {
                thrown = true;
            }
            failed = without.failed();
        }
        EXPECT_EQ(thrown, failed) << "allocation " << at;
        subject.ask_to_end();
        if (!strand_works(w)) {
            ++lost_strands;
            return failed;
        }
        EXPECT_EQ(subject.calls, thrown ? 0 : 1) << "allocation " << at;
        EXPECT_TRUE(w.run(w.subject->get_health())) << "allocation " << at;
        return failed;
    });
    EXPECT_LE(lost_strands, lost_strands_max);
}

TEST(Launch, BegunWithoutMemoryIsToldAndForgotten) {
    int told = 0;
    fail_each_allocation([&told](std::uint64_t at) {
        world w{quick_service()};
        started_health subject;
        subject.start(*w.subject);
        bool failed = false;
        {
            const failing_memory without(at);
            EXPECT_NO_THROW(w.context.poll_one()) << "allocation " << at;
            failed = without.failed();
        }
        w.env->run();
        EXPECT_EQ(subject.calls, 1) << "allocation " << at;
        if (subject.outcome && !*subject.outcome) {
            EXPECT_EQ(subject.outcome->error().kind, errc::out_of_memory) << subject.outcome->error();
            ++told;
        }
        subject.ask_to_end();
        EXPECT_TRUE(w.run(w.subject->get_health())) << "allocation " << at;
        w.subject.reset();  // Cancels whatever it still lists.
        w.env->run();
        EXPECT_EQ(subject.calls, 1) << "allocation " << at;
        return failed;
    });
    EXPECT_GT(told, 0);
}

// Where Asio itself finds no memory the exception leaves through the executor's run(), and the operation is dropped.
TEST(Launch, DroppedByTheExecutorIsForgotten) {
    int told = 0;
    int lost_strands = 0;
    fail_each_allocation([&told, &lost_strands](std::uint64_t at) {
        world w{quick_service()};
        started_health subject;
        bool failed = false;
        {
            const failing_memory without(at);
            try {
                subject.start(*w.subject);
                w.env->run();
            } catch (const std::bad_alloc&) {
                EXPECT_FALSE(subject.outcome) << "allocation " << at;
            }
            failed = without.failed();
        }
        if (!strand_works(w)) {
            ++lost_strands;
            return failed;
        }
        EXPECT_LE(subject.calls, 1) << "allocation " << at;
        if (subject.outcome && !*subject.outcome) {
            EXPECT_EQ(subject.outcome->error().kind, errc::out_of_memory) << subject.outcome->error();
            ++told;
        }
        EXPECT_TRUE(w.run(w.subject->get_health())) << "allocation " << at;
        w.subject.reset();  // Cancels whatever it still lists.
        w.env->run();
        return failed;
    });
    EXPECT_GT(told, 0);
    EXPECT_LE(lost_strands, lost_strands_max);
}

/// A connection to nobody.
class silent_stream final : public http::byte_stream {
public:
    asio::awaitable<std::optional<error>> shake_hands(std::string) override { co_return std::nullopt; }
    asio::awaitable<http::io_result> read_some(asio::mutable_buffer) override { co_return http::io_result(); }
    asio::awaitable<http::io_result> write_some(http::gather, http::heed) override { co_return http::io_result(); }
    bool alive() override { return true; }
    void time_out() noexcept override { timed_out = true; }
    void close() noexcept override {}

    bool timed_out = false;
};

/// A pool of one place.
class small_pool {
public:
    small_pool() {
        http::socket_transport_options options;
        options.connections_max = 1;
        pool = std::make_shared<http::connection_pool>(context.get_executor(), env, http::origin(), std::move(options),
                                                       nullptr);
    }

    static std::unique_ptr<http::connection> connected() {
        return std::make_unique<http::connection>(std::make_unique<silent_stream>());
    }

    [[nodiscard]] monotonic_time soon() const { return env->now() + 1h; }

    /// An idle connection that has the place.
    void rest_one() {
        http::checkout first(pool);
        first.hold(connected(), soon());
        first.give_back();
    }

    asio::io_context context{1};
    std::shared_ptr<environment> env = make_system_environment();
    std::shared_ptr<http::connection_pool> pool;
};

TEST(Checkout, OfANewConnectionWithoutMemoryGivesItsPlaceBack) {
    fail_each_allocation([](std::uint64_t at) {
        small_pool one;
        std::unique_ptr<http::connection> made = small_pool::connected();
        const monotonic_time until = one.soon();
        const failing_memory without(at);
        try {
            http::checkout place(one.pool);
            EXPECT_FALSE(one.pool->has_place());
            place.hold(std::move(made), until);
            place.give_back();
        } catch (const std::bad_alloc&) {
            EXPECT_TRUE(without.failed());
        }
        EXPECT_TRUE(one.pool->has_place()) << "allocation " << at;
        const http::checkout again(one.pool);
        EXPECT_EQ(one.pool->take_idle() != nullptr, !without.failed()) << "allocation " << at;
        return without.failed();
    });
}

TEST(Checkout, OfAnIdleConnectionWithoutMemoryGivesItsPlaceBack) {
    fail_each_allocation([](std::uint64_t at) {
        small_pool one;
        one.rest_one();
        const monotonic_time until = one.soon() - 1min;
        bool failed = false;
        {
            const failing_memory without(at);
            try {
                http::checkout place(one.pool, one.pool->take_idle(), until);
                place.set_deadline(until - 1min);
                place.give_back();
            } catch (const std::bad_alloc&) {
                EXPECT_TRUE(without.failed());
            }
            failed = without.failed();
        }
        EXPECT_TRUE(one.pool->has_place()) << "allocation " << at;
        (void)one.pool->take_idle();
        one.pool->close();  // Closes whatever it still takes for busy.
        return failed;
    });
}

TEST(Alarm, SetWithoutMemoryRingsWhenItWouldHave) {
    fail_each_allocation([](std::uint64_t at) {
        asio::io_context context(1);
        int rung = 0;
        runtime::alarm subject(context.get_executor(), [&rung] { ++rung; });
        const auto env = make_system_environment();
        const monotonic_time late = env->now() + 2ms;
        subject.set(late);
        bool failed = false;
        {
            const failing_memory without(at);
            try {
                subject.set(late - 1ms);
            } catch (const std::bad_alloc&) {
                EXPECT_EQ(subject.at(), late) << "allocation " << at;
            }
            failed = without.failed();
        }
        context.run();
        EXPECT_EQ(rung, 1) << "allocation " << at;
        EXPECT_EQ(subject.at(), no_deadline);
        return failed;
    });
}

}  // namespace
}  // namespace vembed::testing
