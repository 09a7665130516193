#include "aitbc/client/client_core.hpp"

#include <algorithm>
#include <utility>

#include "aitbc/wire/routes.hpp"
#include "connection/connection.hpp"
#include "connection/shared_quota.hpp"

namespace vembed::aitbc::detail {
namespace {

vembed::detail::service_facts facts() {
    vembed::detail::service_facts made;
    made.base_url_variable = "AITBC_BASE_URL";
    made.default_base_url = "https://aitbc.bubuit.net/api/v1";
    made.key_variable = "AITBC_API_KEY";
    made.ca_file_variable = "AITBC_CA_FILE";
    return made;
}

policy::quota_limits limits_of(const client_options& options) {
    policy::quota_limits limits;
    limits.calls_per_minute = options.calls_per_minute;
    limits.calls_per_hour = options.calls_per_hour;
    return limits;
}

bool is_header_text(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

}  // namespace

client_core::client_core(asio::any_io_executor on, std::shared_ptr<transport> via, std::shared_ptr<endpoints> calls,
                         std::string url, std::string quota_folder)
    : operation_host(std::move(on), calls->through()->env()),
      over(std::move(via)),
      api(std::move(calls)),
      submissions(std::make_shared<submitting>(executor, api)),
      waiting(std::make_shared<job_waiting>(executor, api)),
      base_url(std::move(url)),
      quota_folder_(std::move(quota_folder)) {}

result<std::shared_ptr<client_core>> client_core::make(asio::any_io_executor executor, client_options options) {
    if (!is_header_text(options.tenant)) {
        return error(errc::invalid_argument, "the tenant holds a control character or one that is not ASCII");
    }
    const policy::quota_limits limits = limits_of(options);
    const auto fact = facts();
    connection_options connection = options;
    if (connection.base_url.empty()) {
        connection.base_url = vembed::detail::text_of_variable(fact.base_url_variable);
    }
    result<std::string> url =
        normal_base_url(connection.base_url.empty() ? fact.default_base_url : connection.base_url);
    if (!url) {
        return url.error();
    }
    connection.base_url = std::move(*url);
    auto resolved = vembed::detail::resolve_connection(std::move(executor), std::move(connection), fact);
    if (!resolved) {
        return resolved.error();
    }
    auto over = vembed::detail::make_transport(*resolved, resolved->to);
    if (!over) {
        return over.error();
    }
    if (!options.bearer) {
        resolved->through.key_in = key_header("X-Api-Key", "");
    }
    if (!options.tenant.empty()) {
        resolved->through.headers.emplace_back("X-Tenant-ID", options.tenant);
    }
    auto gate = std::make_shared<admission::gate>(resolved->executor, resolved->env, limits);
    auto through = std::make_shared<http::pipeline>(resolved->env, *over, std::move(gate), resolved->key,
                                                    error_mapper_of(options.asked_in, resolved->key),
                                                    std::move(resolved->through));
    auto api = std::make_shared<endpoints>(std::move(through), options.asked_in);
    return std::make_shared<client_core>(resolved->executor, *over, std::move(api), resolved->to.url(),
                                         std::move(options.quota_folder));
}

asio::awaitable<result<void>> client_core::share_calls(monotonic_time deadline) {
    if (quota_folder_.empty() || shared_) {
        co_return result<void>();
    }
    shared_ = true;
    // The service limits an address, so all keys count together.
    std::string path = vembed::detail::quota_place(quota_folder_, base_url, "");
    const result<void> opened =
        co_await vembed::detail::share_quota(api->through()->gate(), env, std::move(path), deadline);
    shared_ = opened.has_value();
    co_return opened;
}

}  // namespace vembed::aitbc::detail
