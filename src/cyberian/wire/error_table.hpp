#pragma once
/// The service's errors (wire contract, "Errors"), as one table.

#include <vembed/core/error.hpp>
#include <vembed/core/time.hpp>

#include "http/pipeline.hpp"

namespace vembed::cyberian {

/// The typed error for a response that is not 2xx. `code` is set only if the body is the documented JSON, so an empty
/// code tells a proxy's response from the service's own.
http::mapped_error map_error(const http::response& from, const http::call& asked, wall_time now);

}  // namespace vembed::cyberian
