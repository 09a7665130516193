#include "folder/corpus_of_run.hpp"

#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include <vembed/journal/journal.hpp>

#include "corpus/records/reading_rules.hpp"
#include "folder/layout.hpp"
#include "policy/packing/learned_chunk_size.hpp"

namespace vembed::folder {
namespace {

/// Returns nothing if no run was begun in the folder, or if its journal cannot be read.
std::optional<std::string> corpus_begun_in(const std::string& folder) {
    const std::string path = layout::in(folder, layout::journal);
    std::error_code ignored;
    if (folder.empty() || !std::filesystem::exists(path, ignored)) {
        return std::nullopt;
    }
    auto journal = read_journal(path);
    return journal ? std::optional(std::move(journal->identity.corpus)) : std::nullopt;
}

}  // namespace

std::uint32_t rules_for(const std::string& folder, const std::vector<std::string>& files,
                        const file_source_options& format) {
    const std::optional<std::string> begun = corpus_begun_in(folder);
    if (!begun) {
        return corpus::latest_reading_rules;
    }
    const auto before = corpus::fingerprint_files_by(corpus::first_reading_rules, files, format);
    return before && *before == *begun ? corpus::first_reading_rules : corpus::latest_reading_rules;
}

result<std::string> fingerprint_for(const std::string& folder, std::uint32_t rules,
                                    const std::vector<std::string>& files, const file_source_options& format) {
    auto made = corpus::fingerprints_of_corpus(rules, files, format);
    if (!made) {
        return made.error();
    }
    std::optional<std::string> begun = corpus_begun_in(folder);
    if (begun && made->has(*begun)) {
        return std::move(*begun);
    }
    return std::move(made->rows);
}

bool chunk_size_is_known(const prior_run& run) noexcept {
    return run.facts.rows_per_chunk > 0 && policy::jobs_showed_size(run.chunks_charged, run.next_batch);
}

}  // namespace vembed::folder
