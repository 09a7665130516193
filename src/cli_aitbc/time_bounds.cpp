#include "cli_aitbc/time_bounds.hpp"

#include <chrono>
#include <string>

#include "text/iso_time.hpp"

namespace vembed::cli {

std::optional<wall_time> read_bound(std::string_view text, bound which) {
    if (text.find('T') != std::string_view::npos) {
        return text::parse_loose_iso_time(text);
    }
    const std::optional<wall_time> day = text::parse_iso_time(std::string(text) + "T00:00:00Z");
    if (!day || which == bound::from) {
        return day;
    }
    return *day + std::chrono::days(1) - std::chrono::milliseconds(1);
}

}  // namespace vembed::cli
