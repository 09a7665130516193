#include "service/jobs/models.hpp"

#include <array>

namespace vembed::service {
namespace {

constexpr auto models = std::to_array<model>({
    {"bge-large-v1.5", "BGE large v1.5 (local stand-in)",
     "Deterministic hashed words and character n-grams in 1024 dimensions, scaled to length 1.", 1024, 512, false},
    {"bge-small-v1.5", "BGE small v1.5 (local stand-in)",
     "Deterministic hashed words and character n-grams in 384 dimensions, scaled to length 1.", 384, 512, false},
    {"bench-1024", "Benchmark rows",
     "Precomputed rows of 1024 dimensions that do not depend on the inputs, so that the service is no bottleneck.",
     1024, 512, true},
    {"bench-8", "Benchmark rows, small", "As bench-1024, in 8 dimensions: for runs of many rows.", 8, 512, true},
});

}  // namespace

std::span<const model> catalog() noexcept {
    return models;
}

std::optional<std::size_t> find_model(std::string_view id) noexcept {
    for (std::size_t i = 0; i < models.size(); ++i) {
        if (models[i].id == id) {
            return i;
        }
    }
    return std::nullopt;
}

}  // namespace vembed::service
