#include "admission/ledger_codec.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

namespace vembed::admission {
namespace {

using policy::quota_bound;

// A state without calls is written in the first format, so that clients of earlier versions go on reading it.
constexpr std::uint8_t format_without_calls = 1;
constexpr std::uint8_t format_with_calls = 2;
constexpr std::array<errc, 3> pause_reasons{errc::service_busy, errc::rate_limited, errc::too_many_inflight};
// The bounds that refused_by may have; those of calls are never among them.
constexpr auto last_bound = static_cast<std::uint64_t>(quota_bound::pause);
constexpr std::size_t period_name_most = 256;
constexpr std::size_t checksum_bytes = 8;

// Detects torn writes and flipped bits, not forgery. Each step can be undone, so that no single change stays
// undetected.
std::uint64_t checksum(std::string_view bytes) {
    std::uint64_t sum = bytes.size();
    while (!bytes.empty()) {
        std::uint64_t word = 0;
        const std::size_t size = std::min(bytes.size(), sizeof(word));
        std::memcpy(&word, bytes.data(), size);
        bytes.remove_prefix(size);
        sum = (sum ^ word) * 0x9e3779b97f4a7c15u;
        sum ^= sum >> 32;
    }
    return sum;
}

// Structures are unpacked by name, so that a field added to a state does not compile until it is stored too.
class writer {
public:
    void number(std::uint64_t value) {
        std::array<char, 10> digits;
        std::size_t size = 0;
        for (; value >= 0x80; value >>= 7) {
            digits[size++] = static_cast<char>(value | 0x80);
        }
        digits[size++] = static_cast<char>(value);
        out.append(digits.data(), size);
    }
    void fixed(std::uint64_t value) {
        std::array<char, 8> digits;
        for (std::size_t i = 0; i < digits.size(); ++i) {
            digits[i] = static_cast<char>(value >> (8 * i));
        }
        out.append(digits.data(), digits.size());
    }
    void real(double value) { fixed(std::bit_cast<std::uint64_t>(value)); }
    void flag(bool value) { number(value ? 1 : 0); }
    void duration(monotonic_clock::duration value) { fixed(static_cast<std::uint64_t>(value.count())); }
    void time(monotonic_time value) { duration(value.time_since_epoch()); }
    void time(const std::optional<monotonic_time>& value) {
        flag(value.has_value());
        time(value.value_or(monotonic_time()));
    }
    void text(std::string_view value) {
        number(value.size());
        out += value;
    }

    std::string out;
};

// After the first value that cannot be read, every value reads as zero, and good() is false.
class reader {
public:
    explicit reader(std::string_view bytes) : left_(bytes) {}

    std::uint64_t number() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            const std::uint8_t byte = next();
            value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
            if (byte < 0x80) {
                return value;
            }
        }
        return fail();
    }
    std::uint64_t number_to(std::uint64_t most) {
        const std::uint64_t value = number();
        return value <= most ? value : fail();
    }
    std::uint64_t fixed() {
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < 8; ++i) {
            value |= static_cast<std::uint64_t>(next()) << (8 * i);
        }
        return value;
    }
    double real() {
        const auto value = std::bit_cast<double>(fixed());
        return std::isfinite(value) && value >= 0 ? value : static_cast<double>(fail());
    }
    bool flag() { return number_to(1) == 1; }
    monotonic_clock::duration duration() {
        return monotonic_clock::duration(static_cast<monotonic_clock::rep>(fixed()));
    }
    monotonic_time time() { return monotonic_time(duration()); }
    std::optional<monotonic_time> optional_time() {
        const bool has = flag();
        const monotonic_time value = time();
        return has ? std::optional(value) : std::nullopt;
    }
    std::string text() {
        const std::uint64_t size = number_to(std::min(left_.size(), period_name_most));
        std::string value(left_.substr(0, size));
        left_.remove_prefix(size);
        return value;
    }
    // The count of a list whose elements take at least `least` bytes each.
    std::uint64_t count(std::size_t least) { return number_to(left_.size() / least); }

    std::uint64_t fail() {
        good_ = false;
        left_ = {};
        return 0;
    }
    [[nodiscard]] bool good() const noexcept { return good_; }
    [[nodiscard]] bool at_end() const noexcept { return left_.empty(); }

