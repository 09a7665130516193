#pragma once
/// When a folder belongs to a run.

#include <memory>
#include <string>

#include <vembed/journal/journal.hpp>

namespace vembed::folder {

/// Whether a run of any corpus may take `folder` over with the journal in it, which has `left`: nothing was bought, and
/// the files beside it have no row of a result. What they tell of the texts can be written anew.
bool takes_any_corpus(const std::string& folder, const prior_run& left);

/// As make_sqlite_journal, of a folder that has the files of npy_sink too: where it takes any corpus, opening it for
/// another one removes what they tell of the texts before. The sink must not have been used yet.
std::unique_ptr<run_journal> make_folder_journal(const std::string& folder);

}  // namespace vembed::folder
