#pragma once
/// The result of an attestation run.

#include <cstdint>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include <vembed/audit/check_tally.hpp>
#include <vembed/verify/offline_check.hpp>

#include "attest/attest_record.hpp"
#include "attest/attest_source.hpp"
#include "cli/options/exit_code.hpp"
#include "cli/terminal/console.hpp"

namespace vembed::cli {

/// What an error of a request means for the run.
enum class claim_reaction : std::uint8_t {
    record,  ///< The error is the claim's outcome, see outcome_of.
    halve,   ///< The request is too large, or holds a row that the service refuses: halve it; a single row is refused.
    stop,    ///< The request had no effect, and nothing more can be done in this run.
};

/// The reaction to an error. Pure.
claim_reaction react_to_claim(const error& f) noexcept;

/// The outcome that an error means if the reaction is `record`.
attest::claim_outcome outcome_of(const error& f) noexcept;

class attest_report {
public:
    std::uint64_t rows_total = 0;
    std::uint64_t rows_attested = 0;  ///< Rows attested by this run and by earlier runs.
    std::uint64_t rows_attested_before = 0;
    std::uint64_t rows_rejected = 0;
    std::uint64_t rows_unverified = 0;
    std::uint64_t rows_timed_out = 0;
    std::uint64_t rows_unknown = 0;
    std::uint64_t rows_refused = 0;      ///< Rows refused, including rows that no request can hold.
    std::uint64_t rows_blank = 0;        ///< Rows of blank lines that keep their place: they have no text to attest.
    std::uint64_t requests = 0;          ///< Requests that this run sent.
    std::uint64_t rows_per_request = 0;  ///< The most rows that the service took or may take in one request.
    std::vector<attest::claim_record> remarkable;  ///< The first claims that are not attested.
    std::vector<attest::unfit_row> unfit;          ///< The first rows that no request can hold.
    std::vector<check_tally> checks;               ///< The checks of this run's receipts.
    bool stopped = false;                          ///< Whether Ctrl-C stopped the run.
    std::optional<error> ended_by;

    static constexpr std::size_t shown_max = 20;

    attest_report() = default;

    /// Counts a claim. `before` says that an earlier run had it.
    void add(const attest::claim_record& record, bool before);
    void add(const attest::unfit_row& row);
    void add(const offline_report& report);

    /// The number of rows that have an outcome, from this run or an earlier one.
    [[nodiscard]] std::uint64_t rows_settled() const noexcept;
};

exit_code exit_code_of(const attest_report& report) noexcept;

/// The state on one line, for a run under way.
std::string progress_line(const attest_report& report, std::uint64_t under_way);

boost::json::object report_object(const attest_report& report);

/// The report for people, on standard error.
void tell_end(console& out, const attest_report& report, const std::string& file);

/// The checks of a report that were not "not_checkable", as a JSON object.
std::string checks_text(const offline_report& report);

}  // namespace vembed::cli
