#pragma once
/// "Which of the account's schemes gives this value?": the one decision that receipt_hash, the roots and the
/// attestation share.

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include <vembed/verify/offline_check.hpp>

namespace vembed::verify {

class scheme_question {
public:
    pin_kind kind = pin_kind::receipt_hash;
    std::vector<std::string> names;                     // The registry's schemes of this kind, the default first.
    std::string claimed;                                // What the receipt says.
    std::function<std::string(std::size_t)> recompute;  // Under the scheme of that number; empty: it has no such form.
    std::string what;                                   // Whose value it is, e.g. "the 7 commitments listed".

    scheme_question() = default;
};

/// The candidates of one kind, sorted by whether this version can compute them.
class known_candidates {
public:
    bool earlier = false;              // The account has been seen before; else every scheme is a candidate.
    std::vector<std::size_t> known;    // Numbers in the registry.
    std::vector<std::string> unknown;  // Names that this version does not know.

    known_candidates(const account_pins& pins, pin_kind kind, const std::vector<std::string>& names);
};

/// Answers the question under `pins`; what the answer teaches goes to `learned`.
offline_check answer(const scheme_question& question, const account_pins& pins, account_pins& learned);

}  // namespace vembed::verify
