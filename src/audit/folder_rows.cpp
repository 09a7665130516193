#include "audit/folder_rows.hpp"

#include <algorithm>
#include <cmath>

#include <vembed/verify/output_check.hpp>
#include <vembed/verify/row_root.hpp>

namespace vembed::audit {
namespace {

constexpr digest no_digest{};

}  // namespace

std::string rows_text(std::uint64_t first, std::uint64_t end) {
    return end - first == 1 ? "row " + std::to_string(first)
                            : "rows " + std::to_string(first) + "-" + std::to_string(end - 1);
}

folder_rows::folder_rows(folder::embedding_file embeddings, folder::digest_records* recorded_hashes, std::uint64_t rows,
                         bool skip, std::stop_token stop)
    : embeddings_(std::move(embeddings)),
      recorded_(recorded_hashes),
      skip_(skip),
      kinds_(rows, row_kind::unknown),
      stop_(std::move(stop)) {}

std::uint64_t folder_rows::there(std::uint64_t first, std::uint64_t end) const noexcept {
    const std::uint64_t last = std::min({end, embeddings_.rows_there(), count()});
    return last > first ? last - first : 0;
}

void folder_rows::report_missing(std::uint64_t first, std::uint64_t end) {
    const std::uint64_t last = std::min(end, count());
    if (first >= last) {
        return;
    }
    if (!complete()) {
        hashes.leave(not_written_yet, last - first);
        return;
    }
    check_finding found(rows_text(first, last) + ": not in embeddings.npy");
    found.row = first;
    hashes.fail(std::move(found));
    hashes.failed += last - first - 1;
}

result<void> folder_rows::hash(std::uint64_t first, std::uint64_t end, sha256& into) {
    return embeddings_.read_rows(first, end, [&into](std::span<const float> rows) -> result<void> {
        into.update(std::as_bytes(rows));
        return {};
    });
}

void folder_rows::check_values(std::uint64_t first, std::span<const float> rows) {
    const std::uint64_t width = dimensions();
    const std::uint64_t count = rows.size() / width;
    if (check_rows(rows, count, width)) {
        values.pass(count);
        return;
    }
    for (std::uint64_t i = 0; i < count; ++i) {
        if (check_rows(rows.subspan(i * width, width), 1, width)) {
            values.pass();
        } else if (!complete()) {
            values.leave(not_written_yet);
        } else {
            check_finding found("row " + std::to_string(first + i) + " is all zero, or holds what is not a number");
            found.row = first + i;
            values.fail(std::move(found));
        }
    }
}

void folder_rows::check_failed(std::uint64_t first, std::span<const float> rows) {
    const std::uint64_t width = dimensions();
    for (std::uint64_t i = 0; i < rows.size() / width; ++i) {
        const auto row = rows.subspan(i * width, width);
        if (std::all_of(row.begin(), row.end(), [](float value) { return std::isnan(value); })) {
            failed_rows.pass();
        } else if (!complete()) {
            failed_rows.leave(not_written_yet);
        } else {
            check_finding found("row " + std::to_string(first + i) +
                                " failed or is of a blank line, yet holds numbers");
            found.row = first + i;
            failed_rows.fail(std::move(found));
        }
    }
}

result<void> folder_rows::check_hashes(std::uint64_t first, std::span<const float> rows,
                                       std::vector<std::uint64_t>& changed) {
    const std::uint64_t width = dimensions();
    const std::uint64_t count = rows.size() / width;
    if (recorded_ == nullptr || skip_) {
        hashes.leave(skip_ ? rows_skipped : "the folder has no rows.sha256: an earlier version of vembed wrote it",
                     count);
        return {};
    }
    const auto recorded = recorded_->read(first, count);
    if (!recorded) {
        return recorded.error();
    }
    hashes_.resize(count);
    hash_rows(rows, hashes_);
    const std::uint64_t known = recorded->size() / folder::row_digest_bytes;
    for (std::uint64_t i = 0; i < count; ++i) {
        const digest wanted =
            i < known ? folder::digest_at(recorded->subspan(i * folder::row_digest_bytes)) : no_digest;
        if (hashes_[i] == wanted) {
            hashes.pass();
        } else if (!complete()) {
            hashes.leave(not_written_yet);
        } else {
            changed.push_back(first + i);
        }
    }
    return {};
}

result<std::span<const float>> folder_rows::read(std::uint64_t first, std::uint64_t end, std::vector<float>& into) {
    return embeddings_.read_block(first, end, into);
}

result<void> folder_rows::check(std::uint64_t first, std::span<const float> rows, std::vector<std::uint64_t>& changed,
                                bool failed) {
    if (stop_.stop_requested()) {
        return error(errc::cancelled, "interrupted");
    }
    if (rows.empty()) {
        return {};
    }
    if (failed) {
        check_failed(first, rows);
    } else {
        check_values(first, rows);
    }
    return check_hashes(first, rows, changed);
}

result<void> folder_rows::read_and_check(std::uint64_t first, std::uint64_t end, std::vector<std::uint64_t>& changed,
                                         bool failed) {
    return embeddings_.read_rows(first, end, [&](std::span<const float> rows) -> result<void> {
        auto checked = check(first, rows, changed, failed);
        first += rows_a_block();
        return checked;
    });
}

void folder_rows::report_changed(check_finding where, std::uint64_t row, std::string_view why) {
    where.row = row;
    where.what = "row " + std::to_string(row) + where.what + ": ";
    where.what += why;
    hashes.fail(std::move(where));
}

result<void> folder_rows::compare(std::uint64_t row, std::uint64_t same_as) {
    const auto keep = [this](std::span<const float> row_values) -> result<void> {
        original_.assign(row_values.begin(), row_values.end());
        return {};
    };
    if (auto read = embeddings_.read_rows(same_as, same_as + 1, keep); !read) {
        return read;
    }
    return embeddings_.read_rows(row, row + 1, [&](std::span<const float> copy) -> result<void> {
        const auto bytes = std::as_bytes(copy);
        const auto expected = std::as_bytes(std::span<const float>(original_));
        if (std::equal(bytes.begin(), bytes.end(), expected.begin(), expected.end())) {
            copies.pass();
            return {};
        }
        check_finding found("row " + std::to_string(row) + " has other values than row " + std::to_string(same_as) +
                            ", of which it is a copy");
        found.row = row;
        copies.fail(std::move(found));
        return {};
    });
}

}  // namespace vembed::audit
