#include "bulk/batch_reader.hpp"

#include <algorithm>
#include <utility>

#include "policy/input_rules.hpp"

namespace vembed::bulk {
namespace {

std::string name_of(std::uint64_t index, const source_row& row) {
    return row.origin.empty() ? "row " + std::to_string(index) : row.origin;
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
    part.refunds = whole.refunds;
    return part;
}

void settled_rows::add(const row_ranges& rows) {
    ranges_.insert(ranges_.end(), rows.begin(), rows.end());
    sorted_ = false;
}

bool settled_rows::pass(std::uint64_t row) {
    if (!sorted_) {
        std::sort(ranges_.begin(), ranges_.end());
        sorted_ = true;
    }
    while (next_ < ranges_.size() && ranges_[next_].second <= row) {
        ++next_;
    }
    return next_ < ranges_.size() && ranges_[next_].first <= row;
}

void batch_reader::building::add(std::uint64_t index, source_row row) {
    bytes += row.text.size();
    texts.push_back(std::exchange(row.text, {}));
    made.indices.push_back(index);
    made.rows.push_back(std::move(row));
}

batch batch_reader::building::finish() {
    batch whole = std::move(made);
    whole.texts = std::make_shared<const std::vector<std::string>>(std::move(texts));
    *this = building();
    return whole;
}

batch_reader::batch_reader(row_source* source, row_sink* sink, run_journal* journal, error_policy on_error)
    : source_(source), sink_(sink), journal_(journal), on_error_(on_error) {}

void batch_reader::skip_failed(const std::vector<std::uint64_t>& rows) {
    row_ranges single;
    for (const std::uint64_t row : rows) {
        single.emplace_back(row, row + 1);
    }
    failed_.add(single);
}

void batch_reader::take_up(const journalled_batch& accepted) {
    building& waiting = taken_up_[accepted.batch];
    waiting.made.number = accepted.batch;
    waiting.made.job_id = accepted.job_id;
    for (const auto& [first, last] : accepted.rows) {
        waiting.rows_wanted += last - first;
        taken_up_rows_[first] = std::pair(last, accepted.batch);
    }
}

result<void> batch_reader::fail(const std::vector<failed_row>& rows) {
    for (const failed_row& row : rows) {
        if (auto told = sink_->fail(row); !told) {
            return told;
        }
    }
    counts_.rows_failed += rows.size();
    if (journal_ == nullptr) {
        return {};
    }
    if (auto flushed = sink_->flush(); !flushed) {
        return flushed;
    }
    for (const failed_row& row : rows) {
        if (auto told = journal_->fail_row(row.index); !told) {
            return told;
        }
    }
    return {};
}

// Whether the row cannot be sent; it has then been failed.
result<bool> batch_reader::refuse(std::uint64_t index, source_row& row) {
    std::string why;
    if (!row.defect.empty()) {
        why = name_of(index, row) + ": " + row.defect;
    } else if (const std::optional<std::string> refused = policy::why_refused(row.text); refused) {
        why = name_of(index, row) + ": the text " + *refused;
    } else {
        return false;
    }
    std::vector<failed_row> failed(1);
    failed[0].index = index;
    failed[0].reason = failure(errc::bad_input, std::move(why));
    if (on_error_ == error_policy::stop) {
        return failed[0].reason;
    }
    failed[0].row = std::move(row);
    if (auto told = fail(failed); !told) {
        return told.error();
    }
    return true;
}

batch_reader::building* batch_reader::taken_up_by(std::uint64_t index) {
    const auto after = taken_up_rows_.upper_bound(index);
    const bool found = after != taken_up_rows_.begin() && std::prev(after)->second.first > index;
    return found ? &taken_up_[std::prev(after)->second.second] : nullptr;
}

// A job whose rows are not all there would be lost in silence.
result<void> batch_reader::check_taken_up() const {
    for (const auto& [number, waiting] : taken_up_) {
        if (waiting.rows_wanted > 0) {
            return failure(errc::folder_mismatch, "the corpus ends after " + std::to_string(counts_.rows_read) +
                                                      " rows, before the last row of a job of an earlier run: it is "
                                                      "not the corpus that the run began with");
        }
    }
    return {};
}

// Puts a row where it belongs; a batch that is thereby complete is returned.
result<std::optional<batch>> batch_reader::place(std::uint64_t index, source_row row, const batch_limits& limits) {
    // Before the failed rows: a process that died while it gave a job's rows up has that job judged again, whole.
    if (building* const waiting = taken_up_by(index); waiting != nullptr) {
        waiting->add(index, std::move(row));
        if (waiting->made.indices.size() < waiting->rows_wanted) {
            return std::optional<batch>();
        }
        return std::optional<batch>(waiting->finish());
    }
    if (failed_.pass(index)) {
        ++counts_.rows_failed;
        return std::optional<batch>();
    }
    if (parked_.pass(index)) {
        return std::optional<batch>();
    }
    const result<bool> refused = refuse(index, row);
    if (!refused) {
        return refused.error();
    }
    if (*refused) {
        return std::optional<batch>();
    }
    std::optional<batch> full;
    if (!current_.texts.empty() && current_.bytes + row.text.size() > limits.bytes) {
        full = current_.finish();
    }
    current_.add(index, std::move(row));
    if (!full && current_.texts.size() >= limits.rows) {
        full = current_.finish();
    }
    return full;
}

result<std::optional<batch>> batch_reader::next(const batch_limits& limits) {
    // A row that did not fit may already fill a batch of its own.
    if (!current_.texts.empty() && current_.texts.size() >= limits.rows) {
        return std::optional<batch>(current_.finish());
    }
    while (!counts_.ended) {
        result<std::optional<source_row>> read = source_->next();
        if (!read) {
            return read.error();
        }
        if (!*read) {
            counts_.ended = true;
            if (auto whole = check_taken_up(); !whole) {
                return whole.error();
            }
            break;
        }
        const std::uint64_t index = counts_.rows_read++;
        if (auto told = sink_->describe(index, **read); !told) {
            return told.error();
        }
        if (done_.pass(index)) {
            ++counts_.rows_done_before;
            continue;
        }
        result<std::optional<batch>> placed = place(index, std::move(**read), limits);
        if (!placed || *placed) {
            return placed;
        }
    }
    if (!current_.texts.empty()) {
        return std::optional<batch>(current_.finish());
    }
    return std::optional<batch>();
}

}  // namespace vembed::bulk
