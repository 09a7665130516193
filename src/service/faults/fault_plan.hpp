#pragma once
/// Decides which requests and jobs go wrong, and how, by draws keyed by the request's ordinal or the job's number.

#include <cstdint>
#include <optional>
#include <vector>

#include <vembed/testing/service.hpp>

#include "service/endpoints/refusal.hpp"

namespace vembed::service {

/// What a request gets instead of its response.
enum class instead : std::uint8_t { nothing, rate_limited, busy, inflight, bad_gateway, empty_error };

/// How a job ends.
enum class job_fate : std::uint8_t { settled, failed, refunded };

/// Pure: the same question always has the same answer.
class fault_plan {
public:
    fault_plan(const testing::fault_rates& rates, std::vector<testing::spoiled_jobs> spoiled, std::uint64_t seed)
        : rates_(rates), spoiled_(std::move(spoiled)), seed_(seed) {}

    [[nodiscard]] testing::service_arrival arrive(std::uint64_t ordinal, std::uint64_t expected_size) const;

    /// `submits`: too_many_inflight is possible. `authenticated`: rate_limited and busy are possible.
    [[nodiscard]] instead instead_of(std::uint64_t ordinal, bool submits, bool authenticated) const;

    /// Whether the service acts on a request before the request gets a proxy's error.
    [[nodiscard]] bool acts_first(std::uint64_t ordinal) const;

    [[nodiscard]] testing::service_response faulty_response(std::uint64_t ordinal, instead what) const;

    /// Rewrites the response's Retry-After, if it has one, from seconds after `wall` to an HTTP-date.
    void date_retry_after(std::uint64_t ordinal, testing::service_response& response, wall_time wall) const;

    /// How long the response is held back.
    [[nodiscard]] std::optional<monotonic_clock::duration> delay(std::uint64_t ordinal) const;

    /// Decides whether and at which byte the response is cut.
    void cut(std::uint64_t ordinal, testing::service_response& response) const;

    /// Spoils a job's output: cut short, a bit flipped, or a wrong shape. `dimensions` is the true number of columns.
    void spoil_output(std::uint64_t ordinal, testing::service_response& response, std::uint64_t rows,
                      std::uint64_t dimensions) const;

    [[nodiscard]] bool invalid_receipt(std::uint64_t ordinal) const;
    [[nodiscard]] job_fate fate_of(std::uint64_t job) const;

    /// The fault in the job's proof.
    [[nodiscard]] std::optional<testing::proof_fault> proof_fault_of(std::uint64_t job) const;

    /// Whether a chunk of a failed job did not verify: one is drawn, and each other fails with a chance of one in
    /// eight.
    [[nodiscard]] bool chunk_failed(std::uint64_t job, std::uint64_t chunk, std::uint64_t chunks) const;

private:
    testing::fault_rates rates_;
    std::vector<testing::spoiled_jobs> spoiled_;
    std::uint64_t seed_;
};

/// The three forms an HTTP-date may have (RFC 9110, section 5.6.7): 0 IMF-fixdate, 1 rfc850-date, 2 asctime-date.
std::string http_date_in_form(wall_time time, std::uint64_t form);

}  // namespace vembed::service
