#include "cli/options/session.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "cli/terminal/interrupts.hpp"

namespace vembed::cli {
namespace {

constexpr const char* key_variable = "CYBERIAN_API_KEY";

result<std::shared_ptr<const secret>> load_key(const service_access& access) {
    if (!access.api_key_file.empty()) {
        return secret::from_file(access.api_key_file);
    }
    if (std::getenv(key_variable) == nullptr) {
        return error(errc::invalid_argument,
                     "there is no API key: set CYBERIAN_API_KEY, or give --api-key-file FILE. To try without an "
                     "account, start the local service: vembed serve");
    }
    return secret::from_environment(key_variable);
}

std::string usual_state_folder() {
    return state_folder(std::getenv("XDG_STATE_HOME"), std::getenv("HOME"));
}

}  // namespace

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

bool has_key(const service_access& access) {
    return !access.api_key_file.empty() || std::getenv(key_variable) != nullptr;
}

session::session() : interrupts_(loop_) {
    const int own = ::dup(interrupt_fd());
    if (own < 0) {
        throw std::system_error(errno, std::generic_category(), "cannot watch for signals");
    }
    interrupts_.assign(own);
    watch_interrupts();
}

session::~session() {
    client_.reset();
    interrupts_.close();
    // The client needs the loop to end its work.
    loop_.restart();
    loop_.run();
}

void session::watch_interrupts() {
    interrupts_.async_wait(asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code error) {
        if (!error) {
            stop_.request_stop();
        }
    });
}

call_options session::cancellable() const {
    call_options options;
    options.stop = stop();
    return options;
}

std::string usual_pins_file() {
    const std::string folder = usual_state_folder();
    return folder.empty() ? "" : folder + "/pins.json";
}

session_options keeping_account(const service_access& access, bool share_quota, const std::string& quota_folder,
                                const std::string& pins_file) {
    session_options options;
    if (share_quota) {
        options.quota_folder = quota_folder.empty() ? usual_state_folder() : quota_folder;
    }
    const char* from_environment = std::getenv("CYBERIAN_BASE_URL");
    const std::string url = !access.base_url.empty()      ? access.base_url
                            : from_environment != nullptr ? from_environment
                                                          : "";
    options.pins_file = pins_file.empty() && !url.starts_with("http:") ? usual_pins_file() : pins_file;
    return options;
}

command_result<std::unique_ptr<session>> session::open(const service_access& access, std::shared_ptr<environment> env,
                                                       const session_options& wanted) {
    // The client needs a key in any case; requests that need none do not send it.
    result<std::shared_ptr<const secret>> key = wanted.without_key ? secret::from_key("cyb_none") : load_key(access);
    if (!key) {
        return command_failure(key.error(), exit_code::unauthorized);
    }
    client_options options;
    options.base_url = access.base_url;
    options.api_key = std::move(*key);
    options.ca_file = access.ca_file;
    options.env = std::move(env);
    options.user_agent = std::string("vembed/") + VEMBED_VERSION;
    options.quota_folder = wanted.quota_folder;
    options.pins_file = wanted.pins_file;
    if (wanted.connections_max > 0) {
        options.connections_max = wanted.connections_max;
    }
    std::unique_ptr<session> made(new session());
    result<vembed::client> client = vembed::client::make(made->loop_.get_executor(), std::move(options));
    if (!client) {
        return command_failure(client.error());
    }
    made->client_.emplace(std::move(*client));
    return made;
}

}  // namespace vembed::cli
