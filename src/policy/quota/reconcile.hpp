#pragma once
/// Concludes from the account's count of chunks what became of submissions in doubt.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vembed::policy {

/// The chunks_consumed_period of /account, and the period that it counts.
class account_count {
public:
    std::uint64_t chunks = 0;
    std::string period;  ///< chunks_period_started_at; any text that differs between periods.
    /// When each of the account's other keys was last used: any text that differs once one was. Empty: not known.
    std::optional<std::string> others;

    account_count() = default;
    friend bool operator==(const account_count&, const account_count&) = default;
};

/// Writes period and others as one text for a journal, and reads it. A text without others is a period alone.
std::string to_period_text(const account_count& count);
account_count from_period_text(std::uint64_t chunks, std::string_view text);

class reconciliation {
public:
    std::optional<account_count> before;  ///< Read before the run's first submission.
    std::optional<account_count> now;     ///< Read after the last submission in doubt was given up.
    std::uint64_t charged = 0;            ///< Chunks of all jobs of the run that are known to be accepted.
    std::uint64_t unknown = 0;            ///< Chunks of the submissions in doubt, at most.
    /// A job of the run failed or was refunded. The service does not document whether its chunks still count.
    bool perhaps_given_back = false;
    /// Every charge that will be made has been made: the service was seen to charge on acceptance, or every job that
    /// the submissions in doubt may have made must have ended since.
    bool charges_are_made = false;
    bool sole_use = false;  ///< The user states that nobody else uses the account.

    reconciliation() = default;
};

enum class unknown_verdict : std::uint8_t {
    undecided,     ///< The counts do not tell.
    none_charged,  ///< No submission in doubt became a job.
    all_charged,   ///< All submissions in doubt became jobs, unless somebody else used the account.
};

/// The verdict is none_charged only if the account was charged exactly for the accepted jobs, in one period, nothing
/// was given back, and nobody else used the account: a refund of somebody else's job could hide a charge. all_charged
/// assumes that nobody else uses the account; it is for reports and not for spending.
unknown_verdict judge_unknown(const reconciliation& seen) noexcept;

}  // namespace vembed::policy
