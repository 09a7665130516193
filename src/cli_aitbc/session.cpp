#include "cli_aitbc/session.hpp"

#include "cli_parts/console_environment.hpp"
#include "cli_parts/load_key.hpp"

namespace vembed::cli {
namespace {

std::optional<std::uint64_t> limit_of(std::uint64_t given) {
    return given == 0 ? std::nullopt : std::optional(given);
}

}  // namespace

command_result<std::unique_ptr<aitbc_session>> aitbc_session::open(const command_context& context,
                                                                   const aitbc_arguments& arguments) {
    // No form of the keys is documented.
    auto key = load_key(context.access, "AITBC_API_KEY", "", "vembed serve --api aitbc");
    if (!key) {
        return command_failure(key.error(), exit_code::unauthorized);
    }
    context.out.hide(*key);
    aitbc::client_options options;
    options.base_url = context.access.base_url;
    options.api_key = *key;
    options.ca_file = context.access.ca_file;
    options.env = make_console_environment(context.out, context.output.level);
    options.asked_in = arguments.dialect;
    options.bearer = arguments.bearer;
    options.tenant = arguments.tenant;
    options.calls_per_minute = limit_of(arguments.calls_per_minute);
    options.calls_per_hour = limit_of(arguments.calls_per_hour);
    if (arguments.share_quota) {
        options.quota_folder = arguments.quota_folder.empty() ? usual_state_folder() : arguments.quota_folder;
    }
    std::unique_ptr<aitbc_session> made(new aitbc_session());
    made->key_ = std::move(*key);
    result<aitbc::client> client = aitbc::client::make(made->loop_.get_executor(), std::move(options));
    if (!client) {
        return command_failure(client.error());
    }
    made->client_.emplace(std::move(*client));
    return made;
}

}  // namespace vembed::cli
