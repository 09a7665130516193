#pragma once
/// The versions of the rules by which files become rows. A run keeps the version with which it began.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <vembed/core/result.hpp>
#include <vembed/corpus/source.hpp>

namespace vembed::corpus {

/// Version 1 read TSV with CSV's quotes, took every file of unknown name for lines, and hashed the bytes as they are
/// stored for its fingerprint. Version 2 is what open_files documents.
inline constexpr std::uint32_t first_reading_rules = 1;
inline constexpr std::uint32_t latest_reading_rules = 2;

/// vembed::open_files with the given version of the rules.
result<std::unique_ptr<row_source>> open_files_by(std::uint32_t rules, std::vector<std::string> paths,
                                                  file_source_options options);

/// vembed::fingerprint_files with the given version of the rules: no two versions give the same fingerprint.
result<std::string> fingerprint_files_by(std::uint32_t rules, const std::vector<std::string>& paths,
                                         const file_source_options& options);

/// The fingerprints by which a run may know its corpus.
class corpus_fingerprints {
public:
    std::string rows;   ///< The hash of what makes rows: a byte order mark and the end of the last line do not count.
    std::string bytes;  ///< fingerprint_files_by(): used by runs that began before `rows` existed, and by the SDK.

    corpus_fingerprints() = default;

    /// Whether `one` identifies this corpus: no other rows have either fingerprint.
    [[nodiscard]] bool has(const std::string& one) const noexcept { return one == rows || one == bytes; }
};

/// Both are equal if the files begin without a byte order mark and end with LF, and under version 1 of the rules.
result<corpus_fingerprints> fingerprints_of_corpus(std::uint32_t rules, const std::vector<std::string>& paths,
                                                   const file_source_options& options);

}  // namespace vembed::corpus
