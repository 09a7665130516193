#include "admission/ledger_codec.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

namespace vembed::admission {
namespace {

using policy::quota_bound;

constexpr std::uint8_t format_version = 1;
constexpr std::array<errc, 3> pause_reasons{errc::service_busy, errc::rate_limited, errc::too_many_inflight};
constexpr auto last_bound = static_cast<std::uint64_t>(quota_bound::pause);
constexpr std::size_t period_name_most = 256;
constexpr std::size_t checksum_bytes = 8;

// FNV-1a: against torn and flipped bits, nobody forges a file of their own.
std::uint64_t checksum(std::string_view bytes) {
    std::uint64_t sum = 0xcbf29ce484222325u;
    for (const char c : bytes) {
        sum = (sum ^ static_cast<std::uint8_t>(c)) * 0x100000001b3u;
    }
    return sum;
}

class writer {
public:
    void number(std::uint64_t value) {
        for (; value >= 0x80; value >>= 7) {
            out += static_cast<char>(value | 0x80);
        }
        out += static_cast<char>(value);
    }
    void fixed(std::uint64_t value) {
        for (std::size_t i = 0; i < 8; ++i) {
            out += static_cast<char>(value >> (8 * i));
        }
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

// After the first thing that cannot be read everything reads as zero, and good() is false.
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
        const std::string value(left_.substr(0, size));
        left_.remove_prefix(size);
        return value;
    }
    // Of things that take at least `least` bytes each.
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

// Ascending times as differences, which are short.
void write_buckets(writer& to, const std::vector<policy::usage_bucket>& buckets) {
    to.number(buckets.size());
    std::uint64_t before = 0;
    for (const policy::usage_bucket& bucket : buckets) {
        const auto at = static_cast<std::uint64_t>(bucket.at.time_since_epoch().count());
        to.number(at - before);
        to.number(bucket.chunks);
        to.number(bucket.requests);
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
    for (const policy::reservation& one : reservations) {
        to.fixed(one.owner);
        to.number(one.number);
        to.number(one.chunks);
        to.number(one.borne);
        to.time(one.made_at);
        to.number((one.closed ? 1u : 0u) + (one.answered ? 2u : 0u));
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

void write_learned(writer& to, const policy::ledger_state& state) {
    to.time(state.pause.until);
    std::uint64_t reason = 0;
    for (std::size_t i = 0; i < pause_reasons.size(); ++i) {
        reason = pause_reasons[i] == state.pause.because ? i : reason;
    }
    to.number(reason);
    to.real(state.pause.returned);
    to.real(state.pace.rate);
    to.time(state.pace.next);
    to.time(state.pace.changed_at);
    to.time(state.pace.refused_at);
    to.number(state.pace.borne);
    to.flag(state.flight.cap.has_value());
    to.number(state.flight.cap.value_or(0));
    to.real(state.flight.unanswered_max);
    to.time(state.flight.refused_at);
    to.number(state.flight.accepted_since);
    to.number(state.flight.climbed);
    to.flag(state.flight.climbing);
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
    to.number(format_version);
    write_buckets(to, state.minute);
    write_buckets(to, state.day);
    write_reservations(to, state.reservations);
    to.number(state.period_chunks);
    to.text(std::string_view(state.period).substr(0, period_name_most));
    to.time(state.period_ends);
    to.duration(state.period_length);
    to.flag(state.period_started_here);
    to.number(static_cast<std::uint64_t>(state.refused_by));
    to.time(state.refused_until);
    to.time(state.synchronised_at);
    write_learned(to, state);
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
    if (reader(bytes.substr(content.size())).fixed() != checksum(content) || from.number() != format_version) {
        return std::nullopt;
    }
    policy::ledger_state state;
    state.minute = read_buckets(from);
    state.day = read_buckets(from);
    state.reservations = read_reservations(from);
    state.period_chunks = from.number();
    state.period = from.text();
    state.period_ends = from.optional_time();
    state.period_length = from.duration();
    state.period_started_here = from.flag();
    state.refused_by = static_cast<quota_bound>(from.number_to(last_bound));
    state.refused_until = from.time();
    state.synchronised_at = from.optional_time();
    read_learned(from, state);
    const bool sane = from.good() && from.at_end() && state.period_length >= monotonic_clock::duration::zero();
    return sane ? std::optional(std::move(state)) : std::nullopt;
}

void shift_times(policy::ledger_state& state, monotonic_clock::duration by) {
    for (std::vector<policy::usage_bucket>* buckets : {&state.minute, &state.day}) {
        for (policy::usage_bucket& bucket : *buckets) {
            bucket.at = shifted(bucket.at, by);
        }
    }
    // What was learned before the clock's zero is as good as learned then.
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
