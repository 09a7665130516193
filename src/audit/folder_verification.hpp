#pragma once
/// Checks an output folder against itself and against its receipts, offline. Each check says what it rests on.

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

/// Where what is known of the account's schemes came from.
enum class pins_origin : std::uint8_t {
    none,      ///< Nowhere: the folder's own receipts have to agree with each other.
    manifest,  ///< The folder's own manifest says so.
    known,     ///< verification_options::known.
};

std::string_view to_string(pins_origin origin) noexcept;

class verification_options {
public:
    scheme_pins known;       ///< What this machine, or a file that the user named, knows of accounts.
    std::string known_from;  ///< That file, for people.
    bool row_hashes = true;  ///< Compare each row with rows.sha256: every byte is hashed a second time.
    std::stop_token stop;    ///< Asked to stop, the check ends as cancelled.
    std::string service;     ///< The service that is to be asked about the receipts; empty: none.

    verification_options() = default;
};

/// What was found.
class folder_report {
public:
    std::vector<check_tally> checks;
    std::optional<folder::manifest> recorded;  ///< As far as it can be read.
    bool complete = false;
    std::uint64_t rows = 0;
    std::uint64_t dimensions = 0;
    std::uint64_t jobs = 0;
    std::uint64_t chunks = 0;
    std::uint64_t chunks_sampled = 0;  ///< That the service says it re-executed.
    std::uint64_t rows_failed = 0;
    std::uint64_t rows_refused = 0;             ///< Of those, because a check of what came for their job failed.
    std::uint64_t rows_in_receipts = 0;         ///< Bought by the folder's own jobs.
    std::uint64_t rows_copied = 0;              ///< Copies of rows with the same text.
    std::uint64_t rows_copied_from_cached = 0;  ///< Of those, of rows that came from the cache.
    std::uint64_t rows_cached = 0;              ///< Bought by other runs; their receipts are with those.
    std::vector<receipt> receipts;  ///< Of all jobs, without their JSON, where a service is to be asked about them.
    pins_origin pins_from = pins_origin::none;
    account_pins pins;  ///< What the account's receipts follow: what was known, and what this folder adds.

    folder_report() = default;
};

/// Checks everything that can be checked without the service. Fails where the folder cannot be read at all: io where
/// there is no result, cancelled if options.stop was asked for, invalid_argument where a service is to be asked and the
/// receipts are of another one: the key is not for an address that a file names. Anything that is there and wrong is in
/// the report.
result<folder_report> verify_folder(const std::string& folder, const verification_options& options);

}  // namespace vembed::audit
