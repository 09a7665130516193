#pragma once
/// Reads the service's JSON into typed values. Unknown fields are ignored and stay in `raw`; an optional field that is
/// absent or null is empty; a required field that is absent or of another type is a protocol error that names it.

#include <string>
#include <string_view>
#include <vector>

#include <vembed/core/result.hpp>
#include <vembed/cyberian/types.hpp>

namespace vembed::cyberian {

result<health_info> read_health(std::string_view body);
result<std::vector<model_info>> read_models(std::string_view body);
result<job> read_job(std::string_view body);
/// Reads a job that was asked for by its id. The id is empty if the response does not name it, as in read_results().
result<job> read_job_state(std::string_view body);
result<job_results> read_results(std::string_view body);
result<receipt> read_receipt(std::string_view body);
result<receipt_verification> read_receipt_verification(std::string_view body);
result<account_info> read_account(std::string_view body);
result<rotated_key> read_rotated_key(std::string_view body);

/// The two numbers of X-Cyberian-Shape, "rows,cols".
result<std::pair<std::uint64_t, std::uint64_t>> read_shape(std::string_view header);

/// Whether X-Cyberian-Dtype says little-endian float32, in any of the names that are used for it.
bool names_float32(std::string_view dtype) noexcept;

}  // namespace vembed::cyberian
