#include "bulk/batches/batch.hpp"

#include <iterator>

namespace vembed::bulk {
namespace {

batch made_of(std::deque<row_in_hand>& rows, std::size_t count) {
    batch made;
    std::vector<std::string> texts;
    texts.reserve(count);
    made.indices.reserve(count);
    made.rows.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        row_in_hand& next = rows.front();
        texts.push_back(std::exchange(next.row.text, {}));
        made.indices.push_back(next.index);
        made.rows.push_back(std::move(next.row));
        if (next.key) {
            made.keys.push_back(*next.key);
        }
        rows.pop_front();
    }
    made.texts = std::make_shared<const std::vector<std::string>>(std::move(texts));
    return made;
}

}  // namespace

batch part_of(const batch& whole, std::size_t first, std::size_t last) {
    batch part;
    const auto from = static_cast<std::ptrdiff_t>(first);
    const auto to = static_cast<std::ptrdiff_t>(last);
    part.indices.assign(whole.indices.begin() + from, whole.indices.begin() + to);
    part.rows.assign(whole.rows.begin() + from, whole.rows.begin() + to);
    part.texts =
        std::make_shared<const std::vector<std::string>>(whole.texts->begin() + from, whole.texts->begin() + to);
    if (!whole.keys.empty()) {
        part.keys.assign(whole.keys.begin() + from, whole.keys.begin() + to);
    }
    part.refunds = whole.refunds;
    part.narrowing = whole.narrowing;
    return part;
}

std::vector<failed_row> failed_rows_of(const batch& whole, std::size_t first, std::size_t last, const error& why) {
    std::vector<failed_row> rows(last - first);
    for (std::size_t i = first; i < last; ++i) {
        failed_row& row = rows[i - first];
        row.index = whole.indices[i];
        row.row = whole.rows[i];
        row.row.text = (*whole.texts)[i];
        row.reason = why;
    }
    return rows;
}

void packer::add(row_in_hand row) {
    sizes_.push_back(row.row.text.size());
    pending_.push_back(std::move(row));
}

std::optional<batch> packer::take(const policy::packing_limits& limits, bool ended) {
    const std::size_t count = policy::rows_to_take(sizes_, limits, ended);
    if (count == 0) {
        return std::nullopt;
    }
    sizes_.erase(sizes_.begin(), sizes_.begin() + static_cast<std::ptrdiff_t>(count));
    return made_of(pending_, count);
}

void job_gatherer::expect(const journalled_batch& accepted) {
    gathered& job = waiting_[accepted.batch];
    job.job = accepted;
    for (const auto& [first, last] : accepted.rows) {
        job.rows_missing += last - first;
        ranges_[first] = std::pair(last, accepted.batch);
    }
}

bool job_gatherer::wants(std::uint64_t index) const {
    const auto after = ranges_.upper_bound(index);
    return after != ranges_.begin() && std::prev(after)->second.first > index;
}

void job_gatherer::add(row_in_hand row) {
    const auto range = std::prev(ranges_.upper_bound(row.index));
    const auto found = waiting_.find(range->second.second);
    if (row.index + 1 == range->second.first) {
        ranges_.erase(range);
    }
    gathered& job = found->second;
    job.rows.push_back(std::move(row));
    if (--job.rows_missing > 0) {
        return;
    }
    batch whole = made_of(job.rows, job.rows.size());
    whole.number = job.job.batch;
    whole.job_id = std::move(job.job.job_id);
    whole.chunks = job.job.chunks;
    whole.taken_up_of = job.job.intended_at;
    complete_.push_back(std::move(whole));
    waiting_.erase(found);
}

std::optional<batch> job_gatherer::take() {
    if (complete_.empty()) {
        return std::nullopt;
    }
    batch next = std::move(complete_.front());
    complete_.pop_front();
    return next;
}

}  // namespace vembed::bulk
