#pragma once
/// Measures how fast rows are coming, over a recent window.

#include <cstdint>
#include <deque>
#include <utility>

#include <vembed/core/time.hpp>

namespace vembed::bulk {

class rate_window {
public:
    explicit rate_window(monotonic_clock::duration length = std::chrono::seconds(30)) : length_(length) {}

    /// `rows` is the count so far, never falling.
    void note(monotonic_time now, std::uint64_t rows) {
        seen_.emplace_back(now, rows);
        while (seen_.size() > 2 && seen_.front().first + length_ < now) {
            seen_.pop_front();
        }
    }

    /// Rows a second between the oldest and the newest note of the window; 0 if no time lies between them.
    [[nodiscard]] double rows_per_second() const {
        if (seen_.size() < 2) {
            return 0;
        }
        const std::chrono::duration<double> spent = seen_.back().first - seen_.front().first;
        return spent.count() > 0 ? static_cast<double>(seen_.back().second - seen_.front().second) / spent.count() : 0;
    }

private:
    monotonic_clock::duration length_;
    std::deque<std::pair<monotonic_time, std::uint64_t>> seen_;
};

}  // namespace vembed::bulk
