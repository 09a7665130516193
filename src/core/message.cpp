#include <vembed/core/message.hpp>

namespace vembed {

std::string_view to_string(http_method method) noexcept {
    switch (method) {
        case http_method::get: return "GET";
        case http_method::post: return "POST";
        case http_method::put: return "PUT";
        case http_method::delete_: return "DELETE";
    }
    return "GET";
}

}  // namespace vembed
