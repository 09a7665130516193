#pragma once
/// Checks an output folder against itself and against its receipts, offline. Each check names its basis.

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include <vembed/core/result.hpp>
#include <vembed/cyberian/types.hpp>
#include <vembed/verify/pins.hpp>

#include "audit/check_tally.hpp"
#include "folder/manifest.hpp"

namespace vembed::audit {

/// The origin of what is known about the account's schemes.
enum class pins_origin : std::uint8_t {
    none,      ///< Nothing is known: the folder's own receipts have to agree with each other.
    manifest,  ///< The folder's own manifest names the schemes.
    known,     ///< They come from verification_options::known.
};

std::string_view to_string(pins_origin origin) noexcept;

class verification_options {
public:
    scheme_pins known;       ///< What this machine, or a file that the user named, knows about accounts.
    std::string known_from;  ///< The name of the file that `known` came from, for people.
    bool row_hashes = true;  ///< Compare each row with rows.sha256, which hashes every byte a second time.
    std::stop_token stop;    ///< If a stop is requested, the check ends with the error cancelled.
    std::string service;     ///< The service that is to be asked about the receipts; empty if none is.

    verification_options() = default;
};

/// The result of the check.
class folder_report {
public:
    std::vector<check_tally> checks;
    std::optional<folder::manifest> recorded;  ///< As much of the manifest as can be read.
    bool complete = false;
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
    std::vector<receipt> receipts;  ///< The receipts of all jobs, without their JSON, if a service is to be asked.
    pins_origin pins_from = pins_origin::none;
    account_pins pins;  ///< The schemes of the account's receipts: the known ones, narrowed by this folder's receipts.

    folder_report() = default;
};

/// Checks everything that can be checked without the service. Fails if the folder cannot be read at all. The error is
/// io if there is no result, cancelled if a stop was requested, and invalid_argument if a service is to be asked and
/// the receipts are of another one: a key must not go to an address that a file names. Whatever exists and is wrong is
/// in the report.
result<folder_report> verify_folder(const std::string& folder, const verification_options& options);

}  // namespace vembed::audit
