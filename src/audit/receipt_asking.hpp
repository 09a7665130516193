#pragma once
/// Asks the service about the receipts of a folder.

#include <optional>
#include <span>

#include <vembed/audit/check_tally.hpp>
#include <vembed/audit/verify_folder.hpp>
#include <vembed/cyberian/types.hpp>

namespace vembed::audit {

/// The result of asking the service.
class asked_receipts {
public:
    check_tally check{online_check, "specified", "receipts",
                      "the service has the very receipt, and itself calls it valid now"};
    std::optional<error> ended_by;  ///< Why the service was not asked about the other receipts.

    asked_receipts() { check.required = true; }
};

/// Asks about each receipt. If the service cannot answer for one, it is not asked about the others: each would take as
/// long. `jobs` is the number of the folder's jobs; those without a receipt are not checkable.
asked_receipts ask_about_receipts(const receipt_service& service, std::span<const receipt> kept, std::uint64_t jobs);

}  // namespace vembed::audit
