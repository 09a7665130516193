#pragma once
/// Reads the body of POST /jobs in either dialect.

#include <string_view>
#include <variant>

#include <vembed/testing/aitbc_service.hpp>

#include "aitbc_service/jobs.hpp"

namespace vembed::aitbc_service {

/// The submission, or the response that refuses it.
std::variant<submission, testing::service_response> read_submission(testing::aitbc_dialect which, std::string_view body,
                                                                    wall_time wall);

}  // namespace vembed::aitbc_service
