#pragma once
/// Reads the body of an error in the forms that web frameworks write. What it means is the business of the module of
/// the service.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vembed::policy {

/// A member of the request that the service refuses.
class refused_field {
public:
    std::string field;    ///< "body.payload"; may be empty.
    std::string message;  ///< May be empty.

    refused_field() = default;
};

class error_body {
public:
    bool is_json = false;               ///< The body is JSON, or the beginning of JSON that was cut off.
    bool is_known = false;              ///< It has a member `error` or `detail` of one of the forms below.
    std::string code;                   ///< `code` or `type` of an error object, else the member `code`.
    std::string message;                ///< At most 1,000 bytes; empty if there is none.
    std::vector<refused_field> fields;  ///< At most 20.
    std::optional<std::chrono::seconds> retry_after;

    error_body() = default;
};

/// Reads {"error": text}, {"error": {code, message, details}}, {"error": {type, message}}, {"detail": text or list},
/// and beside or without them {code, message, retry_after}; of anything else only whether it is JSON. A body over 1 MiB
/// is not read.
error_body read_error_body(std::string_view body);

}  // namespace vembed::policy
