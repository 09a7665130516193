#pragma once
/// An output folder against what manifest.json notes of its files.

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include <vembed/core/result.hpp>

#include "audit/check_tally.hpp"
#include "folder/manifest.hpp"
#include "folder/records/digest_records.hpp"

namespace vembed::audit {

/// How many lines a JSONL file has; nothing where it cannot be read.
std::optional<std::uint64_t> count_lines(const std::string& path);

/// Looks up the ids of the rows that findings name. Rows without one keep none.
void add_row_ids(const std::string& folder, std::vector<check_tally>& checks);

/// The files of the folder with the hashes that the manifest of a finished run has of them.
result<check_tally> check_file_hashes(const std::string& folder, const folder::manifest& recorded,
                                      const std::stop_token& stop);

/// rows.sha256 and texts.sha256 against the manifest's row_root, which is over all of the folder's `rows`; where
/// `skip`, the files are left out.
result<check_tally> check_row_root(const std::optional<folder::manifest>& recorded, std::uint64_t rows,
                                   folder::digest_records* texts, folder::digest_records* rows_digests, bool skip,
                                   const std::stop_token& stop);

}  // namespace vembed::audit
