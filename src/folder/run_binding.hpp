#pragma once
/// Decides when a folder belongs to a run.

#include <memory>
#include <string>

#include <vembed/journal/journal.hpp>

namespace vembed::folder {

/// Whether a run of any corpus may take `folder` over with the journal in it, whose content is `left`. It may if
/// nothing was bought and the files beside the journal have no row of a result; their descriptions of the texts can be
/// written anew.
bool takes_any_corpus(const std::string& folder, const prior_run& left);

/// Like make_sqlite_journal, for a folder that also has the files of npy_sink. If the folder takes any corpus, opening
/// the journal for another corpus removes the files' descriptions of the old texts. The sink must not have been used
/// yet.
std::unique_ptr<run_journal> make_folder_journal(const std::string& folder);

}  // namespace vembed::folder
