// A client on the machine's own clocks, with a service in the same process.
#pragma once

#include <memory>

#include <vembed/client/options.hpp>
#include <vembed/testing/service.hpp>
#include <vembed/testing/simulation.hpp>

namespace vembed::testing {

inline service_options quick_service() {
    service_options options;
    options.settle_delay_ms = 1;
    return options;
}

inline client_options options_for(const std::shared_ptr<service>& remote) {
    client_options options;
    options.api_key = secret::from_key(remote->api_key()).value();
    options.base_url = "https://service.test";
    options.env = make_system_environment();
    options.transport_override = make_memory_transport(options.env, remote);
    return options;
}

}  // namespace vembed::testing
