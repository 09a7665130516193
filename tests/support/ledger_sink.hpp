#pragma once
/// A sink that checks the rules of row_sink and records the result of each row.

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <vembed/bulk/sink.hpp>

namespace vembed::testing {

class ledger_sink : public row_sink {
public:
    result<void> reserve(std::uint64_t row_count, std::uint64_t dimensions) override {
        if (expected_rows) {
            broken.push_back("the size was told twice");
        }
        expected_rows = row_count;
        expected_dimensions = dimensions;
        return no_room ? result<void>(*no_room) : result<void>();
    }
    result<void> declare_row(std::uint64_t index, const source_row& row) override {
        if (keeps_texts) {
            texts.emplace_back(row.text);
        }
        if (index != described++) {
            broken.push_back("row " + std::to_string(index) + " described out of order");
        }
        return {};
    }
    [[nodiscard]] bool can_copy() const override { return can_copy_rows; }
    result<void> copy(std::uint64_t from, std::uint64_t to) override {
        if (!rows.contains(from) || to >= described || failed.contains(to)) {
            broken.push_back("row " + std::to_string(to) + " cannot be copied from row " + std::to_string(from));
        }
        rows.insert_or_assign(to, rows[from]);
        copied.insert(to);
        copies.emplace_back(from, to);
        return {};
    }
    result<std::uint64_t> withdraw(std::span<const std::uint64_t> indices) override {
        for (const std::uint64_t index : indices) {
            withdrawn += rows.erase(index);
        }
        std::uint64_t undone = 0;
        for (const auto& [from, to] : copies) {
            if (std::ranges::find(indices, from) != indices.end()) {
                undone += rows.erase(to);
            }
        }
        return undone;
    }
    [[nodiscard]] bool keeps_digests() const override { return keeps_texts; }
    result<std::optional<std::vector<input_digests>>> digests_of(std::span<const std::uint64_t> indices) override {
        std::vector<input_digests> found;
        for (const std::uint64_t index : indices) {
            found.push_back(texts.at(index));
        }
        return std::optional(std::move(found));
    }
    result<void> write_receipt(const job_evidence& proof) override {
        proved.insert(proof.batch);
        return {};
    }
    result<void> write(const row_batch& batch) override {
        if (!batch.cached && !proved.contains(batch.batch)) {
            broken.push_back("batch " + std::to_string(batch.batch) + " written before it was proved");
        }
        for (std::size_t i = 0; i < batch.indices.size(); ++i) {
            const float* const first = batch.values.data() + i * batch.dimensions;
            const std::uint64_t index = batch.indices[i];
            if (!rows.try_emplace(index, first, first + batch.dimensions).second || failed.contains(index)) {
                broken.push_back("row " + std::to_string(index) + " came twice");
            }
            if (index >= described) {
                broken.push_back("row " + std::to_string(index) + " written before it was declared");
            }
        }
        return {};
    }
    result<void> fail(const failed_row& row) override {
        if (rows.contains(row.index) || !failed.emplace(row.index, row.reason).second) {
            broken.push_back("row " + std::to_string(row.index) + " failed after it had come or failed");
        }
        return {};
    }
    result<void> flush() override { return {}; }
    result<void> finish(std::uint64_t row_count, std::uint64_t) override {
        finished = row_count;
        return {};
    }

    bool can_copy_rows = true;
    bool keeps_texts = false;          ///< The value of keeps_digests().
    std::vector<input_digests> texts;  ///< One for each row if keeps_texts is set.
    std::vector<std::pair<std::uint64_t, std::uint64_t>> copies;
    std::uint64_t withdrawn = 0;
    std::optional<error> no_room;  ///< If set, expect() fails with it.
    std::optional<std::uint64_t> expected_rows;
    std::uint64_t expected_dimensions = 0;
    std::uint64_t described = 0;
    std::set<std::uint64_t> copied;
    std::map<std::uint64_t, std::vector<float>> rows;
    std::map<std::uint64_t, error> failed;
    std::set<std::uint64_t> proved;
    std::optional<std::uint64_t> finished;
    std::vector<std::string> broken;  ///< Rules that a caller broke.
};

}  // namespace vembed::testing
