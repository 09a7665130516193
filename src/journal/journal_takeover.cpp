#include "journal/journal_takeover.hpp"

namespace vembed::journal {

bool has_nothing_bought(const prior_run& left) {
    const bool bought = !left.batches.empty() || left.batches_done > 0 || left.chunks_charged > 0;
    const run_facts& facts = left.facts;
    const bool has_rows = !facts.spec_hash.empty() || facts.dimensions > 0 || facts.extra_chunks > 0;
    return !bought && !has_rows;
}

bool may_be_taken_over(const run_identity& then, const run_identity& now, const prior_run& left) {
    return then.corpus == now.corpus && has_nothing_bought(left);
}

}  // namespace vembed::journal
