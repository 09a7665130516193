#pragma once
/// Error responses, each in the form that its route has (wire contract, section 3, the table of bodies).

#include <cstdint>
#include <string>
#include <string_view>

#include <vembed/testing/local_service.hpp>

namespace vembed::aitbc_service {

/// {"detail": text}.
testing::service_response detail(int status, std::string_view text);

/// A field that is missing or wrong, as FastAPI tells it ({"detail":[…]}).
testing::service_response validation_list(std::string_view field, std::string_view message);

/// The same as the service's own envelope tells it, with VALIDATION_ERROR.
testing::service_response validation_envelope(std::string_view field, std::string_view message, wall_time wall);

/// {"error":{"type":…}}: of 413 and 500.
testing::service_response http_error(int status, std::string_view type, std::string_view message,
                                     std::string_view path);

/// 429 in one of the three forms that were seen; `form` chooses.
testing::service_response too_many(std::uint32_t retry_after_s, std::uint64_t form, wall_time wall);

}  // namespace vembed::aitbc_service
