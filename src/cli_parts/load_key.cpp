#include "cli_parts/load_key.hpp"

#include <cstdlib>
#include <string>

namespace vembed::cli {

result<std::shared_ptr<const secret>> load_key(const service_access& access, const char* variable,
                                               std::string_view prefix, std::string_view local_service) {
    if (!access.api_key_file.empty()) {
        return secret::from_file(access.api_key_file, prefix);
    }
    if (std::getenv(variable) == nullptr) {
        return error(errc::invalid_argument, "there is no API key: set " + std::string(variable) +
                                                 ", or give --api-key-file FILE. To try without an account, start the "
                                                 "local service: " +
                                                 std::string(local_service));
    }
    return secret::from_environment(variable, prefix);
}

}  // namespace vembed::cli
