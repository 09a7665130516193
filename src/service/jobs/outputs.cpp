#include "service/jobs/outputs.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "service/faults/draw.hpp"
#include "service/faults/proof_faults.hpp"
#include "service/jobs/models.hpp"

namespace vembed::service {
namespace {

static_assert(std::endian::native == std::endian::little, "outputs are float32 in little-endian order");

constexpr std::size_t bench_commitments_max = 65'536;

}  // namespace

text_embedder& output_maker::embedder_of(std::uint32_t dimensions, std::uint32_t words_max) {
    return embedders_.try_emplace(dimensions, dimensions, words_max).first->second;
}

const std::shared_ptr<const std::vector<float>>& output_maker::bench_rows(std::uint32_t dimensions) {
    std::shared_ptr<const std::vector<float>>& made = bench_rows_[dimensions];
    if (!made) {
        auto values = std::make_shared<std::vector<float>>(inputs_max * dimensions);
        for (std::size_t row = 0; row < inputs_max; ++row) {
            double squares = 0;
            float* const first = values->data() + row * dimensions;
            for (std::uint32_t i = 0; i < dimensions; ++i) {
                const std::uint64_t bits = draw(seed_, row * dimensions + i, purpose::bench_rows);
                first[i] = static_cast<float>(static_cast<double>(bits >> 11) * 0x1.0p-52 - 1.0);
                squares += static_cast<double>(first[i]) * first[i];
            }
            const auto length = static_cast<float>(std::sqrt(squares));
            for (std::uint32_t i = 0; i < dimensions; ++i) {
                first[i] /= length;
            }
        }
        made = std::move(values);
    }
    return made;
}

void output_maker::keep(job_record& job, std::shared_ptr<const std::vector<float>> values) {
    job.output.bytes = std::as_bytes(std::span(*values));
    job.output.owner = std::move(values);
    cache_bytes_ += job.output.bytes.size();
    cached_.emplace_back(job.id, job.output.bytes.size());
    while (cache_bytes_ > cache_bytes_max_ && cached_.size() > 1) {
        job_record* const oldest = store_.find(cached_.front().first);
        if (oldest != nullptr) {
            oldest->output = shared_rows();
        }
        cache_bytes_ -= cached_.front().second;
        cached_.pop_front();
    }
}

const shared_rows& output_maker::rows_of(job_record& job) {
    const model& with = catalog()[job.model];
    if (job.output.owner) {
        return job.output;
    }
    const bool spoiled = job.spoiled && is_in_rows(*job.spoiled);
    if (with.precomputed && !spoiled) {
        job.output.owner = bench_rows(with.dimensions);
        job.output.bytes = std::as_bytes(std::span(*bench_rows(with.dimensions)).first(job.rows * with.dimensions));
        return job.output;
    }
    auto values = std::make_shared<std::vector<float>>(job.rows * with.dimensions);
    if (with.precomputed) {
        std::copy_n(bench_rows(with.dimensions)->begin(), values->size(), values->begin());
    } else {
        text_embedder& embedder = embedder_of(with.dimensions, with.tokens_max);
        for (std::size_t row = 0; row < job.rows; ++row) {
            embedder.embed(job.texts[row], std::span(*values).subspan(row * with.dimensions, with.dimensions));
        }
    }
    if (spoiled) {
        spoil_rows(*job.spoiled, seed_, job, *values);
    }
    keep(job, std::move(values));
    return job.output;
}

digest output_maker::bench_commitment(std::uint32_t dimensions, std::uint64_t begin, std::uint64_t end,
                                      std::span<const std::byte> bytes) {
    if (bench_commitments_.size() >= bench_commitments_max) {
        bench_commitments_.clear();
    }
    const auto [place, added] = bench_commitments_.try_emplace({dimensions, begin, end});
    if (added) {
        place->second = sha256_of(bytes.subspan(begin, end - begin));
    }
    return place->second;
}

// The SHA-256 of bytes of a job's output, which has to be made already.
digest output_maker::hash_of(const job_record& job, std::uint64_t begin, std::uint64_t end) {
    const model& with = catalog()[job.model];
    const bool shared = with.precomputed && !(job.spoiled && is_in_rows(*job.spoiled));
    const std::span<const std::byte> bytes = job.output.bytes;
    return shared ? bench_commitment(with.dimensions, begin, end, bytes) : sha256_of(bytes.subspan(begin, end - begin));
}

const std::vector<digest>& output_maker::commitments_of(job_record& job) {
    if (!job.commitments.empty()) {
        return job.commitments;
    }
    const model& with = catalog()[job.model];
    const std::span<const std::byte> bytes = rows_of(job).bytes;
    const std::uint64_t chunk_bytes = std::uint64_t{job.chunk_size} * with.dimensions * sizeof(float);
    std::vector<digest> commitments;
    commitments.reserve(job.chunks());
    for (std::uint64_t begin = 0; begin < bytes.size(); begin += chunk_bytes) {
        const std::uint64_t end = std::min<std::uint64_t>(begin + chunk_bytes, bytes.size());
        const digest hash = hash_of(job, begin, end);
        commitments.push_back(encoding_ == commitment_encoding::sha256 ? hash : sha256_of(hash));
    }
    job.commitments = std::move(commitments);
    return job.commitments;
}

digest output_maker::whole_commitment(job_record& job) {
    return hash_of(job, 0, rows_of(job).bytes.size());
}

}  // namespace vembed::service
