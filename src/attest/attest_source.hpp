#pragma once
/// The caller's own texts and rows, side by side, cut into requests.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <vembed/core/matrix.hpp>
#include <vembed/core/result.hpp>
#include <vembed/corpus/source.hpp>

#include "attest/attest_record.hpp"
#include "attest/attested_lines.hpp"
#include "folder/records/npy_input.hpp"

namespace vembed::attest {

inline constexpr std::uint64_t request_rows_max = 1000;  ///< The most texts that the service takes in one request.

/// Whether a claim with that outcome is sent again. Pure.
[[nodiscard]] constexpr bool is_asked_again(claim_outcome before, bool retry_unknown) noexcept {
    return before == claim_outcome::timed_out || (before == claim_outcome::unknown && retry_unknown);
}

/// The texts and rows of one request.
class attest_part {
public:
    row_claim claim;
    std::vector<std::string> texts;
    matrix rows;

    attest_part() = default;

    [[nodiscard]] std::uint64_t size() const noexcept { return claim.end - claim.first; }
    /// Rows [from, from + count) of this part, as a part.
    [[nodiscard]] attest_part cut(std::uint64_t from, std::uint64_t count) const;
};

/// What the source found next.
class attest_step {
public:
    std::optional<attest_part> part;    ///< To be sent; empty if there is nothing to send, or at the end.
    std::optional<claim_record> known;  ///< A claim whose earlier outcome stands. It must not be sent.
    std::vector<unfit_row> unfit;       ///< Rows that were passed over on the way.
    bool ended = false;

    attest_step() = default;
};

class attest_source {
public:
    /// `history` and `attested` must outlive this.
    attest_source(std::unique_ptr<row_source> texts, folder::npy_input rows, const claim_history& history,
                  attested_lines& attested, bool retry_unknown);

    /// The next rows, at most `rows_max` of them. Memory is that of one request. The error is verification_failed if
    /// rows are said to be attested and their line's receipt does not fit; folder_mismatch if it fits and a text or row
    /// has changed since; otherwise one of row_source::next() and npy_input::read().
    result<attest_step> next(std::uint64_t rows_max);

    [[nodiscard]] std::uint64_t rows() const noexcept { return rows_.layout().rows; }

private:
    [[nodiscard]] std::uint64_t room(std::uint64_t rows_max) const;
    result<unfit_row> take(std::uint64_t row, const Eigen::Ref<const matrix>& numbers, std::string& text);
    result<attest_step> settle(attest_part part, attest_step step);

    std::unique_ptr<row_source> texts_;
    folder::npy_input rows_;
    const claim_history* history_;
    attested_lines* attested_;
    bool retry_unknown_;
    std::uint64_t next_row_ = 0;
};

/// The claim about rows and their texts. Pure.
row_claim claim_about(std::uint64_t first, const std::vector<std::string>& texts, const matrix& rows);

}  // namespace vembed::attest
