#pragma once
/// Decides when a run stops buying because nothing that it buys can be used: pure.

#include <algorithm>
#include <cstdint>

namespace vembed::bulk {

enum class streak_verdict : std::uint8_t { go_on, stop };

class job_streak {
public:
    /// Jobs in a row that were bought and gave no usable rows. If there are that many, one more would give none either.
    static constexpr std::uint64_t bad_jobs_max = 10;
    /// Rows refused one by one with nothing accepted in between. If there are that many, the rows are not the cause.
    static constexpr std::uint64_t rows_refused_max = 20;

    job_streak() = default;

    void job_stored() noexcept { bad_jobs_ = 0; }
    /// Returns `stop` once, for the job that completes the streak.
    streak_verdict job_was_bad() noexcept {
        return ++bad_jobs_ == bad_jobs_max ? streak_verdict::stop : streak_verdict::go_on;
    }

    void job_accepted() noexcept { rows_refused_ = 0; }
    streak_verdict row_was_refused() noexcept {
        return ++rows_refused_ > rows_refused_max ? streak_verdict::stop : streak_verdict::go_on;
    }

    /// Whether the undecided jobs would complete a streak if all of them were bad. `suspects` of them failed a look
    /// already, `settled` of them are being fetched or stored. False if there is no sign of trouble.
    [[nodiscard]] bool holds_submissions(std::uint64_t suspects, std::uint64_t settled) const noexcept {
        return bad_jobs_ + suspects > 0 && bad_jobs_ + std::max(suspects, settled) >= bad_jobs_max;
    }

private:
    std::uint64_t bad_jobs_ = 0;
    std::uint64_t rows_refused_ = 0;
};

}  // namespace vembed::bulk
