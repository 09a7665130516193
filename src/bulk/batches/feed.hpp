#pragma once
/// Rows on their way from an async_row_source, which gives them on the client's executor, to the batch reader, which
/// takes them on the worker thread. The two take turns: nothing is pushed while the reader reads.

#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

#include <vembed/corpus/source.hpp>

namespace vembed::bulk {

class feed final : public row_source {
public:
    void push(source_row row) {
        bytes_ += row.text.size();
        rows_.push_back(std::move(row));
    }
    void end() noexcept { ended_ = true; }

    [[nodiscard]] bool ended() const noexcept { return ended_; }
    [[nodiscard]] std::size_t rows() const noexcept { return rows_.size(); }
    [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
    /// Whether next() has nothing to give although the corpus continues.
    [[nodiscard]] bool hungry() const noexcept { return rows_.empty() && !ended_; }

    /// Must not be called if hungry().
    result<std::optional<source_row>> next() override {
        if (rows_.empty()) {
            return std::optional<source_row>();
        }
        std::optional<source_row> row = std::move(rows_.front());
        rows_.pop_front();
        bytes_ -= row->text.size();
        return row;
    }

private:
    std::deque<source_row> rows_;
    std::uint64_t bytes_ = 0;
    bool ended_ = false;
};

}  // namespace vembed::bulk
