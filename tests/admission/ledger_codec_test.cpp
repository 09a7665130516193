#include "admission/ledger_codec.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <limits>

#include "policy/quota/quota_ledger.hpp"

namespace vembed::admission {
namespace {

using namespace std::chrono_literals;

monotonic_time at(monotonic_clock::duration since_zero) {
    return monotonic_time(since_zero);
}

policy::usage_bucket bucket(monotonic_clock::duration when, std::uint64_t chunks, std::uint64_t requests) {
    policy::usage_bucket made;
    made.at = at(when);
    made.chunks = chunks;
    made.requests = requests;
    return made;
}

// Every field another value, none a default.
policy::ledger_state example() {
    policy::ledger_state state;
    state.minute = {bucket(-5s, 1, 2), bucket(7s, 300, 4)};
    state.day = {bucket(1h, std::uint64_t{1} << 40, 1), bucket(2h, 0, 0), bucket(3h, 9, 9)};
    for (std::uint64_t i = 0; i < 3; ++i) {
        policy::reservation one;
        one.owner = ~i;
        one.number = i + 1;
        one.chunks = 100 * i;
        one.borne = i;
        one.made_at = at(i * 1s);
        one.closed = i == 1;
        one.answered = i >= 1;
        state.reservations.push_back(one);
    }
    state.next_number = 77;
    state.period_chunks = 12345;
    state.period = "2026-01-01T00:00:00Z";
    state.period_ends = at(100h);
    state.period_length = 720h;
    state.period_started_here = true;
    state.refused_by = policy::quota_bound::chunks_per_day;
    state.refused_until = at(11h);
    state.synchronised_at = at(12h);
    state.pause.until = at(13h);
    state.pause.because = errc::too_many_inflight;
    state.pause.returned = 1.5;
    state.pace.rate = 2.5;
    state.pace.next = at(14h);
    state.pace.changed_at = at(15h);
    state.pace.refused_at = at(16h);
    state.pace.borne = 17;
    state.flight.cap = 18;
    state.flight.unanswered_max = 19.5;
    state.flight.refused_at = at(20h);
    state.flight.accepted_since = 21;
    state.flight.climbed = 22;
    state.flight.climbing = true;
    return state;
}

policy::open_call open_call(std::uint64_t owner, std::uint64_t number) {
    policy::open_call made;
    made.owner = owner;
    made.number = number;
    return made;
}

policy::ledger_state example_with_calls() {
    policy::ledger_state state = example();
    state.calls_minute = {bucket(3s, 0, 5), bucket(4s, 0, 6)};
    state.calls_hour = {bucket(3s, 0, 11)};
    state.calls = {open_call(~std::uint64_t{7}, 3), open_call(~std::uint64_t{7}, 9)};
    return state;
}

void expect_same(const policy::ledger_state& a, const policy::ledger_state& b) {
    EXPECT_EQ(a.minute, b.minute);
    EXPECT_EQ(a.day, b.day);
    ASSERT_EQ(a.reservations.size(), b.reservations.size());
    for (std::size_t i = 0; i < a.reservations.size(); ++i) {
        const auto& one = a.reservations[i];
        const auto& other = b.reservations[i];
        EXPECT_EQ(std::tie(one.owner, one.number, one.chunks, one.borne, one.made_at, one.closed, one.answered),
                  std::tie(other.owner, other.number, other.chunks, other.borne, other.made_at, other.closed,
                           other.answered));
    }
    EXPECT_EQ(std::tie(a.period_chunks, a.period, a.period_ends, a.period_length, a.period_started_here),
              std::tie(b.period_chunks, b.period, b.period_ends, b.period_length, b.period_started_here));
    EXPECT_EQ(a.next_number, b.next_number);
    EXPECT_EQ(std::tie(a.refused_by, a.refused_until, a.synchronised_at),
              std::tie(b.refused_by, b.refused_until, b.synchronised_at));
    EXPECT_EQ(std::tie(a.pause.until, a.pause.because, a.pause.returned),
              std::tie(b.pause.until, b.pause.because, b.pause.returned));
    EXPECT_EQ(std::tie(a.pace.rate, a.pace.next, a.pace.changed_at, a.pace.refused_at, a.pace.borne),
              std::tie(b.pace.rate, b.pace.next, b.pace.changed_at, b.pace.refused_at, b.pace.borne));
    EXPECT_EQ(std::tie(a.flight.cap, a.flight.unanswered_max, a.flight.refused_at, a.flight.accepted_since),
              std::tie(b.flight.cap, b.flight.unanswered_max, b.flight.refused_at, b.flight.accepted_since));
    EXPECT_EQ(std::tie(a.flight.climbed, a.flight.climbing), std::tie(b.flight.climbed, b.flight.climbing));
    EXPECT_EQ(std::tie(a.calls_minute, a.calls_hour), std::tie(b.calls_minute, b.calls_hour));
    EXPECT_TRUE(a.calls == b.calls);
}

TEST(ledger_codec, reads_what_it_wrote) {
    for (const policy::ledger_state& state : {example(), example_with_calls(), policy::ledger_state()}) {
        const std::string bytes = encode(state);
        const auto back = decode(bytes);
        ASSERT_TRUE(back);
        expect_same(*back, state);
        EXPECT_EQ(encode(*back), bytes);
    }
}

std::string hex_of(std::string_view bytes) {
    std::string out;
    for (const char c : bytes) {
        constexpr char digits[] = "0123456789abcdef";
        out += digits[static_cast<unsigned char>(c) >> 4];
        out += digits[static_cast<unsigned char>(c) & 15];
    }
    return out;
}

TEST(ledger_codec, a_state_without_calls_is_written_in_format_1) {
    policy::ledger_state state;
    state.minute = {bucket(7s, 300, 4)};
    state.period = "2026";
    EXPECT_EQ(hex_of(encode(state)),
              "0101808cee891aac0204000001000432303236000000000000000000000000000000000000000000000000000000000000000000"
              "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
              "000000000000000000f03f0000000000000000000000aec7046a16e8efe5");
    policy::ledger_state with_calls = example_with_calls();
    const std::string second = encode(with_calls);
    const std::string first = encode(example());
    EXPECT_EQ(first.front(), 1);
    EXPECT_EQ(second.front(), 2);
    EXPECT_EQ(second.substr(1, first.size() - 9), first.substr(1, first.size() - 9)) << "the calls stand behind it";
    // Each of the three alone needs the second format.
    for (int which = 0; which < 3; ++which) {
        with_calls = example();
        with_calls.calls_minute.resize(which == 0 ? 1 : 0);
        with_calls.calls_hour.resize(which == 1 ? 1 : 0);
        with_calls.calls.resize(which == 2 ? 1 : 0);
        EXPECT_EQ(encode(with_calls).front(), 2);
        expect_same(decode(encode(with_calls)).value(), with_calls);
    }
}

TEST(ledger_codec, notices_damage) {
    const std::string bytes = encode(example_with_calls());
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        std::string changed = bytes;
        changed[i] = static_cast<char>(changed[i] ^ 0x01);
        EXPECT_FALSE(decode(changed)) << i;
        EXPECT_FALSE(decode(std::string_view(bytes).substr(0, i))) << i;
    }
    EXPECT_FALSE(decode(bytes + '\0'));
    EXPECT_FALSE(decode(""));
}

TEST(ledger_codec, a_full_day_stays_small) {
    policy::ledger_state state;
    for (int i = 0; i < 1440; ++i) {
        state.day.push_back(bucket(i * 1min + 123456789ns, 60, 30));
    }
    for (int i = 0; i < 240; ++i) {
        state.minute.push_back(bucket(24h + i * 250ms, 1, 1));
    }
    EXPECT_LT(encode(state).size(), 20'000u);
}

TEST(ledger_codec, shifts_every_time) {
    policy::ledger_state state = example();
    shift_times(state, 10min);
    EXPECT_EQ(state.minute[0].at, at(10min - 5s));
    EXPECT_EQ(state.day[2].at, at(3h + 10min));
    EXPECT_EQ(state.reservations[1].made_at, at(1s + 10min));
    EXPECT_EQ(state.period_ends, at(100h + 10min));
    EXPECT_EQ(state.synchronised_at, at(12h + 10min));
    EXPECT_EQ(state.refused_until, at(11h + 10min));
    EXPECT_EQ(state.pause.until, at(13h + 10min));
    EXPECT_EQ(state.pace.next, at(14h + 10min));
    EXPECT_EQ(state.pace.changed_at, at(15h + 10min));
    EXPECT_EQ(state.pace.refused_at, at(16h + 10min));
    EXPECT_EQ(state.flight.refused_at, at(20h + 10min));
    EXPECT_EQ(state.period_length, 720h);
    shift_times(state, -10min);
    expect_same(state, example());
}

TEST(ledger_codec, shifts_the_calls_too) {
    policy::ledger_state state = example_with_calls();
    shift_times(state, 10min);
    EXPECT_EQ(state.calls_minute[1].at, at(4s + 10min));
    EXPECT_EQ(state.calls_hour[0].at, at(3s + 10min));
}

TEST(ledger_codec, times_at_the_ends_of_the_clock_stay_there) {
    policy::ledger_state state;
    state.pause.until = no_deadline;
    state.refused_until = no_deadline - 1s;
    state.pace.next = monotonic_time::min() + 1s;
    shift_times(state, 1h);
    EXPECT_EQ(state.pause.until, no_deadline);
    EXPECT_EQ(state.refused_until, no_deadline);
    shift_times(state, -2h);
    EXPECT_EQ(state.pause.until, no_deadline);
    EXPECT_EQ(state.pace.next, monotonic_time());
    state.minute = {bucket(1h, 1, 1)};
    shift_times(state, -5h);
    EXPECT_EQ(state.minute[0].at, at(-4h));
    shift_times(state, monotonic_clock::duration::min());
    EXPECT_EQ(state.minute[0].at, monotonic_time::min());
}

}  // namespace
}  // namespace vembed::admission
