#include "cyberun/client/client_core.hpp"

#include <utility>

#include "connection/connection.hpp"
#include "cyberun/wire/routes.hpp"
#include "text/words.hpp"

namespace vembed::cyberun::detail {
namespace {

vembed::detail::service_facts facts() {
    vembed::detail::service_facts made;
    made.base_url_variable = "CYBERUN_BASE_URL";
    made.default_base_url = default_base_url.data();
    made.key_variable = "CYBERUN_API_KEY";
    made.ca_file_variable = "CYBERUN_CA_FILE";
    made.normal_base_url = &normal_base_url;
    return made;
}

hop_rules rules_of(const client_options& options, const http::origin& service) {
    hop_rules rules;
    rules.plain_http = !service.tls;
    for (const std::string& host : options.file_hosts) {
        rules.hosts.push_back(text::lowered(host));
    }
    return rules;
}

}  // namespace

client_core::client_core(asio::any_io_executor on, std::shared_ptr<transport> via, std::shared_ptr<endpoints> calls,
                         std::shared_ptr<file_store> files, std::string url, std::uint64_t download_bytes_max)
    : operation_host(std::move(on), calls->through()->env()),
      over(std::move(via)),
      api(std::move(calls)),
      store(std::move(files)),
      waiting(std::make_shared<task_waiting>(executor, api)),
      uploads(std::make_shared<uploading>(api, store)),
      downloads(std::make_shared<downloading>(api, store, download_bytes_max)),
      base_url(std::move(url)) {}

result<std::shared_ptr<client_core>> client_core::make(asio::any_io_executor executor, client_options options) {
    auto resolved = vembed::detail::resolve_connection(std::move(executor), options, facts());
    if (!resolved) {
        return resolved.error();
    }
    auto over = vembed::detail::make_transport(*resolved, resolved->to);
    if (!over) {
        return over.error();
    }
    auto store = std::make_shared<file_store>(*resolved, rules_of(options, resolved->to));
    const result<void> added = vembed::detail::add_header(*resolved, "X-Team-ID", options.team_id, "the team's id");
    if (!added) {
        return added.error();
    }
    auto through =
        vembed::detail::make_pipeline(*resolved, *over, policy::quota_limits(), error_mapper_with(resolved->key));
    auto api = std::make_shared<endpoints>(std::move(through), resolved->key);
    return std::make_shared<client_core>(resolved->executor, *over, std::move(api), std::move(store),
                                         resolved->to.url(), options.download_bytes_max);
}

void client_core::close() noexcept {
    over->close();
    store->close();
}

}  // namespace vembed::cyberun::detail
