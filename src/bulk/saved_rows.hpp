#pragma once
/// The cache as one run sees it: rows of the run's service and model that earlier runs bought, and where this run's
/// rows are kept for later ones.

#include <cstdint>
#include <string>
#include <vector>

#include <vembed/bulk/journal.hpp>
#include <vembed/bulk/sink.hpp>
#include <vembed/core/result.hpp>
#include <vembed/verify/sha256.hpp>

#include "bulk/batch.hpp"

namespace vembed {
class row_cache;
}

namespace vembed::bulk {

class saved_rows {
public:
    saved_rows() = default;

    /// `cache` must outlive this.
    result<void> open(row_cache& cache, const run_identity& of);

    /// Writes those of `rows` that were saved into the sink, takes them off the list, and returns their indices.
    result<std::vector<std::uint64_t>> serve(std::vector<row_in_hand>& rows, row_sink& into);

    /// Keeps rows for later runs. Where that fails the run goes on without the cache, and trouble() says why.
    void keep(const std::vector<digest>& keys, const row_batch& rows, const std::string& spec_hash);

    [[nodiscard]] const std::string& spec_hash() const noexcept { return spec_hash_; }
    [[nodiscard]] std::uint64_t dimensions() const noexcept { return dimensions_; }
    [[nodiscard]] const std::string& trouble() const noexcept { return trouble_; }

private:
    row_cache* cache_ = nullptr;
    std::string spec_hash_;  ///< Of the rows that are served.
    std::uint64_t dimensions_ = 0;
    std::string trouble_;
};

}  // namespace vembed::bulk
