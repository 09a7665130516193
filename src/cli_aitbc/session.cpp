#include "cli_aitbc/session.hpp"

#include <cstdint>
#include <optional>
#include <utility>

namespace vembed::cli {
namespace {

std::optional<std::uint64_t> limit_of(std::uint64_t given) {
    return given == 0 ? std::nullopt : std::optional(given);
}

}  // namespace

command_result<std::unique_ptr<aitbc_session>> aitbc_session::open(const command_context& context,
                                                                   const aitbc_arguments& arguments) {
    aitbc::client_options options;
    options.asked_in = arguments.dialect;
    options.bearer = arguments.bearer;
    options.tenant = arguments.tenant;
    options.calls_per_minute = limit_of(arguments.calls_per_minute);
    options.calls_per_hour = limit_of(arguments.calls_per_hour);
    if (arguments.share_quota) {
        options.quota_folder = arguments.quota_folder.empty() ? usual_state_folder() : arguments.quota_folder;
    }
    return open_with<aitbc_session>(context, "AITBC_API_KEY", "vembed serve --api aitbc", std::move(options));
}

}  // namespace vembed::cli
