#pragma once
/// @file
/// What a verification of the caller's own outputs gives.

#include <string>

#include <vembed/cyberian/types.hpp>
#include <vembed/verify/claim_check.hpp>

namespace vembed {

/// The service ran the inputs itself and found the claimed outputs: it says so with a receipt. Receipts are not signed:
/// they show integrity, never origin.
class attestation {
public:
    std::string commitment;  ///< What was claimed: the SHA-256 of the rows' bytes, see commitment().
    vembed::receipt receipt;
    offline_report report;  ///< The checks of the receipt made here and their basis. None of them failed.

    attestation() = default;
};

}  // namespace vembed
