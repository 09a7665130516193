#pragma once
/// @file
/// Checks an output folder: its files against each other and against what was noted of them, and every receipt against
/// rows, texts and chunks. `vembed verify` prints what this returns.

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <vembed/audit/check_tally.hpp>
#include <vembed/core/error.hpp>
#include <vembed/core/result.hpp>
#include <vembed/cyberian/types.hpp>
#include <vembed/verify/pins.hpp>

namespace vembed {

/// Who is asked about the folder's receipts. The functions are called one at a time, on the thread that called
/// verify_folder(); an exception of theirs passes through it.
class receipt_service {
public:
    std::string base_url;  ///< The service, as client::base_url() names it.
    std::function<result<receipt>(const std::string& receipt_id)> get_receipt;
    std::function<result<receipt_verification>(const std::string& receipt_id)> verify_receipt;

    receipt_service() = default;
};

/// Asks through a client whose calls block, with these call options, if any: `receipts_of(client)` for a
/// vembed::blocking_client. The client must outlive the result.
template <class BlockingClient, class... CallOptions>
receipt_service receipts_of(BlockingClient& client, CallOptions... options) {
    receipt_service service;
    service.base_url = client.base_url();
    service.get_receipt = [&client, options...](const std::string& id) { return client.get_receipt(id, options...); };
    service.verify_receipt = [&client, options...](const std::string& id) {
        return client.verify_receipt(id, options...);
    };
    return service;
}

class verify_folder_options {
public:
    scheme_pins known;       ///< What is known about accounts, from read_pins_file() for example.
    std::string known_from;  ///< The name of the file that `known` came from, for people.

    /// Names of folder_check_names(), or "all": every check but origin. If such a check cannot be made, the judgement
    /// is not_checkable.
    std::vector<std::string> required;

    bool row_hashes = true;  ///< Compare each row with rows.sha256, which hashes every byte a second time.
    std::stop_token stop;    ///< If a stop is requested, the check ends with the error cancelled.

    /// If it is set, the service is asked about each receipt once all else is checked. `stop` does not end its calls.
    std::optional<receipt_service> service;

    verify_folder_options() = default;
};

/// The origin of what is known about the account's schemes.
enum class pins_origin : std::uint8_t {
    none,      ///< Nothing is known: the folder's own receipts have to agree with each other.
    manifest,  ///< The folder's own manifest names the schemes.
    known,     ///< They come from verify_folder_options::known.
};

/// "none", "manifest", "known".
std::string_view to_string(pins_origin origin) noexcept;

/// What manifest.json says of the run.
class recorded_run {
public:
    std::string service;
    std::string account_id;  ///< Empty if it was not noted.
    std::string model;       ///< Empty if the run was of a specification.
    std::string written_by;
    std::string ended_at;

    recorded_run() = default;
};

/// The result of the check.
class folder_report {
public:
    std::string folder;
    std::vector<check_tally> checks;  ///< In the order of folder_check_names(), origin last.
    folder_judgement judgement;
    std::optional<recorded_run> recorded;  ///< Empty if there is no readable manifest.
    bool complete = false;                 ///< Whether the run is finished.
    std::uint64_t rows = 0;
    std::uint64_t dimensions = 0;
    std::uint64_t jobs = 0;
    std::uint64_t chunks = 0;
    std::uint64_t chunks_sampled = 0;  ///< Chunks that the service says it re-executed.
    std::uint64_t rows_failed = 0;
    std::uint64_t rows_refused = 0;             ///< Failed rows whose job's responses failed a check.
    std::uint64_t rows_in_receipts = 0;         ///< Rows that the folder's own jobs bought.
    std::uint64_t rows_copied = 0;              ///< Copies of rows with the same text.
    std::uint64_t rows_copied_from_cached = 0;  ///< Copies of rows that came from the cache.
    std::uint64_t rows_cached = 0;              ///< Rows that other runs bought; those runs have their receipts.
    pins_origin pins_from = pins_origin::none;
    std::string known_from;         ///< As in verify_folder_options.
    account_pins pins;              ///< The account's schemes: the known ones, narrowed by this folder's receipts.
    std::vector<receipt> receipts;  ///< The receipts of all jobs, without their JSON, if a service was asked.
    std::string service_asked;      ///< The base_url of the service that was asked; empty if none was.
    /// Why the service was not asked about all receipts; empty if it was. The other checks stand.
    std::optional<error> asking_ended_by;

    folder_report() = default;

    /// The check of that name; null if there is none.
    [[nodiscard]] const check_tally* find(std::string_view name) const;

    /// The pins_key() under which `pins` may be kept for later checks. verification_failed if a check failed: a bad
    /// folder teaches nothing. bad_input if the folder does not say which account its receipts are of.
    [[nodiscard]] result<std::string> learnable_account() const;

    /// The page for people that `vembed verify` prints; origin_line is the last line. Foreign text in it is safe for a
    /// terminal.
    [[nodiscard]] std::string text() const;
};

/// Checks a folder, finished or not. Nothing is written. Whatever exists and is wrong is in the report, not an error.
///
///     vembed::verify_folder_options options;
///     options.known = vembed::read_pins_file("pins.json").value();
///     const auto report = vembed::verify_folder("out", options).value();
///     if (report.judgement.verdict != vembed::check_verdict::verified) { std::cerr << report.text(); }
///
/// \par Errors
/// io if there is no result or the folder cannot be read. invalid_argument if `required` has a name that no check has,
/// or online_check without a service, or if the service is not the one that the folder's receipts are of: a key must
/// not go to an address that a file names. What the service answers is in the report.
///
/// \par Cancellation
/// cancelled if a stop is requested. To end the service's calls, cancel them: report.asking_ended_by is then cancelled.
///
/// \par Thread safety
/// Blocks for as long as it takes to read and hash every row. May be called for any folders at once. The memory is a
/// byte for each row, one job and the ids of all, and the receipts if a service is asked.
result<folder_report> verify_folder(const std::string& folder, const verify_folder_options& options = {});

}  // namespace vembed
