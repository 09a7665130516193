#include "verify/receipt/scheme_question.hpp"

#include <algorithm>

#include "verify/receipt/receipt_fields.hpp"

namespace vembed::verify {
namespace {

std::vector<std::string> names_at(const std::vector<std::string>& names, const std::vector<std::size_t>& numbers) {
    std::vector<std::string> picked;
    picked.reserve(numbers.size());
    for (const std::size_t number : numbers) {
        picked.push_back(names[number]);
    }
    return picked;
}

// The values that the candidates give for the evidence.
class recomputed {
public:
    std::vector<std::size_t> matching;
    std::string first;      // The value of the first candidate.
    bool all_alike = true;  // Every candidate gives that value.

    recomputed(const scheme_question& question, const std::vector<std::size_t>& candidates) {
        for (const std::size_t number : candidates) {
            const std::string value = question.recompute(number);
            if (number == candidates.front()) {
                first = value;
            }
            all_alike = all_alike && value == first;
            if (!value.empty() && value == question.claimed) {
                matching.push_back(number);
            }
        }
    }
};

offline_check verified(const scheme_question& question, const known_candidates& candidates, const recomputed& found,
                       account_pins& learned) {
    offline_check check(to_string(question.kind), check_verdict::verified,
                        candidates.earlier ? check_basis::pinned : check_basis::assumed,
                        "recomputed from " + question.what);
    check.schemes = names_at(question.names, found.matching);
    if (found.matching.size() > 1) {
        check.reason += "; " + std::to_string(found.matching.size()) + " schemes give this value and remain candidates";
    }
    std::vector<std::string> remaining = check.schemes;
    remaining.insert(remaining.end(), candidates.unknown.begin(), candidates.unknown.end());
    learned.set(question.kind, std::move(remaining));
    return check;
}

}  // namespace

known_candidates::known_candidates(const account_pins& pins, pin_kind kind, const std::vector<std::string>& names)
    : earlier(!pins.candidates(kind).empty()) {
    for (std::size_t i = 0; i < names.size() && !earlier; ++i) {
        known.push_back(i);
    }
    for (const std::string& name : pins.candidates(kind)) {
        const auto found = std::ranges::find(names, name);
        if (found == names.end()) {
            unknown.push_back(name);
        } else {
            known.push_back(static_cast<std::size_t>(found - names.begin()));
        }
    }
}

offline_check answer(const scheme_question& question, const account_pins& pins, account_pins& learned) {
    const known_candidates candidates(pins, question.kind, question.names);
    const recomputed found(question, candidates.known);
    if (!found.matching.empty()) {
        return verified(question, candidates, found, learned);
    }
    offline_check check(to_string(question.kind), check_verdict::not_checkable, check_basis::none, "");
    if (!candidates.earlier) {
        check.reason = "no known scheme gives " + quoted(question.claimed) + " from " + question.what +
                       ": the service uses another scheme, or something was changed";
        return check;
    }
    check.basis = check_basis::pinned;
    check.schemes = pins.candidates(question.kind);
    if (!candidates.unknown.empty()) {
        check.reason = "the account is pinned to a scheme that this version does not know";
    } else if (found.first.empty() && found.all_alike) {
        check.reason =
            question.what + " have no form that can be hashed under the schemes that earlier receipts left open";
    } else if (!found.all_alike) {
        check.reason = "none of the schemes that earlier receipts left open gives " + quoted(question.claimed) +
                       " from " + question.what + "; earlier receipts had not this shape";
    } else {
        check.verdict = check_verdict::failed;
        check.reason = "the receipt says " + quoted(question.claimed) + "; recomputed from " + question.what +
                       " it is " + quoted(found.first);
    }
    return check;
}

}  // namespace vembed::verify
