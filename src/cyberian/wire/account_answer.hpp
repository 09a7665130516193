#pragma once
/// Tells whether the service answered GET /account or something in front of it.

#include <string_view>

#include <vembed/core/error.hpp>

namespace vembed::cyberian {

/// The error for a GET /account that brought no account because of `why`; `status` and `body` are those of its
/// response, 0 and empty if there was none. The error is `why` itself if the service wrote the refusal (with the
/// documented error body) or if there was no response. Otherwise it is a `network` error that says what was seen:
/// whoever wrote that response would take a job too, and the job would be in doubt.
error account_unread(error why, int status, std::string_view body);

}  // namespace vembed::cyberian
