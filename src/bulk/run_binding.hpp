#pragma once
/// When a folder belongs to a run.

#include <memory>
#include <string>

#include <vembed/bulk/journal.hpp>

namespace vembed::bulk {

/// Whether a run of another service or model may take a journal over: nothing was bought, nothing may have been, and no
/// row came from a cache. A start that failed (a mistyped model or address, a refused key) leaves it so. The corpus
/// must be the same, since the files beside the journal tell of its rows.
bool may_be_taken_over(const run_identity& then, const run_identity& now, const prior_run& left);

/// Whether a run of any corpus may take `folder` over with the journal in it, which has `left`: as above, and the files
/// beside it have no row of a result. What they tell of the texts can be written anew.
bool takes_any_corpus(const std::string& folder, const prior_run& left);

/// As make_sqlite_journal, of a folder that has the files of npy_sink too: where it takes any corpus, opening it for
/// another one removes what they tell of the texts before. The sink must not have been used yet.
std::unique_ptr<run_journal> make_folder_journal(const std::string& folder);

/// Removes what the files in `folder` tell of the texts of its corpus.
result<void> remove_descriptions(const std::string& folder);

}  // namespace vembed::bulk
