#pragma once
/// Whether a service can be reached, judged by tries that got no reply. Pure.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include <vembed/core/time.hpp>

namespace vembed::policy {

/// What follows the last ": " of a failure's message, 60 bytes at most: "Connection refused".
std::string brief_reason(std::string_view message);

class outage {
public:
    enum class change : std::uint8_t { none, begun, ended };

    /// Tries that fail within less time than this, those of many connections cut at once for instance, are none yet.
    static constexpr std::chrono::seconds least{2};

    /// A try ended without a byte of a reply. `begun` once, when this has been so for `least`.
    change got_no_reply(monotonic_time now, std::string why);

    /// A reply began, whatever it says.
    change got_reply() noexcept;

    [[nodiscard]] bool lasts() const noexcept { return lasts_; }
    /// When the first of the tries without a reply ended. Where there was none: of the last outage, or any time.
    [[nodiscard]] monotonic_time since() const noexcept { return since_; }
    /// What became of the last of them.
    [[nodiscard]] const std::string& why() const noexcept { return why_; }

private:
    bool silent_ = false;
    bool lasts_ = false;
    monotonic_time since_{};
    std::string why_;
};

}  // namespace vembed::policy
