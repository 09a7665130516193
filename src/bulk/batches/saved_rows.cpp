#include "bulk/batches/saved_rows.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace vembed::bulk {

void saved_rows::leave_alone(const error& why) {
    cache_ = nullptr;
    trouble_ = why.message;
}

void saved_rows::open(row_cache& cache, const run_identity& of, bool duplicates_are_found) {
    auto scope = cache.use(of.service, of.spec_sha256.empty() ? of.model : std::string(), of.spec_sha256);
    const auto closed = scope && !duplicates_are_found ? cache.close_to_new(*scope) : result<void>();
    if (!scope || !closed) {
        leave_alone(scope ? closed.error() : scope.error());
        return;
    }
    cache_ = &cache;
    to_forget_ = &cache;
    scope_ = std::move(*scope);
}

result<std::vector<std::uint64_t>> saved_rows::serve(std::vector<row_in_hand>& rows, row_sink& into) {
    std::vector<std::uint64_t> served;
    if (cache_ == nullptr || rows.empty() || scope_.dimensions() == 0) {
        return served;
    }
    std::vector<digest> keys;
    keys.reserve(rows.size());
    for (const row_in_hand& row : rows) {
        keys.push_back(row.key.value_or(digest{}));
    }
    std::vector<std::uint8_t> hits(rows.size());
    std::vector<float> values;
    const auto found = cache_->find(scope_, keys, hits, values);
    if (!found) {
        leave_alone(found.error());
        return served;
    }
    if (*found == 0) {
        return served;
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (hits[i] != 0) {
            served.push_back(rows[i].index);
        }
    }
    row_batch cached;
    cached.cached = true;
    cached.indices = served;
    cached.dimensions = scope_.dimensions();
    cached.values = values;
    if (auto written = into.write(cached); !written) {
        return written.error();
    }
    std::size_t at = 0;
    std::erase_if(rows, [&hits, &at](const row_in_hand&) { return hits[at++] != 0; });
    return served;
}

void saved_rows::forget(const std::vector<digest>& keys) {
    if (to_forget_ == nullptr || keys.empty()) {
        return;
    }
    if (auto forgotten = to_forget_->forget(scope_, keys); !forgotten) {
        leave_alone(forgotten.error());
        trouble_ += "; it may hold " + std::to_string(keys.size()) +
                    " rows that belong to other texts: remove it before it is used again";
    }
}

void saved_rows::keep(const std::vector<digest>& keys, const row_batch& rows, const std::string& spec_hash) {
    if (cache_ == nullptr || keys.size() != rows.indices.size() || spec_hash.empty()) {
        return;
    }
    if (auto stored = cache_->store(scope_, keys, rows.values, rows.dimensions, spec_hash); !stored) {
        leave_alone(stored.error());
    }
}

}  // namespace vembed::bulk
