#pragma once
/// The service's errors (wire contract, section 3, the table of statuses), as one table for both dialects and every
/// form of body that the service's versions write.

#include <cstdint>
#include <optional>
#include <string_view>

#include <vembed/aitbc/types.hpp>
#include <vembed/core/error.hpp>
#include <vembed/core/time.hpp>

#include "policy/retry/post_outcome.hpp"

namespace vembed::aitbc {

/// A response that is not 2xx, and what it answers.
class failed_response {
public:
    int status = 0;
    std::string_view body;
    std::optional<std::string_view> retry_after;  ///< The header's value.
    std::optional<std::string_view> date;         ///< The header's value.
    dialect asked_in = dialect::docs;
    bool submits = false;     ///< It answers a submission.
    std::string_view secret;  ///< The key or token that was sent; it is taken out of every text. May be empty.

    failed_response() = default;
};

/// What a refusal says, where the kind of error does not tell it.
enum class refusal : std::uint8_t {
    request,        ///< 400, 413, 422: the request is wrong; never send it again.
    other_dialect,  ///< 422 or 400: the body's form belongs to the other dialect.
    caller,         ///< 401, 402, 403: stop everything.
    job_unknown,    ///< 404: no such job, or another client's.
    route_absent,   ///< 404 "Not Found": the service has no such route.
    method_absent,  ///< 405: the service has the route in another form.
    conflict,       ///< 409: the job cannot be cancelled in its state.
    not_ready,      ///< 425: there is no result yet, or there will be none.
    rate,           ///< 429: all requests wait.
    service,        ///< 408, 5xx and anything else.
};

class mapped_refusal {
public:
    vembed::error error;
    refusal what = refusal::service;
    /// Who wrote the response, for judging what became of a submission: a rejection is documented for 4xx only.
    policy::response_author author = policy::response_author::uncertain;

    mapped_refusal() = default;
};

/// The typed error for a response that is not 2xx. retry_after is the header's, else the body's, else the documented 60
/// seconds of a 429.
mapped_refusal map_error(const failed_response& from, wall_time now);

/// Whether a 425 may become a result: a terminal job without one answers 425 for ever.
constexpr bool waits_on_not_ready(job_state last_known) noexcept {
    return !is_terminal(last_known);
}

}  // namespace vembed::aitbc
