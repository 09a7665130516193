// npy_sink's withdrawal of written rows that may not belong to their texts.

#include <algorithm>
#include <set>
#include <utility>

#include "core/row_ranges.hpp"
#include "folder/write/npy_writer.hpp"

namespace vembed::folder {

// Returns the lines of receipts.jsonl that name only rows of `rows`. If a line also names other rows, its job had no
// effect, and its rows were divided into other batches and bought anew.
result<std::vector<receipt_line>> npy_writer::receipts_of(const core::row_set& rows) {
    std::vector<receipt_line> found;
    auto seen = receipts_.each([&](std::string_view text, std::uint64_t) {
        std::optional<receipt_line> line = read_receipt_line(text);
        if (line && rows.contains_all(line->rows)) {
            found.push_back(std::move(*line));
        }
        return true;
    });
    return seen ? result<std::vector<receipt_line>>(std::move(found)) : seen.error();
}

// Removes the copies of those rows from duplicates.jsonl and returns them.
result<std::vector<std::uint64_t>> npy_writer::forget_copies_of(const core::row_set& rows) {
    std::vector<std::uint64_t> copies;
    const auto stays = [&rows](std::string_view line, std::uint64_t) {
        const auto original = original_of_copy_line(line);
        return original && !rows.contains(*original);
    };
    auto seen = copies_.each([&](std::string_view line, std::uint64_t number) {
        if (!stays(line, number)) {
            copies.push_back(leading_number(line, row_prefix).value_or(0));
        }
        return true;
    });
    if (seen && !copies.empty()) {
        seen = copies_.retain(stays);
    }
    return seen ? result<std::vector<std::uint64_t>>(std::move(copies)) : seen.error();
}

// A receipt's line is written before its rows and removed after they are NaN again. If the process dies in between, the
// line is still there, and the rows are withdrawn again.
result<std::uint64_t> npy_writer::withdraw(std::span<const std::uint64_t> indices) {
    if (auto opened = open_once(); !opened) {
        return opened.error();
    }
    core::row_set asked_for;
    std::ranges::for_each(indices, [&asked_for](std::uint64_t row) { asked_for.add(row); });
    const auto receipts = receipts_of(asked_for);
    if (!receipts || receipts->empty()) {
        return receipts ? result<std::uint64_t>(std::uint64_t{0}) : receipts.error();
    }
    if (auto growing = check_growing(); !growing) {
        return growing.error();
    }
    core::row_set gone;
    std::set<std::string> jobs;
    for (const receipt_line& line : *receipts) {
        gone.add(line.rows);
        jobs.insert(line.job);
    }
    auto copies = forget_copies_of(gone);
    if (!copies) {
        return copies.error();
    }
    result<void> blank = blank_rows(*copies);
    for (const receipt_line& line : *receipts) {
        blank = blank ? blank_rows(core::indices_of(line.rows)) : blank;
    }
    if (blank = blank ? flush() : blank; !blank) {
        return blank.error();
    }
    if (auto retained = forget_receipts_of(jobs); !retained) {
        return retained.error();
    }
    return std::uint64_t{copies->size()};
}

result<void> npy_writer::forget_receipts_of(const std::set<std::string>& jobs) {
    auto retained = receipts_.retain([&jobs](std::string_view text, std::uint64_t) {
        const std::optional<std::string> job = job_of_receipt_line(text);
        return !job || !jobs.contains(*job);
    });
    if (retained) {
        std::ranges::for_each(jobs, [this](const std::string& job) { receipted_.erase(job); });
    }
    return retained;
}

result<void> npy_writer::blank_rows(std::span<const std::uint64_t> indices) {
    const nan_row blank(npy_.dimensions());
    for (const std::uint64_t row : indices) {
        written_.remove(row);
        if (auto blanked = write_blank(row, blank); !blanked) {
            return blanked;
        }
    }
    return {};
}

result<std::optional<std::vector<input_digests>>> npy_writer::digests_of(std::span<const std::uint64_t> indices) {
    if (auto opened = open_once(); !opened) {
        return opened.error();
    }
    return hashes_.texts(indices);
}

}  // namespace vembed::folder
