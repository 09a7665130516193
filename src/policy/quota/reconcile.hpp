#pragma once
/// What the account's own count of chunks says about submissions that were never answered.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vembed::policy {

/// chunks_consumed_period of /account, and the period it counts.
class account_count {
public:
    std::uint64_t chunks = 0;
    std::string period;  ///< chunks_period_started_at; any text that differs between periods.
    /// When each of the account's other keys was last used: any text that differs once one was. Empty: not known.
    std::optional<std::string> others;

    account_count() = default;
    friend bool operator==(const account_count&, const account_count&) = default;
};

/// Period and others as one text, for a journal, and back. A text without others is a period alone.
std::string to_period_text(const account_count& count);
account_count from_period_text(std::uint64_t chunks, std::string_view text);

class reconciliation {
public:
    std::optional<account_count> before;  ///< Read before the run's first submission.
    std::optional<account_count> now;     ///< Read after the last unanswered submission was given up.
    std::uint64_t charged = 0;            ///< Chunks of all jobs of the run that are known to be accepted.
    std::uint64_t unknown = 0;            ///< Chunks of the unanswered submissions, at most.
    /// A job of the run failed or was refunded: whether its chunks still count is not documented.
    bool perhaps_given_back = false;
    /// A charge that will be made has been made: the service was seen to charge on acceptance, or every job that the
    /// unanswered submissions may have made must have ended since.
    bool charges_are_made = false;
    bool sole_use = false;  ///< The user's word that nobody else uses the account.

    reconciliation() = default;
};

enum class unknown_verdict : std::uint8_t {
    undecided,     ///< The counts do not tell.
    none_charged,  ///< None of them became a job.
    all_charged,   ///< All of them did, unless somebody else used the account.
};

/// The counts decide for "none" when exactly what is known to be accepted was charged, in one period, with nothing
/// given back, and nobody else used the account: a refund of somebody else's job could hide a charge. "All" rests on
/// being its only user and is for reports, not for spending.
unknown_verdict judge_unknown(const reconciliation& seen) noexcept;

}  // namespace vembed::policy
