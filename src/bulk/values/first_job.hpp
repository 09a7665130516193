#pragma once
/// The first batch of a run goes alone until its job has shown what a chunk takes: pure.

#include <cstddef>
#include <cstdint>

namespace vembed::bulk {

class first_job {
public:
    first_job() = default;

    /// Notes that a batch is taken to be submitted.
    void begin() noexcept { stage_ = stage_ == stage::awaited ? stage::under_way : stage_; }
    /// Notes that the first job has shown what a chunk takes, or never will. True if anybody can have waited for that.
    bool show() noexcept {
        const bool news = stage_ != stage::shown;
        stage_ = stage::shown;
        return news;
    }

    [[nodiscard]] bool is_shown() const noexcept { return stage_ == stage::shown; }
    /// Nothing else is read until the first job has shown what a chunk takes.
    [[nodiscard]] bool holds_others() const noexcept { return stage_ == stage::under_way; }
    /// How many batches to read for `waiting` workers at once.
    [[nodiscard]] std::size_t batches_to_read(std::size_t waiting) const noexcept { return is_shown() ? waiting : 1; }

private:
    enum class stage : std::uint8_t { awaited, under_way, shown };
    stage stage_ = stage::awaited;
};

}  // namespace vembed::bulk
