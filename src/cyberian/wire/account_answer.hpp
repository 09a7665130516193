#pragma once
/// Who answered GET /account: the service, or something in front of it.

#include <string_view>

#include <vembed/core/failure.hpp>

namespace vembed::cyberian {

/// GET /account brought no account because of `why`; `status` and `body` are those of its response, 0 and empty if
/// there was none. A refusal that the service itself wrote, with the documented error body, stays what it is, and so
/// does what is no response at all. Everything else is a `network` failure that says what was seen: whoever wrote that
/// would take a job too, and nobody would know what became of it.
failure account_unread(failure why, int status, std::string_view body);

}  // namespace vembed::cyberian
