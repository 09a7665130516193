#include "audit/pins_comparison.hpp"

#include <algorithm>

namespace vembed::audit {

bool knows_anything(const account_pins& pins) {
    return std::ranges::any_of(pin_kinds, [&pins](pin_kind kind) { return !pins.candidates(kind).empty(); });
}

check_tally compare_pins(const std::optional<folder::manifest>& recorded, const account_pins& known,
                         const std::string& from) {
    check_tally check("pins", "recorded", "schemes",
                      "what the manifest says of the account's schemes agrees with what " +
                          (from.empty() ? std::string("is known") : from + " says"));
    if (!recorded || recorded->account_id.empty()) {
        check.leave("the folder does not say which account its receipts are of");
        return check;
    }
    for (const pin_kind kind : pin_kinds) {
        const auto& said = recorded->pins.candidates(kind);
        const auto& expected = known.candidates(kind);
        if (said.empty() || expected.empty()) {
            continue;
        }
        if (std::ranges::find_first_of(said, expected) != said.end()) {
            check.pass();
        } else {
            check.fail("manifest.json says that " + std::string(to_string(kind)) + " of account " +
                       recorded->account_id + " follows " + said.front() + ", " + from + " says " + expected.front());
        }
    }
    if (check.all() == 0) {
        check.leave(knows_anything(known) ? "manifest.json says nothing of the account's schemes"
                                          : "nothing but this folder is known of account " + recorded->account_id);
    }
    return check;
}

}  // namespace vembed::audit
