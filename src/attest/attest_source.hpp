#pragma once
/// Texts and rows of the caller's own, side by side, cut into requests.

#include <cstdint>
#include <functional>
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

/// What goes into one request.
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

/// A row that cannot be claimed.
class unfit_row {
public:
    std::uint64_t row = 0;
    std::string why;     ///< Empty: it can be.
    bool blank = false;  ///< A blank line that keeps its place: it has no text, which is no failure.

    unfit_row() = default;
};

/// What there is at the source's place.
class attest_step {
public:
    std::optional<attest_part> part;    ///< To be sent; empty where nothing is, or at the end.
    std::optional<claim_record> known;  ///< It was asked for before, and came out so. Not to be sent.
    std::vector<unfit_row> unfit;       ///< Rows passed over on the way.
    bool ended = false;

    attest_step() = default;
};

class attest_source {
public:
    /// `history` and `attested` must outlive this. `again`: claims that came out so are asked for again.
    attest_source(std::unique_ptr<row_source> texts, folder::npy_input rows, const claim_history& history,
                  attested_lines& attested, std::function<bool(claim_outcome)> again);

    /// The next rows, at most `rows_max` of them. Memory is that of one request. verification_failed where rows are
    /// said to be attested and their line's receipt does not fit; folder_mismatch where it does and text or row are no
    /// longer what they were; else as row_source::next() and npy_input::read().
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
    std::function<bool(claim_outcome)> again_;
    std::uint64_t next_row_ = 0;
};

/// The claim about rows and their texts. Pure.
row_claim claim_about(std::uint64_t first, const std::vector<std::string>& texts, const matrix& rows);

}  // namespace vembed::attest
