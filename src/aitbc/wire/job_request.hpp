#pragma once
/// A job's request: it is checked before anything is sent, then written in a dialect's form.

#include <string>

#include <vembed/aitbc/types.hpp>
#include <vembed/core/result.hpp>

namespace vembed::aitbc {

/// Returns invalid_argument if the request lacks a model or input, has a field that the dialect does not know, or a
/// value that the service would refuse. The message names the field and what to do.
result<void> check(const job_request& request, dialect which);

/// The body of POST …/jobs (wire contract, section 3, "submit"). Errors are those of check(), and invalid_argument if
/// the body is over the service's 10 MiB.
result<std::string> write_job_body(const job_request& request, dialect which);

/// What a job's `payload` shows for such a request, in the coordinator dialect: a lost submission is found by it.
boost::json::object payload_of(const job_request& request);

}  // namespace vembed::aitbc
