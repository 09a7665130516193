#include "cyberun/client/client_core.hpp"

#include <algorithm>
#include <string_view>
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
    return made;
}

bool is_header_text(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
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
    if (!is_header_text(options.team_id)) {
        return error(errc::invalid_argument, "the team's id holds a control character or one that is not ASCII");
    }
    const auto fact = facts();
    connection_options connection = options;
    if (connection.base_url.empty()) {
        connection.base_url = vembed::detail::text_of_variable(fact.base_url_variable);
    }
    result<std::string> url = normal_base_url(connection.base_url);
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
    auto store = std::make_shared<file_store>(*resolved, rules_of(options, resolved->to));
    if (!options.team_id.empty()) {
        resolved->through.headers.emplace_back("X-Team-ID", options.team_id);
    }
    auto gate = std::make_shared<admission::gate>(resolved->executor, resolved->env, policy::quota_limits());
    auto through = std::make_shared<http::pipeline>(resolved->env, *over, std::move(gate), resolved->key,
                                                    error_mapper_with(resolved->key), std::move(resolved->through));
    auto api = std::make_shared<endpoints>(std::move(through), resolved->key);
    return std::make_shared<client_core>(resolved->executor, *over, std::move(api), std::move(store),
                                         resolved->to.url(), options.download_bytes_max);
}

void client_core::close() noexcept {
    over->close();
    store->close();
}

}  // namespace vembed::cyberun::detail
