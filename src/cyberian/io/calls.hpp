#pragma once
/// The part of the endpoints that their sources share.

#include <cstdint>
#include <string>
#include <string_view>

#include <vembed/core/result.hpp>

#include "http/pipeline.hpp"

namespace vembed::cyberian {

/// The largest bodies that are read, in bytes. A job has at most 1000 chunks; a receipt may name 1000 attestations.
inline constexpr std::uint64_t small_response_max = 1 << 20;
inline constexpr std::uint64_t large_response_max = 16 << 20;

/// `before` + id + `after`, such as "/jobs/…/results"; an error if the id cannot be a path segment.
result<std::string> path_of(std::string_view before, const std::string& id, std::string_view after);

/// A POST with a small response.
http::call post_call(std::string target, std::string body, monotonic_time deadline);

/// outcome_unknown: the service accepted a request, but its response cannot be read. The request is then in doubt, as
/// it is if there is no response.
error unreadable_acceptance(const error& f);

}  // namespace vembed::cyberian
