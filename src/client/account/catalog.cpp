#include "client/account/catalog.hpp"

#include <algorithm>

namespace vembed::detail {

catalog_entry look_up(const std::vector<model_info>& catalog, const std::string& model) {
    constexpr std::size_t shown_max = 10;
    catalog_entry entry;
    const auto found = std::ranges::find(catalog, model, &model_info::id);
    if (found != catalog.end()) {
        entry.dimensions = found->output_dimensions;
    }
    if (found != catalog.end() || catalog.empty()) {
        return entry;
    }
    std::string names;
    for (std::size_t i = 0; i < std::min(catalog.size(), shown_max); ++i) {
        names += (i == 0 ? "" : ", ") + catalog[i].id;
    }
    if (catalog.size() > shown_max) {
        names += ", and " + std::to_string(catalog.size() - shown_max) + " others";
    }
    entry.missing.emplace(errc::unknown_model, "the service's catalog has no model \"" + model + "\"; it has " + names);
    return entry;
}

}  // namespace vembed::detail
