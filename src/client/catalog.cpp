#include "client/catalog.hpp"

#include <algorithm>

namespace vembed::detail {

std::optional<failure> missing_from(const std::vector<model_info>& catalog, const std::string& model) {
    constexpr std::size_t shown_max = 10;
    if (catalog.empty() || std::ranges::find(catalog, model, &model_info::id) != catalog.end()) {
        return std::nullopt;
    }
    std::string names;
    for (std::size_t i = 0; i < std::min(catalog.size(), shown_max); ++i) {
        names += (i == 0 ? "" : ", ") + catalog[i].id;
    }
    if (catalog.size() > shown_max) {
        names += ", and " + std::to_string(catalog.size() - shown_max) + " others";
    }
    return failure(errc::unknown_model, "the service's catalog has no model \"" + model + "\"; it has " + names);
}

}  // namespace vembed::detail
