#pragma once
/// The cache as one run sees it: rows of the run's service and model that earlier runs bought. It also keeps this run's
/// rows for later runs. It works on the environment's worker thread.

#include <cstdint>
#include <string>
#include <vector>

#include <vembed/bulk/sink.hpp>
#include <vembed/core/result.hpp>
#include <vembed/journal/journal.hpp>
#include <vembed/reuse/row_cache.hpp>
#include <vembed/verify/sha256.hpp>

#include "bulk/batches/batch.hpp"

namespace vembed::bulk {

/// A cache that fails is not used from then on, and trouble() says why: the run goes on without it.
class saved_rows {
public:
    saved_rows() = default;

    /// `cache` must outlive this. If the run does not look for duplicates, rows that are added later, its own included,
    /// are not served: if a row of this run were withdrawn, nobody could tell which of them must go.
    void open(row_cache& cache, const run_identity& of, bool duplicates_are_found);

    /// Writes those of `rows` that were saved into the sink, takes them off the list, and returns their indices. Errors
    /// are those of the sink.
    result<std::vector<std::uint64_t>> serve(std::vector<row_in_hand>& rows, row_sink& into);

    /// Keeps rows for later runs. Rows are not kept if no receipt was fetched for them: nobody could tell later which
    /// model they are of.
    void keep(const std::vector<digest>& keys, const row_batch& rows, const std::string& spec_hash);

    /// Takes rows out again that may belong to other texts.
    void forget(const std::vector<digest>& keys);

    /// The scope of the rows that serve() gives.
    [[nodiscard]] const cache_scope& scope() const noexcept { return scope_; }
    [[nodiscard]] const std::string& trouble() const noexcept { return trouble_; }

private:
    void leave_alone(const error& why);

    row_cache* cache_ = nullptr;      ///< Null if the cache failed.
    row_cache* to_forget_ = nullptr;  ///< The same cache; it stays set if the cache failed.
    cache_scope scope_;
    std::string trouble_;
};

}  // namespace vembed::bulk
