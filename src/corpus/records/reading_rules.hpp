#pragma once
/// The versions of the rules by which files become rows. A run keeps to the version that it was begun by.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <vembed/core/result.hpp>
#include <vembed/corpus/source.hpp>

namespace vembed::corpus {

/// Version 1 read TSV with CSV's quotes, took every file of unknown name for lines, and its fingerprint was of the
/// bytes as they are stored. Version 2 is what open_files says.
inline constexpr std::uint32_t first_reading_rules = 1;
inline constexpr std::uint32_t latest_reading_rules = 2;

/// As vembed::open_files, by the given version.
result<std::unique_ptr<row_source>> open_files_by(std::uint32_t rules, std::vector<std::string> paths,
                                                  file_source_options options);

/// As vembed::fingerprint_files, by the given version: no two versions give the same.
result<std::string> fingerprint_files_by(std::uint32_t rules, const std::vector<std::string>& paths,
                                         const file_source_options& options);

/// By what a run may know its corpus.
class corpus_fingerprints {
public:
    std::string rows;   ///< Of what makes rows: neither a byte order mark nor how the last line ends counts.
    std::string bytes;  ///< fingerprint_files_by(): of runs that were begun before `rows` was known, and by the SDK.

    corpus_fingerprints() = default;

    /// Whether a run that knows its corpus by `one` is of this corpus: no other rows have either fingerprint.
    [[nodiscard]] bool has(const std::string& one) const noexcept { return one == rows || one == bytes; }
};

/// Both are the same for files that begin without a mark and end with LF, and by the first version of the rules.
result<corpus_fingerprints> fingerprints_of_corpus(std::uint32_t rules, const std::vector<std::string>& paths,
                                                   const file_source_options& options);

}  // namespace vembed::corpus
