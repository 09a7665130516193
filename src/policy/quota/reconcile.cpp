#include "policy/quota/reconcile.hpp"

namespace vembed::policy {
namespace {

constexpr char before_others = '\n';

bool used_alone(const reconciliation& seen) noexcept {
    return seen.sole_use || (seen.before->others && seen.before->others == seen.now->others);
}

}  // namespace

std::string to_period_text(const account_count& count) {
    return count.others ? count.period + before_others + *count.others : count.period;
}

account_count from_period_text(std::uint64_t chunks, std::string_view text) {
    account_count count;
    count.chunks = chunks;
    const std::size_t end = text.find(before_others);
    count.period = text.substr(0, end);
    if (end != std::string_view::npos) {
        count.others = text.substr(end + 1);
    }
    return count;
}

unknown_verdict judge_unknown(const reconciliation& seen) noexcept {
    if (!seen.before || !seen.now || seen.before->period != seen.now->period || seen.perhaps_given_back ||
        !seen.charges_are_made || seen.now->chunks < seen.before->chunks) {
        return unknown_verdict::undecided;
    }
    const std::uint64_t counted = seen.now->chunks - seen.before->chunks;
    if (counted == seen.charged) {
        return used_alone(seen) ? unknown_verdict::none_charged : unknown_verdict::undecided;
    }
    return counted > seen.charged && counted - seen.charged == seen.unknown ? unknown_verdict::all_charged
                                                                            : unknown_verdict::undecided;
}

}  // namespace vembed::policy
