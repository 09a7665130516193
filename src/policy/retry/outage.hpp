#pragma once
/// Judges by tries without a response whether a service can be reached. Pure.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include <vembed/core/time.hpp>

namespace vembed::policy {

/// The text after the last ": " of an error's message, 60 bytes at most: "Connection refused".
std::string brief_reason(std::string_view message);

class outage {
public:
    enum class change : std::uint8_t { none, begun, ended };

    /// An outage begins only after this time, because many connections that are cut at once are not yet an outage.
    static constexpr std::chrono::seconds least{2};

    /// A try ended without a byte of a response. Returns `begun` once, if this has been so for `least`.
    change got_no_response(monotonic_time now, std::string why);

    /// A response began, whatever it says.
    change got_response() noexcept;

    [[nodiscard]] bool lasts() const noexcept { return lasts_; }
    /// When the first of the tries without a response ended. If there was none, the time is that of the last outage, or
    /// any time.
    [[nodiscard]] monotonic_time since() const noexcept { return since_; }
    /// Why the last of those tries ended.
    [[nodiscard]] const std::string& why() const noexcept { return why_; }

private:
    bool silent_ = false;
    bool lasts_ = false;
    monotonic_time since_{};
    std::string why_;
};

}  // namespace vembed::policy
