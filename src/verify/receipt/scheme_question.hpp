#pragma once
/// Decides which of the account's schemes gives a value. receipt_hash, the roots and the attestation share this
/// decision.

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include <vembed/verify/offline_check.hpp>

namespace vembed::verify {

class scheme_question {
public:
    pin_kind kind = pin_kind::receipt_hash;
    std::vector<std::string> names;  // The registry's schemes of this kind, the default first.
    std::string claimed;             // The value in the receipt.
    // The value under the scheme of that number; empty if the scheme has no form for it.
    std::function<std::string(std::size_t)> recompute;
    // What the value is computed from, e.g. "the 7 commitments listed".
    std::string what;

    scheme_question() = default;
};

/// The candidates of one kind, divided into those that this version can compute and the others.
class known_candidates {
public:
    bool earlier = false;              // The account has been seen before; if not, every scheme is a candidate.
    std::vector<std::size_t> known;    // Their numbers in the registry.
    std::vector<std::string> unknown;  // Names that this version does not know.

    known_candidates(const account_pins& pins, pin_kind kind, const std::vector<std::string>& names);
};

/// Answers the question under `pins`. New pins are added to `learned`.
offline_check answer(const scheme_question& question, const account_pins& pins, account_pins& learned);

}  // namespace vembed::verify
