#include "connection/connection.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "operation/durations.hpp"
#include "operation/serial_executor.hpp"

namespace vembed::detail {
namespace {

std::string first_of(std::string given, const char* variable, const char* otherwise) {
    const char* value = given.empty() ? std::getenv(variable) : nullptr;
    if (value != nullptr) {
        given = value;
    }
    return given.empty() ? otherwise : given;
}

bool is_header_text(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

// What a factory makes knows origins only; the base URL's path is put before each target here.
class below_path final : public transport {
public:
    below_path(std::shared_ptr<transport> over, std::string path) : over_(std::move(over)), path_(std::move(path)) {}

    asio::awaitable<exchange_outcome> exchange(std::shared_ptr<const transport_request> request, response_sink* sink,
                                               monotonic_time deadline) override {
        auto placed = std::make_shared<transport_request>(*request);
        placed->target = path_ + request->target;
        return over_->exchange(std::move(placed), sink, deadline);
    }
    [[nodiscard]] std::optional<std::uint64_t> exchanges_at_once() const override { return over_->exchanges_at_once(); }
    void close() noexcept override { over_->close(); }

private:
    std::shared_ptr<transport> over_;
    std::string path_;
};

}  // namespace

result<resolved_connection> resolve_connection(asio::any_io_executor executor, connection_options options,
                                               const service_facts& facts) {
    resolved_connection made;
    made.executor = serial(std::move(executor));
    result<std::string> url = first_of(std::move(options.base_url), facts.base_url_variable, facts.default_base_url);
    if (facts.normal_base_url != nullptr) {
        url = facts.normal_base_url(*url);
    }
    if (!url) {
        return url.error();
    }
    result<http::origin> to = http::origin::parse(*url);
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
    if (to.base_path.empty()) {
        return made;
    }
    return std::shared_ptr<transport>(std::make_shared<below_path>(std::move(made), to.base_path));
}

std::shared_ptr<http::pipeline> make_pipeline(const resolved_connection& by, std::shared_ptr<transport> over,
                                              const policy::quota_limits& limits, http::error_mapper map_error) {
    auto gate = std::make_shared<admission::gate>(by.executor, by.env, limits);
    return std::make_shared<http::pipeline>(by.env, std::move(over), std::move(gate), by.key, std::move(map_error),
                                            by.through);
}

result<void> add_header(resolved_connection& to, std::string name, std::string value, std::string_view what) {
    if (!is_header_text(value)) {
        return error(errc::invalid_argument, std::string(what) + " holds a control character or one that is not ASCII");
    }
    if (!value.empty()) {
        to.through.headers.emplace_back(std::move(name), std::move(value));
    }
    return {};
}

}  // namespace vembed::detail
