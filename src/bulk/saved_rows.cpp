#include "bulk/saved_rows.hpp"

namespace vembed::bulk {

result<void> saved_rows::open(row_cache& cache, const run_identity&) {
    cache_ = &cache;
    return {};
}

result<std::vector<std::uint64_t>> saved_rows::serve(std::vector<row_in_hand>&, row_sink&) {
    return std::vector<std::uint64_t>();
}

void saved_rows::keep(const std::vector<digest>&, const row_batch&, const std::string&) {}

}  // namespace vembed::bulk
