#pragma once
/// The service's errors (wire contract, section 2, "Errors"), as one table, and what a client may do after each.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include <vembed/core/error.hpp>
#include <vembed/core/time.hpp>

#include "policy/retry/post_outcome.hpp"

namespace vembed::cyberun {

/// What a request is about, for the message of a 404, a 409 or a 412.
enum class subject : std::uint8_t { workflow, task, upload, other };

/// A response that is not 2xx, and what it answers.
class failed_response {
public:
    int status = 0;
    std::string_view body;
    std::optional<std::string_view> retry_after;  ///< The header's value.
    std::optional<std::string_view> date;         ///< The header's value.
    subject about = subject::other;
    std::string_view secret;  ///< The key that was sent; it is taken out of every text. May be empty.

    failed_response() = default;
};

/// What a refusal says, where the kind of error does not tell it.
enum class refusal : std::uint8_t {
    request,    ///< 400, 413, 422 and any other 4xx: the request is wrong; never send it again.
    key,        ///< 401: stop everything.
    forbidden,  ///< 403: the key is good and may not do this; never send it again.
    unknown,    ///< 404: no such thing, or another team's.
    conflict,   ///< 409, 412: the workflow is disabled, or the key of the upload exists.
    rate,       ///< 429, 503: every request waits.
    service,    ///< 408, other 5xx and anything else.
    unreached,  ///< There was no response.
};

class mapped_refusal {
public:
    vembed::error error;
    refusal what = refusal::service;
    std::optional<std::chrono::seconds> asked_delay;  ///< What the response asked for, not a default.
    /// Who wrote the response, for judging what became of a run: only a 4xx rejects it.
    policy::response_author author = policy::response_author::uncertain;

    mapped_refusal() = default;
};

/// The typed error for a response that is not 2xx. Of rate_limited and service_busy, retry_after is the header's, else
/// the body's, else assumed::backoff_first.
mapped_refusal map_error(const failed_response& from, wall_time now);

/// A request that got no response, or none that could be read.
mapped_refusal unreached(error why);

/// How far the tries of one GET got.
class attempts {
public:
    std::uint32_t made = 1;  ///< Tries that failed.
    /// The time since our own run of the task was accepted; empty if it was not us.
    std::optional<std::chrono::nanoseconds> since_accepted;

    attempts() = default;
    explicit attempts(std::uint32_t tries) : made(tries) {}
};

/// The delay before the next try of a GET, nothing if it must not be repeated. A POST to run a workflow is never
/// repeated by this. It is what the response asked for, else 5 s doubling to 60 s, each with some jitter; a 404 soon
/// after our own 202 has 3 tries in all.
std::optional<std::chrono::milliseconds> retry_delay(const mapped_refusal& refused, const attempts& so_far,
                                                     std::uint64_t random_bits);

}  // namespace vembed::cyberun
