#pragma once
/// Holds what a run has spent in chunks, may have spent and is about to spend against what it may spend: pure.

#include <cstdint>
#include <optional>
#include <string>

#include <vembed/bulk/options.hpp>

namespace vembed::bulk {

class chunk_budget {
public:
    explicit chunk_budget(const bulk_options& options);

    /// Takes over what earlier processes of the run have left.
    void adopt_charged(std::uint64_t chunks, const run_facts& facts) noexcept;
    void adopt_in_doubt(std::uint64_t chunks) noexcept { in_doubt_ += chunks; }

    /// Notes that a submission that takes `at_most` chunks goes out. Then one of accepted(), refused(), unanswered()
    /// must follow.
    void submitting(std::uint64_t at_most) noexcept { submitting_ += at_most; }
    void accepted(std::uint64_t at_most, std::uint64_t charged, bool narrowing) noexcept;
    void refused(std::uint64_t at_most) noexcept { submitting_ -= at_most; }
    void unanswered(std::uint64_t at_most) noexcept;

    /// Notes that a job was charged less than was counted for it.
    void correct(std::uint64_t excess, bool narrowing) noexcept;
    /// Notes that no submission in doubt was charged.
    void none_in_doubt_charged() noexcept { in_doubt_ = 0; }

    /// Takes the price of a resubmission or of narrowing out of its allowance, if that still covers it.
    [[nodiscard]] bool take_extra(std::uint64_t chunks) noexcept;
    [[nodiscard]] bool take_narrowing(std::uint64_t chunks) noexcept;

    /// The largest number of rows, up to `rows`, whose worst-case cost fits the remaining budget.
    [[nodiscard]] std::uint64_t rows_affordable(std::uint64_t rows, std::uint64_t rows_per_chunk) const noexcept;
    /// A submission under way may still leave a part of what is held for it.
    [[nodiscard]] bool may_grow() const noexcept { return submitting_ > 0; }
    [[nodiscard]] bool is_capped() const noexcept { return run_max_.has_value(); }

    /// Chunks of all processes of the run. Submissions in doubt count as charged.
    [[nodiscard]] std::uint64_t spoken_for() const noexcept { return charged() + submitting_ + in_doubt_; }
    [[nodiscard]] std::uint64_t charged() const noexcept { return charged_before_ + used_; }
    [[nodiscard]] std::uint64_t charged_before() const noexcept { return charged_before_; }
    [[nodiscard]] std::uint64_t used() const noexcept { return used_; }
    [[nodiscard]] std::uint64_t extra() const noexcept { return extra_; }
    [[nodiscard]] std::uint64_t narrowing() const noexcept { return narrowing_; }

    /// What the cap would have to be for `rows_left` more rows. Only for a run that is_capped().
    [[nodiscard]] std::string explain(std::uint64_t rows_left, std::uint64_t rows_per_chunk) const;

private:
    std::optional<std::uint64_t> run_max_;
    std::uint64_t extra_max_;
    std::uint64_t narrowing_max_;
    bool resubmits_;
    std::uint64_t charged_before_ = 0;  ///< Chunks charged in earlier processes of the run.
    std::uint64_t used_ = 0;
    std::uint64_t submitting_ = 0;  ///< An upper bound, as in_doubt_ is.
    std::uint64_t in_doubt_ = 0;
    std::uint64_t extra_ = 0;
    std::uint64_t narrowing_ = 0;
    std::uint64_t narrowing_planned_ = 0;
};

}  // namespace vembed::bulk
