#pragma once
/// The chunks of a job's results in the form that the checks take. Pure.

#include <vector>

#include <vembed/cyberian/types.hpp>
#include <vembed/verify/output_check.hpp>

namespace vembed::cyberian {

std::vector<expected_chunk> listed_chunks(const job_results& results);

}  // namespace vembed::cyberian
