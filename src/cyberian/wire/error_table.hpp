#pragma once
/// The service's errors (wire contract, "Errors"), as one table.

#include <vembed/core/failure.hpp>
#include <vembed/core/time.hpp>

#include "http/pipeline.hpp"

namespace vembed::cyberian {

/// The typed failure of a reply that is not 2xx. `code` is set only where the body is the documented JSON, so an empty
/// code tells a proxy's answer from the service's own.
http::mapped_error map_error(const http::reply& from, wall_time now);

}  // namespace vembed::cyberian
