#include "bulk/check_counts.hpp"

#include <algorithm>

namespace vembed::bulk {

check_count& count_check(std::vector<check_count>& counts, const offline_check& check) {
    auto counted = std::ranges::find(counts, check.name, &check_count::name);
    if (counted == counts.end()) {
        counted = counts.emplace(counts.end());
        counted->name = check.name;
    }
    const bool first_failed = check.verdict == check_verdict::failed && counted->failed == 0;
    const bool first_left = check.verdict == check_verdict::not_checkable && counted->reason.empty();
    if (first_failed || first_left) {
        counted->reason = check.reason;
    }
    switch (check.verdict) {
        case check_verdict::verified: ++counted->verified; break;
        case check_verdict::failed: ++counted->failed; break;
        case check_verdict::not_checkable: ++counted->not_checkable; break;
    }
    return *counted;
}

}  // namespace vembed::bulk
