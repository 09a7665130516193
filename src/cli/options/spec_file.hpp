#pragma once
/// The execution specification that --spec names.

#include <string>

#include <vembed/core/result.hpp>

namespace vembed::cli {

/// The specification in `file`; empty if no file is named. The error is invalid_argument if the file is empty, else
/// that of job_request::for_spec_file().
result<std::string> read_spec(const std::string& file);

}  // namespace vembed::cli
