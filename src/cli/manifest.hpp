#pragma once
/// manifest.json: what was run and what came of it, for people and for `vembed verify`.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include <vembed/bulk/journal.hpp>
#include <vembed/bulk/options.hpp>
#include <vembed/core/result.hpp>
#include <vembed/core/time.hpp>

#include "cli/embedding_file.hpp"

namespace vembed::cli {

/// What a run knows of itself when it ends.
class run_description {
public:
    run_identity identity;
    std::vector<std::string> inputs;
    std::string format;
    std::string text_field;
    std::string id_field;
    verify_level verify = verify_level::receipt;
    wall_time ended{};

    run_description() = default;
};

/// What `vembed verify` needs of a manifest.
class manifest {
public:
    bool complete = false;
    std::string service;
    std::string model;
    std::uint64_t rows = 0;
    std::uint64_t rows_failed = 0;
    std::uint64_t dimensions = 0;
    verify_level verify = verify_level::none;
    std::map<std::string, file_digest> files;

    manifest() = default;
};

/// The words of manifest.json and --verify.
std::string_view to_string(verify_level level) noexcept;

/// Writes `folder`/manifest.json: under another name first, then in its place, so that there is always a whole one.
/// Reads receipts.jsonl for the jobs and every file for its SHA-256.
result<void> write_manifest(const std::string& folder, const run_description& run, const bulk_report& report);

/// Reads `folder`/manifest.json. Nothing where there is none; verification_failed where it is not one.
result<std::optional<manifest>> read_manifest(const std::string& folder);

}  // namespace vembed::cli
