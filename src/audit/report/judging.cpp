#include "audit/report/judging.hpp"

#include <algorithm>

namespace vembed::audit {
namespace {

constexpr std::string_view origin_check = "origin";

}  // namespace

folder_judgement judge(std::span<const check_tally> checks) {
    folder_judgement out;
    for (const check_tally& check : checks) {
        const check_verdict found = check.verdict();
        if (found == check_verdict::failed) {
            out.failed.push_back(check.name);
        } else if (found == check_verdict::not_checkable && check.required) {
            out.missing.push_back(check.name);
        } else if (found == check_verdict::not_checkable && check.name != origin_check && check.spoken_of()) {
            out.open.push_back(check.name);
        }
    }
    out.verdict = !out.failed.empty()    ? check_verdict::failed
                  : !out.missing.empty() ? check_verdict::not_checkable
                                         : check_verdict::verified;
    return out;
}

void require(std::span<check_tally> checks, std::span<const std::string> names) {
    for (check_tally& check : checks) {
        const bool named = std::ranges::find(names, check.name) != names.end();
        const bool all = std::ranges::find(names, all_checks) != names.end() && check.name != origin_check;
        check.required = check.required || named || all;
    }
}

}  // namespace vembed::audit
