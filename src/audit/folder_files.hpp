#pragma once
/// Checks an output folder against what manifest.json records of its files.

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include <vembed/audit/check_tally.hpp>
#include <vembed/core/result.hpp>

#include "folder/manifest.hpp"
#include "folder/records/digest_records.hpp"

namespace vembed::audit {

/// The number of lines of a JSONL file; empty if the file cannot be read.
std::optional<std::uint64_t> count_lines(const std::string& path);

/// Looks up the ids of the rows that findings name. A row without an id stays without one.
void add_row_ids(const std::string& folder, std::vector<check_tally>& checks);

/// Compares the folder's files with the hashes that the manifest of a finished run records.
result<check_tally> check_file_hashes(const std::string& folder, const folder::manifest& recorded,
                                      const std::stop_token& stop);

/// Compares rows.sha256 and texts.sha256 with the manifest's row_root, which covers all of the folder's `rows`. The
/// files are not read if `skip` is set.
result<check_tally> check_row_root(const std::optional<folder::manifest>& recorded, std::uint64_t rows,
                                   folder::digest_records* texts, folder::digest_records* rows_digests, bool skip,
                                   const std::stop_token& stop);

}  // namespace vembed::audit
