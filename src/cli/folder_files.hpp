#pragma once
/// An output folder against what manifest.json notes of its files.

#include <cstdint>
#include <optional>
#include <string>

#include <vembed/core/result.hpp>

#include "cli/check_tally.hpp"
#include "cli/digest_records.hpp"
#include "cli/manifest.hpp"

namespace vembed::cli {

/// How many lines a JSONL file has; nothing where it cannot be read.
std::optional<std::uint64_t> count_lines(const std::string& path);

/// Looks up the ids of the rows that findings name. Rows without one keep none.
void add_row_ids(const std::string& folder, std::vector<check_tally>& checks);

/// The files of the folder with the hashes that the manifest of a finished run has of them.
result<check_tally> check_file_hashes(const std::string& folder, const manifest& recorded);

/// rows.sha256 and texts.sha256 against the manifest's row_root, which is over all of the folder's `rows`; where
/// `skip`, the files are left out.
result<check_tally> check_row_root(const std::optional<manifest>& recorded, std::uint64_t rows, digest_records* texts,
                                   digest_records* rows_digests, bool skip);

}  // namespace vembed::cli
