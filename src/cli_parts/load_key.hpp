#pragma once
/// Where a command takes its service's key from: never from the command line.

#include <memory>
#include <string_view>

#include <vembed/core/result.hpp>
#include <vembed/core/secret.hpp>

#include "cli_parts/access.hpp"

namespace vembed::cli {

/// The key from the file that `access` names, else from the environment's `variable`. Keys begin with `prefix`, which
/// may be empty. The error says what is missing, and that `local_service` is the command that serves one to try with.
result<std::shared_ptr<const secret>> load_key(const service_access& access, const char* variable,
                                               std::string_view prefix, std::string_view local_service);

}  // namespace vembed::cli
