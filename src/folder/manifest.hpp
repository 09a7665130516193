#pragma once
/// manifest.json: what was run and what came of it, for people and for `vembed verify`.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include <vembed/bulk/options.hpp>
#include <vembed/core/result.hpp>
#include <vembed/core/time.hpp>
#include <vembed/journal/journal.hpp>
#include <vembed/verify/pins.hpp>
#include <vembed/verify/sha256.hpp>

#include "folder/records/embedding_file.hpp"

namespace vembed::folder {

/// What a run knows of itself when it ends.
class run_description {
public:
    run_identity identity;
    std::vector<std::string> inputs;
    std::string format;
    std::string text_field;
    std::string id_field;
    verify_level verify = verify_level::receipt;
    std::string account_id;  ///< Empty where not known: then nothing is said of the account.
    account_pins pins;       ///< What the account's receipts were seen to follow.
    wall_time ended{};

    run_description() = default;
};

/// The root over what was noted of all rows.
class recorded_row_root {
public:
    digest root{};
    std::uint64_t rows = 0;

    recorded_row_root() = default;
};

/// An accepted job that a run left aside.
class left_job {
public:
    std::uint64_t batch = 0;
    std::string job_id;
    row_ranges rows;
    bool at_fault = false;      ///< The service's responses about it were wrong; else it did not come in time.
    bool check_failed = false;  ///< Then: a check of its proof failed.
    std::string reason;

    left_job() = default;
};

/// What `vembed verify` and `vembed status` need of a manifest.
class manifest {
public:
    bool complete = false;
    std::string written_by;
    std::string ended_at;
    std::string service;
    std::string model;
    std::string spec_hash;   ///< Of the run's receipts; empty: none seen.
    std::string account_id;  ///< Whose receipts they are; empty: not noted.
    account_pins pins;       ///< What that account's receipts were seen to follow when the run ended.
    std::optional<recorded_row_root> row_root;
    std::uint64_t rows = 0;
    std::uint64_t rows_failed = 0;
    std::uint64_t rows_blank = 0;  ///< Not among those.
    std::uint64_t dimensions = 0;
    verify_level verify = verify_level::none;
    std::map<std::string, file_digest> files;  ///< Where sha256 is empty, only the size was noted.
    std::vector<left_job> jobs_left;
    bool hashed = false;  ///< The manifest notes a hash of itself, and has it.

    manifest() = default;
};

/// The words of manifest.json and --verify.
std::string_view to_string(verify_level level) noexcept;

/// The manifest's last member: the SHA-256 of the file's bytes before the member's line.
inline constexpr std::string_view manifest_hash_key = "manifest_sha256";

/// Writes `folder`/manifest.json: under another name first, then in its place, so that there is always a whole one.
/// Reads receipts.jsonl for the jobs, rows.sha256 and texts.sha256 for the root over the rows, and every file for its
/// SHA-256; of embeddings.npy only the size, where its rows have their hashes.
result<void> write_manifest(const std::string& folder, const run_description& run, const bulk_report& report);

/// Reads `folder`/manifest.json. Nothing where there is none; verification_failed where it is not one, or where it does
/// not have its own hash. Manifests of earlier versions have none: then `hashed` is false.
result<std::optional<manifest>> read_manifest(const std::string& folder);

}  // namespace vembed::folder
