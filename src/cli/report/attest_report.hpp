#pragma once
/// What an attestation run came to.

#include <cstdint>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include <vembed/verify/offline_check.hpp>

#include "attest/attest_record.hpp"
#include "attest/attest_source.hpp"
#include "audit/check_tally.hpp"
#include "cli/options/exit_code.hpp"
#include "cli/terminal/console.hpp"

namespace vembed::cli {

/// What a failure of a request means for the run.
enum class claim_reaction : std::uint8_t {
    record,  ///< It is the claim's outcome, see outcome_of.
    halve,   ///< The request is too large, or holds a row that the service refuses: halve it; a single row is refused.
    stop,    ///< Nothing came of it, and nothing more can be done in this run.
};

/// Pure.
claim_reaction react_to_claim(const failure& f) noexcept;

/// Where the reaction is `record`.
attest::claim_outcome outcome_of(const failure& f) noexcept;

class attest_report {
public:
    std::uint64_t rows_total = 0;
    std::uint64_t rows_attested = 0;  ///< Those before included.
    std::uint64_t rows_attested_before = 0;
    std::uint64_t rows_rejected = 0;
    std::uint64_t rows_unverified = 0;
    std::uint64_t rows_timed_out = 0;
    std::uint64_t rows_unknown = 0;
    std::uint64_t rows_refused = 0;      ///< Rows that no request can hold included.
    std::uint64_t rows_blank = 0;        ///< Of blank lines that keep their place: they have no text to attest.
    std::uint64_t requests = 0;          ///< Sent by this run.
    std::uint64_t rows_per_request = 0;  ///< The most that the service took or may take.
    std::vector<attest::claim_record> remarkable;  ///< Those that are not attested, the first of them.
    std::vector<attest::unfit_row> unfit;          ///< The first of them.
    std::vector<audit::check_tally> checks;        ///< Of the receipts of this run.
    bool stopped = false;                          ///< By Ctrl-C.
    std::optional<failure> ended_by;

    static constexpr std::size_t shown_max = 20;

    attest_report() = default;

    /// Counts a claim. `before`: an earlier run had it.
    void add(const attest::claim_record& record, bool before);
    void add(const attest::unfit_row& row);
    void add(const offline_report& report);

    /// How many rows have an outcome, now or before.
    [[nodiscard]] std::uint64_t rows_settled() const noexcept;
};

exit_code exit_code_of(const attest_report& report) noexcept;

/// On one line, for a run under way.
std::string progress_line(const attest_report& report, std::uint64_t under_way);

boost::json::object report_object(const attest_report& report);

/// For people, on standard error.
void tell_end(console& out, const attest_report& report, const std::string& file);

/// The checks of a report that were not "not_checkable", as a JSON object.
std::string checks_text(const offline_report& report);

}  // namespace vembed::cli
