#include "policy/input/input_rules.hpp"

#include "text/utf8.hpp"

namespace vembed::policy {

std::optional<std::string> why_refused(std::string_view input) {
    if (input.empty()) {
        return "is empty";
    }
    if (input.size() > input_bytes_max) {
        return "is " + std::to_string(input.size()) + " bytes long; the service takes at most " +
               std::to_string(input_bytes_max);
    }
    const std::optional<std::size_t> bad = text::first_invalid_utf8(input);
    if (bad) {
        return "is not valid UTF-8 at byte " + std::to_string(*bad);
    }
    return std::nullopt;
}

}  // namespace vembed::policy
