#pragma once
/// manifest.json describes a run and its result, for people and for `vembed verify`.

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

/// The facts of a run at its end that its report does not have.
class run_description {
public:
    run_identity identity;
    std::vector<std::string> inputs;
    std::string format;
    std::string text_field;
    std::string id_field;
    verify_level verify = verify_level::receipt;
    std::string account_id;  ///< Empty if not known: then the manifest has no account.
    account_pins pins;       ///< The schemes that the account's receipts were seen to follow.
    wall_time ended{};

    run_description() = default;
};

/// The root over the noted hashes of all rows.
class recorded_row_root {
public:
    digest root{};
    std::uint64_t rows = 0;

    recorded_row_root() = default;
};

/// The parts of a manifest that `vembed verify` and `vembed status` need.
class manifest {
public:
    bool complete = false;
    std::string written_by;
    std::string ended_at;
    std::string service;
    std::string model;
    std::string spec_hash;   ///< The spec hash of the run's receipts; empty if none was seen.
    std::string account_id;  ///< The account of the receipts; empty if not noted.
    account_pins pins;       ///< The schemes that the account's receipts had been seen to follow when the run ended.
    std::optional<recorded_row_root> row_root;
    std::uint64_t rows = 0;
    std::uint64_t rows_failed = 0;
    std::uint64_t rows_blank = 0;  ///< Not in rows_failed.
    std::uint64_t dimensions = 0;
    verify_level verify = verify_level::none;
    std::map<std::string, file_digest> files;  ///< If sha256 is empty, only the size was noted.
    std::vector<job_left> jobs_left;
    bool hashed = false;  ///< The manifest names a hash of itself, and the hash is right.

    manifest() = default;
};

/// The level's word in manifest.json and for --verify.
std::string_view to_string(verify_level level) noexcept;

/// The manifest's last member: the SHA-256 of the file's bytes before the member's line.
inline constexpr std::string_view manifest_hash_key = "manifest_sha256";

/// Writes `folder`/manifest.json under another name first and then renames it, so that there is always a whole one.
/// Reads receipts.jsonl for the jobs, rows.sha256 and texts.sha256 for the root over the rows, and every file for its
/// SHA-256. If the rows have hashes, only the size of embeddings.npy is noted.
result<void> write_manifest(const std::string& folder, const run_description& run, const bulk_report& report);

/// Reads `folder`/manifest.json. Returns nothing if there is none; verification_failed if it is no manifest, or if its
/// hash of itself is wrong. Manifests of earlier versions have no such hash: then `hashed` is false.
result<std::optional<manifest>> read_manifest(const std::string& folder);

}  // namespace vembed::folder
