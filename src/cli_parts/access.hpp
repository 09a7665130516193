#pragma once
/// The options that the commands of every service have.

#include <string>

#include <vembed/runtime/log.hpp>

namespace vembed::cli {

/// How to reach the service. If a field is empty, the environment is used (see the service's client_options).
class service_access {
public:
    std::string base_url;
    std::string api_key_file;
    std::string ca_file;

    service_access() = default;
};

class output_options {
public:
    bool json = false;
    bool quiet = false;
    log_level level = log_level::warning;

    output_options() = default;
};

}  // namespace vembed::cli
