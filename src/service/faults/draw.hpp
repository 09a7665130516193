#pragma once
/// What this service draws.

#include <cstdint>
#include <string>

#include "local_service/draw.hpp"

namespace vembed::service {

using local_service::draw;
using local_service::draw_below;
using local_service::draw_hex;
using local_service::draw_strikes;
using local_service::draw_uuid;
using local_service::mix64;

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

/// The ids of the job with that number, of its receipt, of its executor, and of an account.
std::string job_id_of(std::uint64_t seed, std::uint64_t job);
std::string receipt_id_of(std::uint64_t seed, std::uint64_t job);
std::string execution_id_of(std::uint64_t seed, std::uint64_t job);
std::string account_id_of(std::uint64_t seed, std::uint64_t account);

}  // namespace vembed::service
