#include "policy/reconcile.hpp"

namespace vembed::policy {

unknown_verdict judge_unknown(const reconciliation& seen) noexcept {
    if (!seen.before || !seen.now || seen.before->period != seen.now->period || seen.perhaps_given_back ||
        !seen.charges_are_made || seen.now->chunks < seen.before->chunks) {
        return unknown_verdict::undecided;
    }
    const std::uint64_t counted = seen.now->chunks - seen.before->chunks;
    if (counted == seen.charged) {
        return unknown_verdict::none_charged;
    }
    return counted > seen.charged && counted - seen.charged == seen.unknown ? unknown_verdict::all_charged
                                                                            : unknown_verdict::undecided;
}

}  // namespace vembed::policy
