#include "bulk/batches/batch_reader.hpp"

#include <utility>

#include "policy/input/input_rules.hpp"

namespace vembed::bulk {
namespace {

// Rows are read, looked up and failed in blocks; long texts end a block early.
constexpr std::size_t block_rows = 256;
constexpr std::uint64_t block_bytes_max = 1 << 20;

std::string name_of(std::uint64_t index, const source_row& row) {
    const std::string place = row.origin.empty() ? "row " + std::to_string(index) : row.origin;
    return row.defect.empty() || row.id.empty() ? place : place + ", id \"" + row.id + "\"";
}

std::optional<std::string> why_refused(std::uint64_t index, const source_row& row) {
    if (!row.defect.empty()) {
        return name_of(index, row) + ": " + row.defect;
    }
    const std::optional<std::string> refused = policy::why_refused(row.text);
    return refused ? std::optional(name_of(index, row) + ": the text " + *refused) : std::nullopt;
}

}  // namespace

result<void> batch_reader::give_up(const std::vector<failed_row>& rows) {
    for (const failed_row& row : rows) {
        if (auto told = parts_.sink->fail(row); !told) {
            return told;
        }
        failed_.add(row.index);
        ++(row.row.blank ? counts_.rows_blank : counts_.rows_failed);
    }
    return {};
}

// Fails rows that the reader met itself: it tells the sink and, once that is durable, the journal.
result<void> batch_reader::fail(const std::vector<failed_row>& rows) {
    if (auto told = give_up(rows); !told || rows.empty() || parts_.journal == nullptr) {
        return told;
    }
    if (auto flushed = parts_.sink->flush(); !flushed) {
        return flushed;
    }
    std::vector<journal_change> changes;
    changes.reserve(rows.size());
    for (const failed_row& row : rows) {
        changes.push_back(journal_change::fail_row(row.index));
    }
    return parts_.journal->commit(changes);
}

void batch_reader::wrote(const std::vector<std::uint64_t>& indices) {
    for (const std::uint64_t index : indices) {
        written_.add(index);
    }
}

std::uint64_t batch_reader::withdraw(const std::vector<std::uint64_t>& indices) {
    std::uint64_t counted = 0;
    for (const std::uint64_t index : indices) {
        written_.remove(index);
        if (index < counts_.rows_read) {
            ++counted;
        } else {
            parked_.add(index);
        }
    }
    return counted;
}

// Whether an earlier process settled the row, or left it in a job that is still in flight.
bool batch_reader::was_taken(row_in_hand& row) {
    if (written_.contains(row.index)) {
        ++counts_.rows_done_before;
        return true;
    }
    if (jobs_.wants(row.index)) {
        jobs_.add(std::move(row));
        return true;
    }
    if (failed_.contains(row.index)) {
        ++(row.row.blank ? counts_.rows_blank : counts_.rows_failed);
        return true;
    }
    return parked_.contains(row.index);
}

result<void> batch_reader::copy(std::uint64_t from, std::uint64_t to) {
    if (auto copied = parts_.sink->copy(from, to); !copied) {
        return copied;
    }
    written_.add(to);
    ++counts_.rows_copied;
    return {};
}

// `original`: the first row with this row's text.
result<void> batch_reader::take_duplicate(const row_in_hand& row, std::uint64_t original) {
    ++counts_.rows_duplicate;
    return written_.contains(original) ? copy(original, row.index) : duplicates_->defer(row.index, original, row.row);
}

result<void> batch_reader::refuse(row_in_hand row, std::string why, block& into) {
    failed_row failed;
    failed.index = row.index;
    failed.reason = error(errc::bad_input, std::move(why));
    if (parts_.on_error == error_policy::stop && !row.row.blank) {
        return failed.reason;
    }
    failed.row = std::move(row.row);
    into.refused.push_back(std::move(failed));
    return {};
}

result<void> batch_reader::take_in(row_in_hand row, block& into) {
    if (auto told = parts_.sink->declare_row(row.index, row.row); !told) {
        return told;
    }
    into.bytes += row.row.text.size() + row.row.raw.size();
    std::optional<std::string> refused = why_refused(row.index, row.row);
    std::optional<std::uint64_t> original;
    if (!refused && (duplicates_ || parts_.saved != nullptr)) {
        row.key = sha256_of(row.row.text);
    }
    if (row.key && duplicates_) {
        // Settled rows are added too: later rows may have their texts.
        auto found = duplicates_->find_or_add(*row.key, row.index);
        if (!found) {
            return found.error();
        }
        original = *found;
    }
    if (was_taken(row)) {
        return {};
    }
    if (refused) {
        return refuse(std::move(row), std::move(*refused), into);
    }
    if (original) {
        return take_duplicate(row, *original);
    }
    into.to_buy.push_back(std::move(row));
    return {};
}

result<void> batch_reader::serve_saved(block& of) {
    if (parts_.saved == nullptr || of.to_buy.empty()) {
        return {};
    }
    auto served = parts_.saved->serve(of.to_buy, *parts_.sink);
    if (!served) {
        return served.error();
    }
    wrote(*served);
    counts_.rows_cached += served->size();
    counts_.cache_trouble = parts_.saved->trouble();
    if (!served->empty()) {
        counts_.spec_hash_of_cached = parts_.saved->scope().spec_hash();
        counts_.dimensions_of_cached = parts_.saved->scope().dimensions();
    }
    return {};
}

result<void> batch_reader::read_block() {
    block taken;
    for (std::size_t i = 0; i < block_rows && taken.bytes < block_bytes_max && !is_hungry(); ++i) {
        result<std::optional<source_row>> read = parts_.source->next();
        if (!read) {
            return read.error();
        }
        if (!*read) {
            counts_.ended = true;
            break;
        }
        row_in_hand row;
        row.index = counts_.rows_read++;
        row.row = std::move(**read);
        if (auto in = take_in(std::move(row), taken); !in) {
            return in;
        }
    }
    if (auto served = serve_saved(taken); !served) {
        return served;
    }
    for (row_in_hand& row : taken.to_buy) {
        packer_.add(std::move(row));
    }
    return fail(taken.refused);
}

result<std::optional<batch>> batch_reader::next(const policy::packing_limits& limits) {
    for (;;) {
        if (std::optional<batch> job = jobs_.take()) {
            return job;
        }
        if (std::optional<batch> packed = packer_.take(limits, counts_.ended)) {
            return packed;
        }
        if (counts_.ended) {
            break;
        }
        if (is_hungry()) {
            return std::optional<batch>();
        }
        if (auto read = read_block(); !read) {
            return read.error();
        }
    }
    if (jobs_.waits()) {
        // A job without all of its rows would be lost in silence.
        return error(errc::folder_mismatch,
                     "the corpus ends after " + std::to_string(counts_.rows_read) +
                         " rows, before the last row of a job of an earlier run: it is not the corpus that the run "
                         "began with");
    }
    return std::optional<batch>();
}

result<failed_row> batch_reader::failed_like(const reuse::deferred_row& waiting) {
    auto described = duplicates_->describe(waiting);
    if (!described) {
        return described.error();
    }
    failed_row failed;
    failed.index = waiting.row;
    failed.row = std::move(*described);
    failed.reason = error(errc::bad_input, name_of(waiting.row, failed.row) + ": the text is that of row " +
                                               std::to_string(waiting.original) + ", which failed");
    return failed;
}

result<bool> batch_reader::settle_duplicates(std::size_t most) {
    if (!duplicates_) {
        return false;
    }
    auto waiting = duplicates_->deferred_from(next_waiting_, most);
    if (!waiting) {
        return waiting.error();
    }
    std::vector<failed_row> failed;
    for (const reuse::deferred_row& duplicate : *waiting) {
        next_waiting_ = duplicate.row + 1;
        if (written_.contains(duplicate.original)) {
            if (auto copied = copy(duplicate.original, duplicate.row); !copied) {
                return copied.error();
            }
        } else if (failed_.contains(duplicate.original)) {
            auto like = failed_like(duplicate);
            if (!like) {
                return like.error();
            }
            failed.push_back(std::move(*like));
        }
    }
    if (auto told = fail(failed); !told) {
        return told.error();
    }
    return !waiting->empty();
}

}  // namespace vembed::bulk
