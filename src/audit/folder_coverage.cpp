#include "audit/folder_coverage.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "folder/layout.hpp"
#include "folder/read/folder_lines.hpp"
#include "folder/read/reused_rows.hpp"
#include "text/json/json_fields.hpp"

namespace vembed::audit {
namespace {

constexpr const char* bought_elsewhere = "another run bought them; its folder has their receipts";
constexpr const char* changed_alone = "its bytes do not have the hash in rows.sha256";

/// A file that cannot be understood is a finding; a file that cannot be read is an error.
result<void> as_finding(result<void> read, check_tally& to) {
    if (read || (read.error().kind != errc::verification_failed && read.error().kind != errc::bad_input)) {
        return read;
    }
    to.fail(read.error().message);
    return {};
}

}  // namespace

folder_coverage::folder_coverage(std::string folder, folder_rows& rows, folder::digest_records* texts,
                                 std::stop_token stop)
    : folder_(std::move(folder)), rows_(&rows), texts_(texts), repeats_left_(rows.count()), stop_(std::move(stop)) {}

void folder_coverage::blame(std::uint64_t first, std::uint64_t end, std::string_view what) {
    check_finding found(rows_text(first, end) + " " + std::string(what));
    found.row = first;
    coverage.fail(std::move(found));
    coverage.failed += end - first - 1;
}

/// The end of the rows from `first` on that already belong to something. Once the function has looked at as many rows
/// as the folder has, it treats the rest as such rows: no folder that vembed writes reaches that number.
std::uint64_t folder_coverage::end_of_known(std::uint64_t first, std::uint64_t end) {
    std::uint64_t row = first;
    while (row < end && repeats_left_ > 0 && rows_->kind(row) != row_kind::unknown) {
        ++row;
        --repeats_left_;
    }
    return repeats_left_ > 0 ? row : end;
}

/// Gives the job those of its rows that belong to nothing yet, and returns them; calls `shared` with the other rows.
row_ranges folder_coverage::claim(const folder::proven_job& job,
                                  const std::function<void(row_ranges::value_type)>& shared) {
    row_ranges own;
    for (const auto& [first, end] : job.rows) {
        const std::uint64_t inside = std::min(end, std::max(first, rows_->count()));
        for (std::uint64_t row = first; row < inside;) {
            std::uint64_t last = row;
            while (last < inside && rows_->kind(last) == row_kind::unknown) {
                rows_->set_kind(last++, row_kind::bought);
            }
            if (last > row) {
                own.emplace_back(row, last);
            }
            row = last < inside ? end_of_known(last, inside) : last;
            if (row > last) {
                shared({last, row});
            }
        }
        if (inside < end && rows_->complete()) {
            shared({inside, end});
        }
    }
    return own;
}

bool folder_coverage::expect_job(const folder::proven_job& job) {
    bool all = true;
    (void)claim(job, [&all](row_ranges::value_type) { all = false; });
    return all;
}

void folder_coverage::begin() {
    rows_->forget_kinds();
    repeats_left_ = rows_->count();
}

result<bool> folder_coverage::cover_job(const folder::proven_job& job) {
    bool all = true;
    const row_ranges own = claim(job, [&](row_ranges::value_type rows) {
        all = false;
        const auto [first, end] = rows;
        if (first < rows_->count()) {
            blame(first, end, "of job " + job.job_id + " belong to another job of receipts.jsonl too");
        } else {
            coverage.fail(rows_text(first, end) + " of job " + job.job_id + " are beyond the last row");
        }
    });
    for (const auto& [first, end] : own) {
        rows_in_receipts += end - first;
        if (all) {
            continue;
        }
        if (auto checked = check_alone(first, end, "of job " + job.job_id); !checked) {
            return checked.error();
        }
    }
    return all;
}

result<void> folder_coverage::check_alone(std::uint64_t first, std::uint64_t end, std::string_view where, bool failed) {
    std::vector<std::uint64_t> changed;
    const std::uint64_t there = rows_->there(first, end);
    auto checked = rows_->read_and_check(first, first + there, changed, failed);
    rows_->report_missing(first + there, end);
    for (const std::uint64_t row : changed) {
        rows_->report_changed(check_finding(" (" + std::string(where) + ")"), row, changed_alone);
    }
    return checked;
}

result<void> folder_coverage::check_failed_line(std::string_view line, std::uint64_t number) {
    const auto object = text::object_of(line);
    const auto named = object ? text::number_of(*object, "row") : std::nullopt;
    if (!named) {
        coverage.fail("failed.jsonl:" + std::to_string(number) + " names no row");
        return {};
    }
    ++(object->contains("blank") ? rows_blank : rows_failed);
    rows_refused += text::text_of(*object, "error") == to_string(errc::verification_failed) ? 1 : 0;
    if (*named >= rows_->count()) {
        if (rows_->complete()) {
            coverage.fail("failed.jsonl names row " + std::to_string(*named) + ", beyond the last row");
        }
        return {};
    }
    if (rows_->kind(*named) != row_kind::unknown) {
        blame(*named, *named + 1, "failed and belongs to a job too, or failed twice");
        return {};
    }
    rows_->set_kind(*named, row_kind::failed);
    return check_alone(*named, *named + 1, "failed", true);
}

result<void> folder_coverage::check_failed() {
    return as_finding(folder::for_each_line(folder::layout::in(folder_, folder::layout::failed),
                                            [this](std::string_view line, std::uint64_t number) {
                                                return check_failed_line(line, number);
                                            }),
                      coverage);
}

result<void> folder_coverage::check_reused() {
    auto read =
        as_finding(folder::for_each_cached_range(
                       folder_, [this](std::uint64_t first, std::uint64_t end) { return check_cached(first, end); }),
                   coverage);
    if (!read) {
        return read;
    }
    return as_finding(
        folder::for_each_copied_row(
            folder_, [this](std::uint64_t row, std::uint64_t same_as) { return check_copy(row, same_as); }),
        coverage);
}

result<void> folder_coverage::check_cached(std::uint64_t first, std::uint64_t end) {
    if (stop_.stop_requested()) {
        return error(errc::cancelled, "interrupted");
    }
    if (end > rows_->count()) {
        if (rows_->complete()) {
            coverage.fail("cached.jsonl names " + rows_text(first, end) + ", beyond the last row");
        }
        return {};
    }
    for (std::uint64_t row = first; row < end;) {
        std::uint64_t last = row;
        while (last < end && rows_->kind(last) == row_kind::unknown) {
            rows_->set_kind(last++, row_kind::cached);
        }
        if (last > row) {
            rows_cached += last - row;
            cached.leave(bought_elsewhere, last - row);
            if (auto checked = check_alone(row, last, "from the cache"); !checked) {
                return checked;
            }
        }
        row = last;
        // A row that a job of this folder bought too is covered by that job's receipt.
        while (row < end && repeats_left_ > 0 && rows_->kind(row) == row_kind::bought) {
            ++row;
            --repeats_left_;
        }
        last =
            row < end && (repeats_left_ == 0 || rows_->kind(row) != row_kind::unknown) ? end_of_known(row, end) : row;
        if (last > row) {
            blame(row, last, "is listed in cached.jsonl, and as something else too, or twice");
        }
        row = last;
    }
    return {};
}

/// Each row has the hash of its text, so the copy is of the right row if the two hashes agree.
result<void> folder_coverage::compare_texts(std::uint64_t row, std::uint64_t same_as) {
    std::vector<digest> texts;
    for (const std::uint64_t each : {row, same_as}) {
        const auto record = texts_->read(each, 1);
        if (!record) {
            return record.error();
        }
        if (record->size() == folder::text_digests_bytes) {
            texts.push_back(folder::digest_at(*record));
        }
    }
    if (texts.size() == 2 && texts.front() != texts.back() && rows_->complete()) {
        blame(row, row + 1, "is listed as a copy of row " + std::to_string(same_as) + ", which has another text");
    }
    return {};
}

result<void> folder_coverage::check_copy(std::uint64_t row, std::uint64_t same_as) {
    if (!rows_->complete()) {
        return {};
    }
    if (std::max(row, same_as) >= rows_->count()) {
        coverage.fail("duplicates.jsonl names row " + std::to_string(row) + " as a copy of row " +
                      std::to_string(same_as) + ", beyond the last row");
        return {};
    }
    const row_kind original = rows_->kind(same_as);
    if (rows_->kind(row) == row_kind::bought) {
        return {};
    }
    if (rows_->kind(row) != row_kind::unknown) {
        blame(row, row + 1, "is listed as a copy, and as something else too");
        return {};
    }
    if (row == same_as || (original != row_kind::bought && original != row_kind::cached)) {
        blame(row, row + 1, "is a copy of row " + std::to_string(same_as) + ", which comes from no job and no cache");
        return {};
    }
    rows_->set_kind(row, row_kind::copied);
    ++rows_copied;
    rows_copied_from_cached += original == row_kind::cached ? 1 : 0;
    if (auto checked = check_alone(row, row + 1, "a copy of row " + std::to_string(same_as)); !checked) {
        return checked;
    }
    if (texts_ != nullptr) {
        if (auto compared = compare_texts(row, same_as); !compared) {
            return compared;
        }
    }
    const bool both = rows_->there(row, row + 1) == 1 && rows_->there(same_as, same_as + 1) == 1;
    return both ? rows_->compare(row, same_as) : result<void>();
}

result<void> folder_coverage::finish() {
    if (!rows_->complete()) {
        coverage.leave("the run is unfinished", std::max<std::uint64_t>(rows_->count(), 1));
        return {};
    }
    for (std::uint64_t row = 0; row < rows_->count();) {
        std::uint64_t end = row;
        while (end < rows_->count() && rows_->kind(end) != row_kind::unknown) {
            ++end;
        }
        coverage.pass(end - row);
        row = end;
        while (end < rows_->count() && rows_->kind(end) == row_kind::unknown) {
            ++end;
        }
        if (end > row) {
            blame(row, end,
                  "belong to no job of receipts.jsonl, are no copies, came from no cache and have not failed");
            if (auto checked = check_alone(row, end, "of no job"); !checked) {
                return checked;
            }
        }
        row = end;
    }
    return {};
}

}  // namespace vembed::audit
