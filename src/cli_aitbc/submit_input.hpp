#pragma once
/// The input of a job that is submitted.

#include <string>

#include <vembed/core/result.hpp>

namespace vembed::cli {

/// All bytes of a file, or of standard input if it is "-". invalid_argument if there are more than a submission may
/// have, cancelled if the first Ctrl-C comes while standard input is read, io.
result<std::string> read_job_input(const std::string& file);

}  // namespace vembed::cli