private:
    std::uint8_t next() {
        if (left_.empty()) {
            return static_cast<std::uint8_t>(fail());
        }
        const auto byte = static_cast<std::uint8_t>(left_.front());
        left_.remove_prefix(1);
        return byte;
    }

    std::string_view left_;
    bool good_ = true;
};

// Ascending times are written as differences, which are short.
void write_buckets(writer& to, const std::vector<policy::usage_bucket>& buckets) {
    to.number(buckets.size());
    std::uint64_t before = 0;
    for (const auto& [when, chunks, requests] : buckets) {
        const auto at = static_cast<std::uint64_t>(when.time_since_epoch().count());
        to.number(at - before);
        to.number(chunks);
        to.number(requests);
        before = at;
    }
}

std::vector<policy::usage_bucket> read_buckets(reader& from) {
    std::vector<policy::usage_bucket> buckets(from.count(3));
    std::uint64_t before = 0;
    for (policy::usage_bucket& bucket : buckets) {
        before += from.number();
        bucket.at = monotonic_time(monotonic_clock::duration(static_cast<monotonic_clock::rep>(before)));
        bucket.chunks = from.number();
        bucket.requests = from.number();
    }
    return buckets;
}

void write_reservations(writer& to, const std::vector<policy::reservation>& reservations) {
    to.number(reservations.size());
    for (const auto& [owner, number, chunks, borne, made_at, closed, answered] : reservations) {
        to.fixed(owner);
        to.number(number);
        to.number(chunks);
        to.number(borne);
        to.time(made_at);
        to.number((closed ? 1u : 0u) + (answered ? 2u : 0u));
    }
}

std::vector<policy::reservation> read_reservations(reader& from) {
    std::vector<policy::reservation> reservations(from.count(20));
    for (policy::reservation& one : reservations) {
        one.owner = from.fixed();
        one.number = from.number();
        one.chunks = from.number();
        one.borne = from.number();
        one.made_at = from.time();
        const std::uint64_t flags = from.number_to(3);
        one.closed = (flags & 1) != 0;
        one.answered = (flags & 2) != 0;
    }
    return reservations;
}

void write_calls(writer& to, const std::vector<policy::open_call>& calls) {
    to.number(calls.size());
    for (const auto& [owner, number] : calls) {
        to.fixed(owner);
        to.number(number);
    }
}

std::vector<policy::open_call> read_calls(reader& from) {
    std::vector<policy::open_call> calls(from.count(9));
    for (policy::open_call& one : calls) {
        one.owner = from.fixed();
        one.number = from.number();
    }
    return calls;
}

void write_pause(writer& to, const policy::pause_state& state) {
    const auto& [until, because, returned] = state;
    to.time(until);
    std::uint64_t reason = 0;
    for (std::size_t i = 0; i < pause_reasons.size(); ++i) {
        reason = pause_reasons[i] == because ? i : reason;
    }
    to.number(reason);
    to.real(returned);
}

void write_pace(writer& to, const policy::pace_state& state) {
    const auto& [rate, next, changed_at, refused_at, borne] = state;
    to.real(rate);
    to.time(next);
    to.time(changed_at);
    to.time(refused_at);
    to.number(borne);
}

void write_flight(writer& to, const policy::flight_state& state) {
    const auto& [cap, unanswered_max, refused_at, accepted_since, climbed, climbing] = state;
    to.flag(cap.has_value());
    to.number(cap.value_or(0));
    to.real(unanswered_max);
    to.time(refused_at);
    to.number(accepted_since);
    to.number(climbed);
    to.flag(climbing);
}

void read_learned(reader& from, policy::ledger_state& state) {
    state.pause.until = from.time();
    state.pause.because = pause_reasons[from.number_to(pause_reasons.size() - 1)];
    state.pause.returned = from.real();
    state.pace.rate = from.real();
    state.pace.next = from.time();
    state.pace.changed_at = from.time();
    state.pace.refused_at = from.time();
    state.pace.borne = from.number();
    const bool has_cap = from.flag();
    const std::uint64_t cap = from.number();
    state.flight.cap = has_cap ? std::optional(cap) : std::nullopt;
    state.flight.unanswered_max = from.real();
    state.flight.refused_at = from.time();
    state.flight.accepted_since = from.number();
    state.flight.climbed = from.number();
    state.flight.climbing = from.flag();
}

