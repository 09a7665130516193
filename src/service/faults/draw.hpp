#pragma once
/// Chance as a pure function: every draw is keyed by a seed, the request (or job) it is for, and its purpose, so that
/// the same calls give the same responses whatever else happens in between.

#include <cstdint>
#include <string>

namespace vembed::service {

/// A bijection of 64 bits in which every input bit moves every output bit (the finalizer of splitmix64).
constexpr std::uint64_t mix64(std::uint64_t x) noexcept {
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/// What a draw decides. The draws of each purpose are independent.
enum class purpose : std::uint8_t {
    api_key,
    key_id,
    account_id,
    job_id,
    receipt_id,
    drop,
    drop_response,
    drop_place,
    reset,
    delay,
    delay_length,
    truncate,
    truncate_place,
    rate_limited,
    busy,
    inflight,
    retry_after,
    retry_after_date,
    retry_after_form,
    bad_gateway,
    empty_error,
    act_first,
    failed_chunk,
    failed_place,
    refund,
    wrong_shape,
    corrupt,
    corrupt_place,
    invalid_receipt,
    sample,
    attestation,
    bench_rows,
    proof_fault,
    proof_place,
    proof_bit,
};

/// 64 uniform bits for `about` and `what`.
constexpr std::uint64_t draw(std::uint64_t seed, std::uint64_t about, purpose what) noexcept {
    return mix64(mix64(mix64(seed) ^ about) ^ static_cast<std::uint64_t>(what));
}

/// A draw below `bound` (> 0).
constexpr std::uint64_t draw_below(std::uint64_t seed, std::uint64_t about, purpose what,
                                   std::uint64_t bound) noexcept {
    return draw(seed, about, what) % bound;
}

/// Whether an event of this probability happens.
constexpr bool draw_strikes(std::uint64_t seed, std::uint64_t about, purpose what, double probability) noexcept {
    return probability > 0 && static_cast<double>(draw(seed, about, what) >> 11) * 0x1.0p-53 < probability;
}

/// `digits` hex digits (at most 64) for an identifier.
std::string draw_hex(std::uint64_t seed, std::uint64_t about, purpose what, std::size_t digits);

/// A random UUID (RFC 4122, version 4).
std::string draw_uuid(std::uint64_t seed, std::uint64_t about, purpose what);

/// The ids of the job with that number, of its receipt, of its executor, and of an account.
std::string job_id_of(std::uint64_t seed, std::uint64_t job);
std::string receipt_id_of(std::uint64_t seed, std::uint64_t job);
std::string execution_id_of(std::uint64_t seed, std::uint64_t job);
std::string account_id_of(std::uint64_t seed, std::uint64_t account);

}  // namespace vembed::service
