#include "service/jobs/job_store.hpp"

namespace vembed::service {
namespace {

constexpr std::chrono::hours undelivered_kept{24};

// The memory of the records in the maps and queues, the strings and a receipt.
constexpr std::uint64_t record_bytes = 3072;

}  // namespace

std::string_view to_string(job_state state) noexcept {
    switch (state) {
        case job_state::executing: return "EXECUTING";
        case job_state::proving: return "PROVING";
        case job_state::settled: return "SETTLED";
        case job_state::failed: return "FAILED";
        case job_state::refunded: return "REFUNDED";
    }
    return "FAILED";
}

job_state job_record::state_at(monotonic_time now) const noexcept {
    if (now < settles_at) {
        return now - submitted_at < (settles_at - submitted_at) / 2 ? job_state::executing : job_state::proving;
    }
    switch (fate) {
        case job_fate::settled: return job_state::settled;
        case job_fate::failed: return job_state::failed;
        case job_fate::refunded: return job_state::refunded;
    }
    return job_state::failed;
}

chunk_stage job_record::stage_of(std::uint64_t chunk, monotonic_time now) const noexcept {
    if (now >= settles_at) {
        return chunk_stage::verified;
    }
    const monotonic_clock::duration half = (settles_at - submitted_at) / 2;
    const auto share =
        std::chrono::duration<double>(half) * (static_cast<double>(chunk + 1) / static_cast<double>(chunks()));
    const std::chrono::duration<double> spent = now - submitted_at;
    if (spent < share) {
        return chunk_stage::executing;
    }
    return spent < half + share ? chunk_stage::proving : chunk_stage::verified;
}

std::uint64_t job_record::memory() const noexcept {
    return record_bytes + texts.memory() + chunks() * sizeof(digest);
}

void job_store::forget(const std::string& id) {
    const auto found = jobs_.find(id);
    if (found != jobs_.end()) {
        bytes_ -= found->second.bytes;
        receipts_.erase(found->second.record->receipt_id);
        jobs_.erase(found);
    }
}

bool job_store::make_room(std::uint64_t bytes, monotonic_time now) {
    const auto fits = [&] { return bytes <= bytes_max_ && bytes_ <= bytes_max_ - bytes; };
    while (!fits() && !delivered_.empty()) {
        forget(delivered_.front());
        delivered_.pop_front();
    }
    while (!by_age_.empty()) {
        const auto oldest = jobs_.find(by_age_.front());
        if (oldest != jobs_.end()) {
            const bool stale = now - oldest->second.record->settles_at > undelivered_kept;
            if (fits() || !stale) {
                break;
            }
            forget(by_age_.front());
        }
        by_age_.pop_front();
    }
    return fits();
}

job_record& job_store::add(std::unique_ptr<job_record> job) {
    job_record& record = *job;
    by_age_.push_back(record.id);
    receipts_.emplace(record.receipt_id, &record);
    kept_job kept;
    kept.bytes = record.memory();
    kept.record = std::move(job);
    bytes_ += kept.bytes;
    jobs_.emplace(record.id, std::move(kept));
    return record;
}

job_record* job_store::find(std::string_view id) {
    const auto found = jobs_.find(id);
    return found == jobs_.end() ? nullptr : found->second.record.get();
}

job_record* job_store::find_receipt(std::string_view receipt_id) {
    const auto found = receipts_.find(receipt_id);
    return found == receipts_.end() ? nullptr : found->second;
}

void job_store::delivered(job_record& job) {
    const auto found = jobs_.find(job.id);
    if (found != jobs_.end() && !found->second.delivered) {
        found->second.delivered = true;
        delivered_.push_back(job.id);
    }
}

}  // namespace vembed::service
