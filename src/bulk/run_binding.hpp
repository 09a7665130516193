#pragma once
/// When a folder belongs to a run.

#include <vembed/bulk/journal.hpp>

namespace vembed::bulk {

/// Whether a run of another service or model may take a journal over: nothing was bought, nothing may have been, and no
/// row came from a cache. A start that failed (a mistyped model or address, a refused key) leaves it so. The corpus
/// must be the same, since the files beside the journal tell of its rows.
bool may_be_taken_over(const run_identity& then, const run_identity& now, const prior_run& left);

}  // namespace vembed::bulk
