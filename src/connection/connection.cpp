#include "connection/connection.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "operation/durations.hpp"
#include "operation/serial_executor.hpp"

namespace vembed::detail {
namespace {

std::string first_of(std::string given, const char* variable, const char* otherwise) {
    if (given.empty()) {
        given = text_of_variable(variable);
    }
    return given.empty() ? otherwise : given;
}

bool is_header_text(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

}  // namespace

std::string text_of_variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : value;
}

result<resolved_connection> resolve_connection(asio::any_io_executor executor, connection_options options,
                                               const service_facts& facts) {
    resolved_connection made;
    made.executor = serial(std::move(executor));
    result<http::origin> to =
        http::origin::parse(first_of(std::move(options.base_url), facts.base_url_variable, facts.default_base_url));
    if (!to) {
        return to.error();
    }
    made.to = std::move(*to);
    made.key = std::move(options.api_key);
    if (!made.key) {
        auto key = secret::from_environment(facts.key_variable, facts.key_prefix);
        if (!key) {
            return key.error();
        }
        made.key = std::move(*key);
    }
    made.env =
        options.env ? std::move(options.env) : make_system_environment(std::move(options.log), options.log_at_least);
    made.sockets.ca_file = first_of(std::move(options.ca_file), facts.ca_file_variable, "");
    made.sockets.user_agent = options.user_agent.empty() ? "vembed/" VEMBED_VERSION : std::move(options.user_agent);
    if (!is_header_text(made.sockets.user_agent)) {
        return error(errc::invalid_argument, "the user agent holds a control character");
    }
    made.sockets.connections_max = std::max<std::uint32_t>(options.connections_max, 1);
    made.sockets.connect_timeout = bounded(options.connect_timeout);
    made.transports = std::move(options.transports);
    made.through.try_timeout = bounded(options.try_timeout);
    made.through.backoff.tries_max = std::max<std::uint32_t>(options.tries_max, 1);
    return made;
}

result<std::shared_ptr<transport>> make_transport(const resolved_connection& by, const http::origin& to) {
    if (!by.transports) {
        return http::make_socket_transport(by.executor, by.env, to, by.sockets);
    }
    http::origin place = to;
    place.base_path.clear();
    std::shared_ptr<transport> made = by.transports(place.url());
    if (!made) {
        error f(errc::network, "nothing carries requests to " + place.url());
        f.lasting = true;
        return f;
    }
    return made;
}

}  // namespace vembed::detail
