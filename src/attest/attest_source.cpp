#include "attest/attest_source.hpp"

#include <algorithm>
#include <utility>

#include <vembed/verify/commitment.hpp>
#include <vembed/verify/receipt_hash.hpp>

#include "corpus/survey.hpp"

namespace vembed::attest {
namespace {

constexpr std::uint64_t request_bytes_max = 8U << 20;  // Bytes of text.

}  // namespace

row_claim claim_about(std::uint64_t first, const std::vector<std::string>& texts, const matrix& rows) {
    row_claim claim;
    claim.first = first;
    claim.end = first + texts.size();
    claim.commitment = commitment(rows);
    claim.inputs_root = inputs_root(std::span<const std::string>(texts));
    return claim;
}

attest_part attest_part::cut(std::uint64_t from, std::uint64_t count) const {
    attest_part made;
    const auto begin = texts.begin() + static_cast<std::ptrdiff_t>(from);
    made.texts.assign(begin, begin + static_cast<std::ptrdiff_t>(count));
    made.rows = rows.middleRows(static_cast<Eigen::Index>(from), static_cast<Eigen::Index>(count));
    made.claim = claim_about(claim.first + from, made.texts, made.rows);
    return made;
}

attest_source::attest_source(std::unique_ptr<row_source> texts, folder::npy_input rows, const claim_history& history,
                             attested_lines& attested, bool retry_unknown)
    : texts_(std::move(texts)),
      rows_(std::move(rows)),
      history_(&history),
      attested_(&attested),
      retry_unknown_(retry_unknown) {}

// If an earlier claim begins here, the request has its rows; otherwise it ends before the next known claim begins.
std::uint64_t attest_source::room(std::uint64_t rows_max) const {
    if (const recorded_claim* const before = history_->at(next_row_)) {
        return before->claim.end - before->claim.first;
    }
    const std::uint64_t wanted = std::clamp<std::uint64_t>(rows_max, 1, request_rows_max);
    const auto next = history_->next_after(next_row_);
    return next ? std::min(wanted, *next - next_row_) : wanted;
}

// Reads row `row`, whose numbers are given, and finds whether it can be claimed. Sets `text`.
result<unfit_row> attest_source::take(std::uint64_t row, const Eigen::Ref<const matrix>& numbers, std::string& text) {
    auto found = texts_->next();
    if (!found) {
        return found.error();
    }
    if (!*found) {
        return error(errc::bad_input, "the texts end before row " + std::to_string(row) + " of " +
                                          std::to_string(rows()) + ": they changed while they were read");
    }
    unfit_row seen;
    seen.row = row;
    seen.why = corpus::defect_of(**found);
    seen.blank = (*found)->blank;
    text = std::move((*found)->text);
    if (seen.why.empty() && !numbers.allFinite()) {
        seen.why = "its row has a number that is not finite";
    }
    return seen;
}

result<attest_step> attest_source::next(std::uint64_t rows_max) {
    attest_step step;
    const std::uint64_t most = std::min(room(rows_max), rows() - next_row_);
    matrix block(static_cast<Eigen::Index>(most), static_cast<Eigen::Index>(rows_.layout().dimensions));
    if (auto read = rows_.read(next_row_, block); !read) {
        return read.error();
    }
    attest_part part;
    Eigen::Index begin = 0;  // The part's first row in the block.
    std::uint64_t bytes = 0;
    for (std::uint64_t i = 0; i < most && bytes < request_bytes_max; ++i) {
        std::string text;
        auto seen = take(next_row_, block.row(static_cast<Eigen::Index>(i)), text);
        if (!seen) {
            return seen.error();
        }
        ++next_row_;
        if (seen->why.empty()) {
            bytes += text.size();
            part.texts.push_back(std::move(text));
            continue;
        }
        step.unfit.push_back(std::move(*seen));
        if (!part.texts.empty()) {
            break;  // The rows after it would leave a hole in the request.
        }
        begin = static_cast<Eigen::Index>(i) + 1;
    }
    if (part.texts.empty()) {
        step.ended = next_row_ == rows();
        return step;
    }
    const auto size = static_cast<Eigen::Index>(part.texts.size());
    const std::uint64_t behind = step.unfit.empty() || step.unfit.back().row + 1 != next_row_ ? 0 : 1;
    part.rows = block.middleRows(begin, size);
    part.claim = claim_about(next_row_ - behind - part.texts.size(), part.texts, part.rows);
    return settle(std::move(part), std::move(step));
}

// Decides whether the part is sent or was sent before.
result<attest_step> attest_source::settle(attest_part part, attest_step step) {
    const recorded_claim* const before = history_->at(part.claim.first);
    if (before == nullptr) {
        step.part = std::move(part);
        return step;
    }
    const bool same_texts = before->claim.end == part.claim.end && before->claim.inputs_root == part.claim.inputs_root;
    if (before->outcome == claim_outcome::attested) {
        if (auto held = attested_->hold(*before, same_texts ? &part.texts : nullptr); !held) {
            return held.error();
        }
    }
    const bool same = same_texts && before->claim.commitment == part.claim.commitment;
    if (same && !is_asked_again(before->outcome, retry_unknown_)) {
        step.known = *before;
        return step;
    }
    if (before->outcome == claim_outcome::attested) {
        return error(errc::folder_mismatch,
                     "rows " + std::to_string(before->claim.first) + " to " + std::to_string(before->claim.end - 1) +
                         " are attested in the output file, but their texts or numbers are others now: give "
                         "attest_options::output_file another name to have these attested");
    }
    step.part = std::move(part);
    return step;
}

}  // namespace vembed::attest
