#pragma once
/// @file
/// How much of an account's limits is in use, for progress, plans and reports.

#include <chrono>
#include <cstdint>
#include <optional>

namespace vembed {

/// How much of one of the account's limits is in use.
class quota_use {
public:
    std::uint64_t used = 0;
    std::optional<std::uint64_t> limit;  ///< Empty: none known.

    quota_use() = default;
};

/// What is in use of each limit of the account, by this client and whatever it knows of others.
class quota_state {
public:
    quota_use chunks_minute;    ///< In the last 60 s.
    quota_use requests_minute;  ///< Submissions in the last 60 s.
    quota_use chunks_day;       ///< In the last 24 hours.
    quota_use chunks_period;
    quota_use jobs_in_flight;
    quota_use calls_minute;  ///< All requests in the last 60 s; counted only if the service limits them.
    quota_use calls_hour;    ///< All requests in the last 3,600 s.
    std::optional<std::chrono::seconds> period_left;  ///< Until the period's count starts again; empty: not known.
    std::optional<std::chrono::seconds> period_length;

    quota_state() = default;
};

}  // namespace vembed