monotonic_time shifted(monotonic_time time, monotonic_clock::duration by) noexcept {
    using limits = std::numeric_limits<monotonic_clock::rep>;
    const monotonic_clock::rep at = time.time_since_epoch().count();
    const monotonic_clock::rep change = by.count();
    if (time == no_deadline || (change > 0 && at > limits::max() - change)) {
        return no_deadline;
    }
    return change < 0 && at < limits::min() - change ? monotonic_time::min() : time + by;
}

}  // namespace

std::string encode(const policy::ledger_state& state) {
    writer to;
    to.out.reserve(512 + 12 * (state.minute.size() + state.day.size()) + 24 * state.reservations.size());
    const bool has_calls = !state.calls_minute.empty() || !state.calls_hour.empty() || !state.calls.empty();
    to.number(has_calls ? format_with_calls : format_without_calls);
    const auto& [minute, day, reservations, next_number, period_chunks, period, period_ends, period_length,
                 period_started_here, refused_by, refused_until, synchronised_at, pause, pace, flight, calls_minute,
                 calls_hour, calls] = state;
    write_buckets(to, minute);
    write_buckets(to, day);
    write_reservations(to, reservations);
    to.number(next_number);
    to.number(period_chunks);
    to.text(std::string_view(period).substr(0, period_name_most));
    to.time(period_ends);
    to.duration(period_length);
    to.flag(period_started_here);
    to.number(static_cast<std::uint64_t>(refused_by));
    to.time(refused_until);
    to.time(synchronised_at);
    write_pause(to, pause);
    write_pace(to, pace);
    write_flight(to, flight);
    if (has_calls) {
        write_buckets(to, calls_minute);
        write_buckets(to, calls_hour);
        write_calls(to, calls);
    }
    const std::uint64_t sum = checksum(to.out);
    to.fixed(sum);
    return std::move(to.out);
}

std::optional<policy::ledger_state> decode(std::string_view bytes) {
    if (bytes.size() < checksum_bytes) {
        return std::nullopt;
    }
    const std::string_view content = bytes.substr(0, bytes.size() - checksum_bytes);
    reader from(content);
    if (reader(bytes.substr(content.size())).fixed() != checksum(content)) {
        return std::nullopt;
    }
    const std::uint64_t format = from.number();
    if (format != format_without_calls && format != format_with_calls) {
        return std::nullopt;
    }
    policy::ledger_state state;
    state.minute = read_buckets(from);
    state.day = read_buckets(from);
    state.reservations = read_reservations(from);
    state.next_number = from.number();
    state.period_chunks = from.number();
    state.period = from.text();
    state.period_ends = from.optional_time();
    state.period_length = from.duration();
    state.period_started_here = from.flag();
    state.refused_by = static_cast<quota_bound>(from.number_to(last_bound));
    state.refused_until = from.time();
    state.synchronised_at = from.optional_time();
    read_learned(from, state);
    if (format == format_with_calls) {
        state.calls_minute = read_buckets(from);
        state.calls_hour = read_buckets(from);
        state.calls = read_calls(from);
    }
    const bool sane = from.good() && from.at_end() && state.period_length >= monotonic_clock::duration::zero();
    return sane ? std::optional(std::move(state)) : std::nullopt;
}

void shift_times(policy::ledger_state& state, monotonic_clock::duration by) {
    for (std::vector<policy::usage_bucket>* buckets :
         {&state.minute, &state.day, &state.calls_minute, &state.calls_hour}) {
        for (policy::usage_bucket& bucket : *buckets) {
            bucket.at = shifted(bucket.at, by);
        }
    }
    // Times before the clock's zero mean the same as zero for everything but usage.
    const auto since_zero = [by](monotonic_time time) { return std::max(shifted(time, by), monotonic_time()); };
    for (policy::reservation& one : state.reservations) {
        one.made_at = since_zero(one.made_at);
    }
    for (std::optional<monotonic_time>* time : {&state.period_ends, &state.synchronised_at}) {
        if (*time) {
            *time = since_zero(**time);
        }
    }
    for (monotonic_time* time : {&state.refused_until, &state.pause.until, &state.pace.next, &state.pace.changed_at,
                                 &state.pace.refused_at, &state.flight.refused_at}) {
        *time = since_zero(*time);
    }
}

}  // namespace vembed::admission
