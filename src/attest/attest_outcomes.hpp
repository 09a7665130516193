#pragma once
/// What the response to a claim means for the run and its report. Pure.

#include <cstdint>
#include <string>

#include <vembed/attest/attest_corpus.hpp>
#include <vembed/core/error.hpp>
#include <vembed/verify/offline_check.hpp>

namespace vembed::attest {

/// What an error of a request means for the run.
enum class claim_reaction : std::uint8_t {
    record,  ///< The error is the claim's outcome, see outcome_of.
    halve,   ///< The request is too large, or holds a row that the service refuses: halve it; a single row is refused.
    stop,    ///< The request had no effect, and nothing more can be done in this run.
};

/// The reaction to an error.
claim_reaction react_to_claim(const error& f) noexcept;

/// The outcome that an error means if the reaction is `record`.
claim_outcome outcome_of(const error& f) noexcept;

/// The record of a claim that ended with an error.
claim_record record_of_failure(const row_claim& claim, const error& why);

/// Counts a claim. `before` says that an earlier call had it.
void count(attest_report& report, const claim_record& record, bool before);
void count(attest_report& report, const unfit_row& row);

/// Counts the checks of a receipt.
void count(attest_report& report, const offline_report& checks);

/// The checks of a report that were not "not_checkable", as a JSON object.
std::string checks_text(const offline_report& report);

}  // namespace vembed::attest
