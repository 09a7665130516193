#pragma once
/// Names the job that an error is about.

#include <string>

#include <vembed/core/error.hpp>

namespace vembed {

inline error with_job(error f, const std::string& id) {
    f.job_id = id;
    return f;
}

}  // namespace vembed
