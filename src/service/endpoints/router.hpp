#pragma once
/// Finds the endpoint for a method and a target.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "service/endpoints/refusal.hpp"

namespace vembed::service {

enum class endpoint : std::uint8_t {
    health,
    models,
    submit_job,
    job,
    wait_job,
    job_results,
    job_output,
    verify,
    receipt,
    verify_receipt,
    account,
    rotate_key,
    revoke_key,
};

class route {
public:
    endpoint to = endpoint::health;
    std::string id;          ///< The id of the job or receipt, percent-decoded.
    std::string_view query;  ///< Without '?'; a part of the target.

    route() = default;
};

/// 404 not_found if there is no such path, 405 if the path does not take this method.
answer<route> find_route(std::string_view method, std::string_view target);

/// The seconds of `max_wait=N` in a query, capped at 30; 30 if it is not given. 400 if it is not a whole number.
answer<std::uint32_t> parse_max_wait(std::string_view query);

}  // namespace vembed::service
