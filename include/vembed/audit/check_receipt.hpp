#pragma once
/// @file
/// Checks one receipt against as much of its job as is at hand: the job's results, texts and rows. No network.

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <vembed/core/result.hpp>
#include <vembed/cyberian/types.hpp>
#include <vembed/verify/offline_check.hpp>
#include <vembed/verify/pins.hpp>
#include <vembed/verify/schemes.hpp>

namespace vembed {

/// What is at hand besides the receipt.
class receipt_evidence {
public:
    std::optional<job_results> results;                ///< They list the chunks and their commitments.
    std::optional<std::vector<input_digests>> inputs;  ///< The job's texts, in the order submitted.
    std::string npy_file;  ///< The job's rows: an .npy file of little-endian float32. Empty if they are not at hand.
    account_pins pins;     ///< What is known of the account's schemes.

    /// Names of offline_check_names, or "all": every check but origin. They are required besides the receipt's form and
    /// hash, and the hashes over what is given.
    std::vector<std::string> required;

    std::stop_token stop;  ///< If a stop is requested, the check ends with the error cancelled.

    receipt_evidence() = default;
};

class receipt_report {
public:
    offline_report checks;
    std::vector<std::string> required;  ///< The names of the required checks; a name may be there twice.

    receipt_report() = default;

    /// Whether the check of that name is required.
    [[nodiscard]] bool requires_check(std::string_view name) const;

    /// `failed` if a check failed; otherwise `not_checkable` if a required check could not be made.
    [[nodiscard]] check_verdict verdict() const;

    /// One line for people: "verified, …", "failed: NAME" or "could not be checked: NAME, …".
    [[nodiscard]] std::string summary() const;
};

/// Checks the text of a receipt as the service sent it. With results the rows are hashed chunk by chunk; without them
/// they are tried as one chunk.
///
///     vembed::receipt_evidence evidence;
///     evidence.results = vembed::read_results_file("results.json").value();
///     evidence.npy_file = "rows.npy";
///     const auto text = vembed::read_receipt_file("receipt.json").value();
///     std::cout << vembed::check_receipt(text, evidence).value().summary() << '\n';
///
/// \par Errors
/// A receipt that is wrong is no error: the report says so. io if npy_file cannot be read, bad_input if it is no such
/// matrix. invalid_argument if, without results, there are not as many texts as rows, or if `required` has a name that
/// no check has.
///
/// \par Cancellation
/// cancelled if a stop is requested while the rows are hashed.
///
/// \par Thread safety
/// Blocks. Any calls may run at once.
result<receipt_report> check_receipt(std::string_view receipt_text, const receipt_evidence& evidence);

/// The text of the receipt in a file, which is the service's response, or the object that `vembed receipt get --json`
/// prints. Line ends behind it are left out. io if the file cannot be read; bad_input if such an object has no receipt
/// in it, verification_failed if its fields are not those of the receipt in it. Any other text is returned as it is:
/// check_receipt() judges it.
result<std::string> read_receipt_file(const std::string& path);

/// The results in a file: the response to GET /jobs/ID/results, or what `vembed job results ID --json` prints. io if
/// the file cannot be read; bad_input if it is neither.
result<job_results> read_results_file(const std::string& path);

}  // namespace vembed
