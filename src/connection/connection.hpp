#pragma once
/// Builds what a client sends its requests through, from its options and from what is particular to its service.

#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>

#include <vembed/connection/options.hpp>
#include <vembed/core/result.hpp>

#include "http/origin.hpp"
#include "http/pipeline.hpp"
#include "http/socket/socket_transport.hpp"

namespace vembed::detail {

namespace asio = boost::asio;

/// What is particular to a service.
class service_facts {
public:
    const char* base_url_variable = "";
    const char* default_base_url = "";
    const char* key_variable = "";
    const char* ca_file_variable = "";
    std::string_view key_prefix;  ///< What every key begins with; may be empty.
    /// The base URL in the one form that the service's routes are put behind. Null: it is taken as it is.
    result<std::string> (*normal_base_url)(std::string_view given) = nullptr;

    service_facts() = default;
};

/// The options with everything resolved that the environment's variables may tell.
class resolved_connection {
public:
    asio::any_io_executor executor;  ///< Runs one thing at a time.
    std::shared_ptr<environment> env;
    http::origin to;
    std::shared_ptr<const secret> key;
    http::socket_transport_options sockets;
    transport_factory transports;
    http::pipeline_options through;

    resolved_connection() = default;
};

/// Reads variables and files of the machine where the options are empty. invalid_argument if a URL or an option is
/// refused, unauthorized if there is no key.
result<resolved_connection> resolve_connection(asio::any_io_executor executor, connection_options options,
                                               const service_facts& facts);

/// The transport to `to`: the one that the options' factory makes, or sockets. network if the factory knows none.
result<std::shared_ptr<transport>> make_transport(const resolved_connection& by, const http::origin& to);

/// The pipeline over `transport`, behind a gate of its own with these limits.
std::shared_ptr<http::pipeline> make_pipeline(const resolved_connection& by, std::shared_ptr<transport> over,
                                              const policy::quota_limits& limits, http::error_mapper map_error);

/// Adds a header to every request that has the key, if `value` is not empty. invalid_argument, which calls it `what`,
/// if it holds a control character or one that is not ASCII.
result<void> add_header(resolved_connection& to, std::string name, std::string value, std::string_view what);

}  // namespace vembed::detail
