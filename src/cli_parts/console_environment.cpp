#include "cli_parts/console_environment.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace vembed::cli {

std::string usual_state_folder() {
    return state_folder(std::getenv("XDG_STATE_HOME"), std::getenv("HOME"));
}

std::shared_ptr<environment> make_console_environment(console& out, log_level level, log_watch watch) {
    const log_level least = watch ? std::min(level, log_level::warning) : level;
    const auto show = [&out, level, watch = std::move(watch)](const log_record& record) {
        const bool dealt_with = watch && watch(record);
        if (!dealt_with && record.level >= level) {
            out.log(record);
        }
    };
    return make_system_environment(show, least);
}

std::string state_folder(const char* xdg_state_home, const char* home) {
    // The XDG base directory specification ignores paths that are not absolute.
    if (xdg_state_home != nullptr && xdg_state_home[0] == '/') {
        return std::string(xdg_state_home) + "/vembed";
    }
    return home != nullptr && home[0] == '/' ? std::string(home) + "/.local/state/vembed" : std::string();
}

}  // namespace vembed::cli
