#pragma once
/// @file
/// Makes a row proof (<vembed/verify/row_proof.hpp>) from an output folder, and checks one in a file.

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include <boost/system/result.hpp>

#include <vembed/core/error.hpp>
#include <vembed/core/result.hpp>
#include <vembed/verify/pins.hpp>
#include <vembed/verify/row_proof.hpp>

namespace vembed {

/// Why there is no proof, in addition to what the error says.
enum class proof_obstacle : std::uint8_t {
    none,
    run_unfinished,  ///< The folder's run is not complete: it has to be run again first. The error is bad_input.
    not_checkable,   ///< No known scheme explains the receipt. The error is bad_input.
};

/// The error of prove_row(). value() throws what belongs to its kind.
class proof_error : public error {
public:
    proof_obstacle obstacle = proof_obstacle::none;

    proof_error() = default;
    proof_error(error reason, proof_obstacle what = proof_obstacle::none)  // NOLINT(google-explicit-constructor)
        : error(std::move(reason)), obstacle(what) {}
};

/// A row proof or why there is none.
using row_proof_result = boost::system::result<row_proof, proof_error>;

class prove_row_options {
public:
    bool platform = false;  ///< Make part two as well: the row is the service's.

    /// What is known of accounts, for part two. If it has nothing of the folder's account, the manifest's own record
    /// counts.
    scheme_pins known;

    std::stop_token stop;  ///< If a stop is requested, the error is cancelled.

    prove_row_options() = default;
};

/// The proof of a row of a finished folder. It was checked: nothing in it is false.
///
///     const auto proof = vembed::prove_row("out", 7);
///     if (proof) { std::ofstream("row7.json") << proof->to_json(); }
///     else if (proof.error().obstacle == vembed::proof_obstacle::run_unfinished) { resume("out"); }
///     else { std::cerr << proof.error() << '\n'; }
///
/// \par Errors
/// io if there is no folder or a file cannot be read. invalid_argument if there is no such row. bad_input
/// - with proof_obstacle::run_unfinished if the run of the folder is not complete,
/// - with proof_obstacle::not_checkable if `platform` is set and no known scheme explains the row's receipt,
/// - without an obstacle if the row failed or is a blank line, if an earlier version wrote the folder without hashes of
///   its rows, or if `platform` is set and the row came from the cache or its job has no receipt.
///
/// verification_failed if the folder changed since it was written.
///
/// \par Cancellation
/// cancelled if a stop is requested.
///
/// \par Thread safety
/// Blocks. rows.sha256 and texts.sha256 are read once, for any row; the memory does not grow with the folder. Nothing
/// is written; any calls may run at once.
[[nodiscard]] row_proof_result prove_row(const std::string& folder, std::uint64_t row,
                                         const prove_row_options& options = {});

/// Likewise for the row with this id in ids.jsonl. invalid_argument if no row or more than one has it.
[[nodiscard]] row_proof_result prove_row(const std::string& folder, std::string_view id,
                                         const prove_row_options& options = {});

/// Checks the proof in a file with check_row_proof_text(). io if the file cannot be read; anything else, such as a file
/// that is no proof, is in the report.
///
///     vembed::row_proof_expectations expected;
///     expected.root = vembed::digest_from_hex(published_root);
///     expected.rows = 117659;
///     expected.pins = vembed::read_pins_file("pins.json").value().of(vembed::pins_key(service, account_id));
///     const bool holds = vembed::check_row_proof_file("row7.json", expected).value().verified();
result<row_proof_report> check_row_proof_file(const std::string& path, const row_proof_expectations& expected = {});

}  // namespace vembed
