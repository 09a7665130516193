#include "bulk/values/in_doubt_batches.hpp"

#include <algorithm>
#include <utility>

#include "core/row_ranges.hpp"
#include "policy/packing/packing.hpp"

namespace vembed::bulk {
namespace {

bool is_open(const unknown_batch& entry) noexcept {
    return entry.job_id.empty() && !entry.not_charged;
}

}  // namespace

unknown_batch in_doubt_batches::entry_of(const batch& item, std::string reason, std::uint64_t rows_per_chunk,
                                         chunk_budget* budget) {
    unknown_batch entry;
    entry.batch = item.number;
    entry.job_id = item.job_id;
    entry.rows = item.indices;
    entry.chunks_estimated = policy::chunks_of(item.indices.size(), rows_per_chunk);
    entry.reason = std::move(reason);
    entry.resubmitted = budget->take_extra(entry.chunks_estimated);
    return entry;
}

const unknown_batch& in_doubt_batches::add(unknown_batch entry) {
    rows_out_ += stays_out(entry) ? entry.rows.size() : 0;
    return entries_.emplace_back(std::move(entry));
}

void in_doubt_batches::keep_texts(const batch& item) {
    std::uint64_t bytes = 0;
    for (const std::string& text : *item.texts) {
        bytes += text.size();
    }
    if (bytes_kept_ + bytes > bytes_max) {
        return;
    }
    bytes_kept_ += bytes;
    kept_batch& kept = kept_.emplace_back();
    kept.entry = entries_.size() - 1;
    kept.rows = part_of(item, 0, item.indices.size());
    kept.rows.number = item.number;
}

const unknown_batch& in_doubt_batches::adopt(const journalled_batch& left, policy::unknown_verdict verdict,
                                             std::uint64_t rows_per_chunk, chunk_budget* budget) {
    unknown_batch entry;
    entry.batch = left.batch;
    entry.rows = core::indices_of(left.rows);
    entry.chunks_estimated = std::min(left.chunks, policy::chunks_of(entry.rows.size(), rows_per_chunk));
    entry.reason = left.state == batch_state::intent ? "the process that sent it ended before a response came"
                                                     : "sent by an earlier process, and got no response";
    entry.not_charged = verdict == policy::unknown_verdict::none_charged;
    entry.probably_charged = verdict == policy::unknown_verdict::all_charged;
    if (!entry.not_charged) {
        budget->adopt_in_doubt(entry.chunks_estimated);
        entry.resubmitted = budget->take_extra(entry.chunks_estimated);
    }
    return add(std::move(entry));
}

std::vector<std::uint64_t> in_doubt_batches::release() {
    std::vector<std::uint64_t> numbers;
    for (unknown_batch& entry : entries_) {
        if (is_open(entry) && !entry.resubmitted) {
            entry.not_charged = true;
            rows_released_ += entry.rows.size();
            numbers.push_back(entry.batch);
        }
    }
    released_ = std::exchange(kept_, {});  // Batches kept from here on were not judged.
    bytes_kept_ = 0;
    return numbers;
}

std::optional<batch> in_doubt_batches::take_released() {
    if (released_.empty()) {
        return std::nullopt;
    }
    batch again = std::move(released_.front().rows);
    released_.pop_front();
    rows_out_ -= again.indices.size();
    rows_released_ -= again.indices.size();
    return again;
}

void in_doubt_batches::note(policy::unknown_verdict verdict) {
    for (unknown_batch& entry : entries_) {
        entry.probably_charged = is_open(entry) && verdict == policy::unknown_verdict::all_charged;
    }
}

std::optional<batch> in_doubt_batches::take_affordable(std::uint64_t rows_per_chunk, chunk_budget* budget) {
    while (!kept_.empty()) {
        kept_batch next = std::move(kept_.front());
        kept_.pop_front();
        const std::uint64_t chunks = policy::chunks_of(next.rows.indices.size(), rows_per_chunk);
        if (budget->take_extra(chunks)) {
            entries_[next.entry].resubmitted = true;
            entries_[next.entry].chunks_estimated = chunks;
            rows_out_ -= next.rows.indices.size();
            return std::move(next.rows);
        }
    }
    return std::nullopt;
}

void in_doubt_batches::lower_estimates(std::uint64_t rows_per_chunk) {
    for (unknown_batch& entry : entries_) {
        if (!entry.resubmitted) {
            const std::uint64_t most = policy::chunks_of(entry.rows.size(), rows_per_chunk);
            entry.chunks_estimated = std::min(entry.chunks_estimated, most);
        }
    }
}

std::uint64_t in_doubt_batches::chunks_open() const noexcept {
    std::uint64_t chunks = 0;
    for (const unknown_batch& entry : entries_) {
        chunks += is_open(entry) ? entry.chunks_estimated : 0;
    }
    return chunks;
}

}  // namespace vembed::bulk
