#pragma once
/// The rate at which chunks are submitted to a service that refuses them although our own count of the last minute
/// allows them. Its bucket may have another shape than a sliding minute, its limit may not be known, or others may use
/// the same account.
///
/// Nothing is paced before the first such refusal: a full minute's chunks may go at once. After it chunks go evenly
/// (GCRA), at the known limit or at the rate that was accepted. A further refusal lowers the rate to 0.7 of it; then
/// the rate recovers slowly.

#include <chrono>
#include <cstdint>
#include <optional>

#include <vembed/core/time.hpp>

namespace vembed::policy {

class pace_state {
public:
    double rate = 0;              ///< Chunks a second; 0 if not paced.
    monotonic_time next{};        ///< The time at which the next chunk may go.
    monotonic_time changed_at{};  ///< The rate's last change, up or down.
    monotonic_time refused_at{};  ///< The last refusal that counted.
    std::uint64_t borne = 0;      ///< Chunks accepted since that refusal.

    pace_state() = default;
};

/// What is known about a refusal.
class rate_refusal {
public:
    monotonic_time now{};
    monotonic_time sent_at{};                  ///< When the refused request was admitted.
    monotonic_clock::duration retry_after{0};  ///< The pause that the service asked for; 0 if none.
    std::uint64_t chunks = 0;                  ///< Chunks of the refused request.
    std::uint64_t borne_in_minute = 0;         ///< Chunks accepted in the last minute.
    monotonic_time borne_since{};              ///< The time of the first chunk in borne_in_minute.

    rate_refusal() = default;
};

class submission_pace {
public:
    submission_pace() = default;
    explicit submission_pace(const pace_state& state) : state_(state) {}

    /// When the next chunk may go; `now` if it may go now.
    [[nodiscard]] monotonic_time next(monotonic_time now) const noexcept;

    /// A submission of that many chunks goes now. `limit` is the chunks a minute, if known.
    void sent(monotonic_time now, std::uint64_t chunks, std::optional<std::uint64_t> limit) noexcept;
    /// The submission was not accepted after all.
    void taken_back(std::uint64_t chunks) noexcept;
    void accepted(std::uint64_t chunks) noexcept { state_.borne += chunks; }
    void refused(const rate_refusal& what, std::optional<std::uint64_t> limit) noexcept;

    /// Chunks a second; empty if not paced.
    [[nodiscard]] std::optional<double> rate() const noexcept;
    [[nodiscard]] const pace_state& state() const noexcept { return state_; }

    /// The largest fraction of a known limit that is used when pacing, so that uneven network delays cause no refusal.
    static constexpr double margin = 0.98;
    static constexpr double lowered = 0.7;
    /// Pacing ends after that long without a refusal.
    static constexpr std::chrono::minutes forgotten_after{60};

private:
    [[nodiscard]] monotonic_clock::duration time_of(std::uint64_t chunks) const noexcept;
    void recover(monotonic_time now, std::optional<std::uint64_t> limit) noexcept;

    pace_state state_;
};

}  // namespace vembed::policy
