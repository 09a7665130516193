#include "cli/options/session.hpp"

#include <cstdlib>

#include "cli_parts/load_key.hpp"

namespace vembed::cli {
namespace {

constexpr const char* key_variable = "CYBERIAN_API_KEY";

}  // namespace

bool has_key(const service_access& access) {
    return !access.api_key_file.empty() || std::getenv(key_variable) != nullptr;
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
    result<std::shared_ptr<const secret>> key =
        wanted.without_key ? secret::from_key("cyb_none")
                           : load_key(access, key_variable, secret::cyberian_prefix, "vembed serve");
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
