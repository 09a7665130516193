#include "aitbc/client/client_core.hpp"

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
    made.normal_base_url = &normal_base_url;
    return made;
}

policy::quota_limits limits_of(const client_options& options) {
    policy::quota_limits limits;
    limits.calls_per_minute = options.calls_per_minute;
    limits.calls_per_hour = options.calls_per_hour;
    return limits;
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
    auto resolved = vembed::detail::resolve_connection(std::move(executor), options, facts());
    if (!resolved) {
        return resolved.error();
    }
    const result<void> added = vembed::detail::add_header(*resolved, "X-Tenant-ID", options.tenant, "the tenant");
    if (!added) {
        return added.error();
    }
    auto over = vembed::detail::make_transport(*resolved, resolved->to);
    if (!over) {
        return over.error();
    }
    if (!options.bearer) {
        resolved->through.key_in = key_header("X-Api-Key", "");
    }
    auto through = vembed::detail::make_pipeline(*resolved, *over, limits_of(options),
                                                 error_mapper_of(options.asked_in, resolved->key));
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
