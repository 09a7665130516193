#include "folder/write/npy_writer.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include <vembed/verify/sha256.hpp>

#include "core/row_ranges.hpp"
#include "folder/layout.hpp"
#include "folder/output_space.hpp"
#include "folder/write/failed_line.hpp"
#include "folder/write/output_lines.hpp"
#include "text/json/json_text.hpp"

namespace vembed::folder {
namespace {

constexpr std::size_t ids_buffer_bytes = 256 * 1024;
constexpr std::size_t reused_buffer_bytes = 64 * 1024;
// A row may fail before its line reaches ids.jsonl, but a corpus is not read further ahead than this.
constexpr std::uint64_t most_rows_unknown = std::uint64_t{1} << 24;

error misuse(std::string what) {
    return {errc::invalid_argument, "npy_sink: " + std::move(what)};
}

error mismatch(std::string what) {
    return {errc::folder_mismatch, std::move(what)};
}

}  // namespace

npy_writer::npy_writer(std::string folder, storage::file_ops& ops)
    : ops_(&ops),
      folder_(folder.empty() ? "." : std::move(folder)),
      ids_(ops, layout::in(folder_, layout::ids), ids_buffer_bytes),
      receipts_(ops, layout::in(folder_, layout::receipts), 0),
      failed_(ops, layout::in(folder_, layout::failed), 0),
      copies_(ops, layout::in(folder_, layout::copies), reused_buffer_bytes),
      cached_(ops, layout::in(folder_, layout::cached), reused_buffer_bytes),
      npy_(ops, folder_),
      hashes_(ops, folder_) {}

// This does not call open_once(), so that nothing is created if there is not enough space.
result<void> npy_writer::reserve(std::uint64_t rows, std::uint64_t dimensions) const {
    const npy_shape shape(rows, dimensions);
    const auto seen = look_at_space(*ops_, folder_, shape);
    if (!seen) {
        return seen.error();
    }
    return lacks_space(*seen) ? no_space(*seen, folder_, shape) : result<void>();
}

result<void> npy_writer::open_once() {
    if (opened_) {
        return {};
    }
    if (auto made = storage::make_folder(*ops_, folder_); !made) {
        return made;
    }
    if (auto ids = open_ids(); !ids) {
        return ids;
    }
    if (auto receipts = open_receipts(); !receipts) {
        return receipts;
    }
    if (auto failed = open_failed(); !failed) {
        return failed;
    }
    if (auto npy = npy_.open(); !npy) {
        return npy;
    }
    if (auto reused = open_reused(); !reused) {
        return reused;
    }
    if (auto hashes = hashes_.open(npy_.completed().has_value()); !hashes) {
        return hashes;
    }
    auto synced = storage::sync_folder(*ops_, folder_);
    opened_ = synced.has_value();
    return synced;
}

result<void> npy_writer::open_ids() {
    // The lock is taken before any repair, because a repair would tear lines that another process is writing. The file
    // itself is the lock, since it is never replaced.
    lock_ = storage::file_lock();
    auto locked = storage::file_lock::acquire(ids_.path(), folder_);
    if (!locked) {
        return locked.error();
    }
    lock_ = std::move(*locked);
    declared_ = 0;
    auto opened = ids_.open([this](std::string_view line, std::uint64_t number) {
        const bool good = leading_number(line, row_prefix) == number;
        declared_ += good ? 1 : 0;
        return good;
    });
    if (!opened) {
        return opened;
    }
    known_at_open_ = declared_;
    compared_ = 0;
    auto bytes = corpus::open_stored_bytes(ids_.path());
    if (!bytes) {
        return bytes.error();
    }
    known_ids_ = std::make_unique<corpus::line_reader>(std::move(*bytes), ids_.path(), std::uint64_t{8} << 30);
    return {};
}

result<void> npy_writer::open_receipts() {
    receipted_.clear();
    return receipts_.open([this](std::string_view line, std::uint64_t) {
        auto job = job_of_receipt_line(line);
        if (job) {
            receipted_.insert(std::move(*job));
        }
        return job.has_value();
    });
}

result<void> npy_writer::open_failed() {
    failed_before_ = core::row_set();
    std::optional<std::uint64_t> foreign;
    auto opened = failed_.open([this, &foreign](std::string_view line, std::uint64_t) {
        const auto row = leading_number(line, row_prefix);
        if (row && *row >= known_at_open_ + most_rows_unknown) {
            foreign = row;
        } else if (row) {
            failed_before_.add(*row);
        }
        return row.has_value();
    });
    if (opened && foreign) {
        return mismatch(failed_.path() + " names row " + std::to_string(*foreign) + ", " + ids_.path() + " has " +
                        std::to_string(known_at_open_) + "; the folder belongs to another corpus, choose another one");
    }
    return opened;
}

// Old lines are dropped: every process finds anew which rows are copies or come from the cache.
result<void> npy_writer::open_reused() {
    if (npy_.completed()) {
        return {};
    }
    for (jsonl_file* file : {&copies_, &cached_}) {
        auto opened = file->open([](std::string_view, std::uint64_t) { return false; });
        if (!opened) {
            return opened;
        }
    }
    return {};
}

result<void> npy_writer::note_copy(std::uint64_t from, std::uint64_t to) {
    write_copy_line(line_, from, to);
    return copies_.append(line_);
}

result<void> npy_writer::note_cached(const row_batch& rows) {
    write_cached_line(line_, rows.indices);
    return cached_.append(line_);
}

result<void> npy_writer::declare_row(std::uint64_t index, const source_row& row) {
    if (auto opened = open_once(); !opened) {
        return opened;
    }
    write_id_line(line_, index, row);
    if (index >= known_at_open_) {
        return declare_new_row(index, row);
    }
    if (auto same = compare_id(index, line_); !same) {
        return same;
    }
    return hashes_.describe(index, row.text);
}

result<void> npy_writer::declare_new_row(std::uint64_t index, const source_row& row) {
    if (auto growing = check_growing(); !growing) {
        return growing;
    }
    if (index != declared_) {
        return misuse("row " + std::to_string(index) + " was declared, but row " + std::to_string(declared_) +
                      " was next");
    }
    if (auto hashed = hashes_.describe(index, row.text); !hashed) {
        return hashed;
    }
    if (auto appended = ids_.append(line_); !appended) {
        return appended;
    }
    ++declared_;
    return {};
}

// If an earlier process declared the row, it must be the same row now.
result<void> npy_writer::compare_id(std::uint64_t index, const std::string& line) {
    std::string_view known;
    while (compared_ <= index) {
        auto more = known_ids_->next(known);
        if (!more) {
            return more.error();
        }
        if (!*more) {
            return mismatch(ids_.path() + " became shorter while it was read; is another process using it?");
        }
        ++compared_;
    }
    if (compared_ != index + 1 || known.empty()) {
        return misuse("row " + std::to_string(index) + " was declared twice");
    }
    if (known != line) {
        return mismatch(ids_.path() + " says " + std::string(known.substr(0, 200)) + ", but this corpus has " +
                        line.substr(0, 200) + "; the folder belongs to another corpus, choose another one");
    }
    return {};
}

// Nothing new may be added to a finished result.
result<void> npy_writer::check_growing() const {
    if (npy_.completed()) {
        return mismatch(npy_.final_path() + " is complete already; choose another folder, or move it away");
    }
    return {};
}

result<void> npy_writer::check_batch(const row_batch& rows) const {
    if (rows.dimensions == 0 || rows.values.size() % rows.dimensions != 0 ||
        rows.values.size() / rows.dimensions != rows.indices.size()) {
        return misuse("a batch of " + std::to_string(rows.indices.size()) + " rows of " +
                      std::to_string(rows.dimensions) + " dimensions came with " + std::to_string(rows.values.size()) +
                      " values");
    }
    const auto disorder = std::adjacent_find(rows.indices.begin(), rows.indices.end(), std::greater_equal<>());
    if (disorder != rows.indices.end()) {
        return misuse("the rows of a batch are not ascending after row " + std::to_string(*disorder));
    }
    if (rows.indices.back() >= declared_) {
        return misuse("row " + std::to_string(rows.indices.back()) + " was written before it was declared");
    }
    return {};
}

result<void> npy_writer::write(const row_batch& rows) {
    if (auto opened = open_once(); !opened) {
        return opened;
    }
    if (rows.indices.empty()) {
        return {};
    }
    if (auto checked = check_batch(rows); !checked) {
        return checked;
    }
    if (npy_.completed()) {
        return check_same(rows);
    }
    // Consecutive rows are written at once.
    std::size_t begin = 0;
    while (begin < rows.indices.size()) {
        std::size_t end = begin + 1;
        while (end < rows.indices.size() && rows.indices[end] == rows.indices[end - 1] + 1) {
            ++end;
        }
        if (auto written = write_run(rows, begin, end); !written) {
            return written;
        }
        begin = end;
    }
    std::for_each(rows.indices.begin(), rows.indices.end(), [this](std::uint64_t row) { note_success(row); });
    return rows.cached ? note_cached(rows) : result<void>();
}

result<void> npy_writer::write_run(const row_batch& rows, std::size_t begin, std::size_t end) {
    const auto values = rows.values.subspan(begin * rows.dimensions, (end - begin) * rows.dimensions);
    if (auto written = npy_.write_rows(rows.indices[begin], rows.dimensions, values); !written) {
        return written;
    }
    return hashes_.write(rows.indices[begin], rows.dimensions, values);
}

// If a finished run looks up saved rows again, it may only write values that the file already has.
result<void> npy_writer::check_same(const row_batch& rows) {
    for (std::size_t i = 0; i < rows.indices.size(); ++i) {
        auto same =
            npy_.holds(rows.indices[i], rows.dimensions, rows.values.subspan(i * rows.dimensions, rows.dimensions));
        if (!same) {
            return same.error();
        }
        if (!*same) {
            return check_growing();
        }
    }
    return {};
}

void npy_writer::note_success(std::uint64_t row) {
    written_.add(row);
    if (failed_before_.contains(row)) {
        recovered_.add(row);
    }
}

bool npy_writer::has_failed(std::uint64_t row) const noexcept {
    return failed_now_.contains(row) || (failed_before_.contains(row) && !recovered_.contains(row));
}

result<void> npy_writer::check_copy(std::uint64_t from, std::uint64_t to) const {
    const std::string what = "row " + std::to_string(from) + " was to be copied to row " + std::to_string(to);
    if (std::max(from, to) >= declared_) {
        return misuse(what + " before both were declared");
    }
    // Only the journal knows which rows an earlier process wrote.
    const bool written = written_.contains(from) || npy_.continued() || npy_.completed().has_value();
    if (from == to || !written || has_failed(from)) {
        return misuse(what + ", but " + (from == to ? "that is the same row" : "it was not written"));
    }
    return {};
}

result<void> npy_writer::copy(std::uint64_t from, std::uint64_t to) {
    if (auto opened = open_once(); !opened) {
        return opened;
    }
    if (auto checked = check_copy(from, to); !checked) {
        return checked;
    }
    if (npy_.completed()) {
        auto same = npy_.same_rows(from, to);
        if (!same) {
            return same.error();
        }
        return *same ? result<void>() : check_growing();
    }
    if (auto copied = npy_.copy_row(from, to); !copied) {
        return copied;
    }
    if (auto copied = hashes_.copy(from, to); !copied) {
        return copied;
    }
    note_success(to);
    return note_copy(from, to);
}

result<void> npy_writer::write_receipt(const job_evidence& proof) {
    if (auto opened = open_once(); !opened) {
        return opened;
    }
    std::string job;
    text::append_json_string(job, proof.job_id);
    if (receipted_.contains(job)) {
        return {};
    }
    if (auto growing = check_growing(); !growing) {
        return growing;
    }
    write_receipt_line(line_, proof);
    if (auto appended = receipts_.append(line_); !appended) {
        return appended;
    }
    receipted_.insert(std::move(job));
    return {};
}

result<void> npy_writer::fail(const failed_row& row) {
    if (auto opened = open_once(); !opened) {
        return opened;
    }
    if (failed_before_.contains(row.index) || failed_now_.contains(row.index)) {
        return {};
    }
    if (row.index >= declared_) {
        return misuse("row " + std::to_string(row.index) + " failed before it was declared");
    }
    if (auto growing = check_growing(); !growing) {
        return growing;
    }
    write_failed_line(line_, row);
    if (auto appended = failed_.append(line_); !appended) {
        return appended;
    }
    failed_now_.add(row.index);
    return {};
}

// Some rows failed in an earlier process that died before its journal had them, and succeeded now.
result<void> npy_writer::drop_recovered() {
    if (recovered_.size() == 0) {
        return {};
    }
    core::row_set remaining;
    auto retained = failed_.retain([this, &remaining](std::string_view line, std::uint64_t) {
        const auto row = leading_number(line, row_prefix);
        const bool kept = row && !recovered_.contains(*row);
        if (kept && failed_before_.contains(*row)) {
            remaining.add(*row);
        }
        return kept;
    });
    if (!retained) {
        return retained;
    }
    failed_before_ = std::move(remaining);
    recovered_ = core::row_set();
    return {};
}

result<void> npy_writer::sync_lines() {
    for (jsonl_file* file : {&ids_, &receipts_, &failed_}) {
        if (auto synced = file->sync(); !synced) {
            return synced;
        }
    }
    return {};
}

result<void> npy_writer::flush() {
    if (auto opened = open_once(); !opened) {
        return opened;
    }
    if (auto synced = npy_.sync(); !synced) {
        return synced;
    }
    if (auto synced = hashes_.sync(); !synced) {
        return synced;
    }
    // Rows are synced first, because a row must not leave failed.jsonl before it is durable itself.
    if (auto dropped = drop_recovered(); !dropped) {
        return dropped;
    }
    return sync_lines();
}

result<void> npy_writer::write_blank(std::uint64_t row, const nan_row& blank) {
    auto written = hashes_.write_hash(row, blank.hash);
    return written && !blank.values.empty() ? npy_.write_rows(row, blank.values.size(), blank.values) : written;
}

// The NaN rows are read from failed.jsonl, not from memory, because an earlier process may have failed them.
result<void> npy_writer::fill_failed_rows(std::uint64_t rows) {
    const nan_row blank(npy_.dimensions());
    result<void> filled;
    auto seen = failed_.each([&](std::string_view line, std::uint64_t) {
        const auto row = leading_number(line, row_prefix);
        if (!row || *row >= rows) {
            filled = mismatch(failed_.path() + " names a row beyond the " + std::to_string(rows) +
                              " rows of this corpus; the folder belongs to another corpus, choose another one");
        } else {
            filled = write_blank(*row, blank);
        }
        return filled.has_value();
    });
    return seen ? filled : seen;
}

result<void> npy_writer::finish(std::uint64_t rows, std::uint64_t dimensions) {
    if (auto flushed = flush(); !flushed) {
        return flushed;
    }
    if (declared_ > rows) {
        return mismatch(ids_.path() + " has " + std::to_string(declared_) + " rows, this corpus " +
                        std::to_string(rows) + "; the folder belongs to another corpus, choose another one");
    }
    if (declared_ < rows) {
        return misuse("finished with " + std::to_string(rows) + " rows of which " + std::to_string(declared_) +
                      " were declared");
    }
    if (npy_.completed()) {
        return npy_.finish(rows);
    }
    const std::uint64_t failed = failed_before_.size() + failed_now_.size();
    if (!npy_.continued() && written_.size() + failed < rows) {
        return mismatch("rows of an earlier run are missing: " + npy_.partial_path() +
                        " was removed or replaced since; choose another folder");
    }
    const std::uint64_t settled = npy_.dimensions() > 0 && dimensions == 0 ? npy_.dimensions() : dimensions;
    if (auto created = npy_.settle_dimensions(settled); !created) {
        return created;
    }
    if (auto filled = fill_failed_rows(rows); !filled) {
        return filled;
    }
    for (jsonl_file* file : {&copies_, &cached_}) {
        if (auto closed = file->close(); !closed) {
            return closed;
        }
    }
    // The hashes are finished before the result gets its name, because after that the folder is only read.
    if (auto whole = hashes_.finish(rows, npy_); !whole) {
        return whole;
    }
    return npy_.finish(rows);
}

}  // namespace vembed::folder
