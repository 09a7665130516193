#include <vembed/testing/local_service.hpp>

#include <algorithm>

#include "text/words.hpp"

namespace vembed::testing {

std::optional<std::string_view> service_request::find(std::string_view name) const noexcept {
    const auto found = std::find_if(headers.begin(), headers.end(),
                                    [name](const header_field& field) { return text::same_word(field.name, name); });
    return found == headers.end() ? std::nullopt : std::optional<std::string_view>(found->value);
}

}  // namespace vembed::testing
