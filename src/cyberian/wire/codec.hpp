#pragma once
/// Reads the service's JSON into typed values. Unknown fields are ignored and stay in `raw`; an optional field that is
/// absent or null is empty; a required field that is absent or of another type is a protocol error that names it.

#include <string>
#include <string_view>
#include <vector>

#include <vembed/core/result.hpp>
#include <vembed/cyberian/types.hpp>

namespace vembed::cyberian {

/// Reads the body of a 2xx response. T is the type of a response in <vembed/cyberian/types.hpp>, or a vector of
/// model_info. The id of a job is required. No part of a body that may hold a key gets into an error.
template <class T>
result<T> read_response(std::string_view body);

/// Reads a job that was asked for by its id. The id is empty if the response does not name it, as in job_results.
result<job> read_job_state(std::string_view body);

/// The two numbers of X-Cyberian-Shape, "rows,cols".
result<std::pair<std::uint64_t, std::uint64_t>> read_shape(std::string_view header);

/// Whether X-Cyberian-Dtype says little-endian float32, in any of the names that are used for it.
bool names_float32(std::string_view dtype) noexcept;

}  // namespace vembed::cyberian
