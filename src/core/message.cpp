#include <vembed/core/message.hpp>

namespace vembed {

std::string_view to_string(http_method method) noexcept {
    return method == http_method::get ? "GET" : "POST";
}

}  // namespace vembed
