#pragma once
/// @file
/// Has embeddings of one's own attested, row by row of a corpus, with a file that remembers each outcome.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <vembed/bulk/options.hpp>
#include <vembed/client/blocking_client.hpp>
#include <vembed/client/client.hpp>
#include <vembed/core/result.hpp>
#include <vembed/corpus/source.hpp>
#include <vembed/operation/operation.hpp>
#include <vembed/verify/sha256.hpp>

namespace vembed {

/// The outcome of a claim.
enum class claim_outcome : std::uint8_t {
    attested,    ///< The service found the same: there is a receipt.
    rejected,    ///< The service found something else.
    unverified,  ///< The service attested the rows, but its receipt does not hold.
    timed_out,   ///< The service's work did not end in time. The next call asks again, which may be charged again.
    unknown,     ///< The response was lost: the claim may have been attested, and charged.
    refused,     ///< The service does not take this row.
};

/// The outcome's name, as the output file has it, e.g. "timed_out".
std::string_view to_string(claim_outcome outcome) noexcept;

/// What is claimed of rows [first, end).
class row_claim {
public:
    std::uint64_t first = 0;
    std::uint64_t end = 0;
    std::string commitment;   ///< SHA-256 of the rows' bytes, hex.
    std::string inputs_root;  ///< The RFC 6962 root over the texts, hex; it fixes which texts the claim is about.

    row_claim() = default;
};

/// A claim and its outcome: one request, and one line of the output file.
class claim_record {
public:
    row_claim claim;
    claim_outcome outcome = claim_outcome::unknown;
    std::string job_id;      ///< Empty if the service named none.
    std::string receipt_id;  ///< Empty if the service named none.
    std::string reason;      ///< Why it is not attested; empty if it is. The service's text is untrusted.
    std::string checks;   ///< A JSON object: each check that was not "not_checkable" with verdict and basis; or empty.
    std::string receipt;  ///< The receipt as received; empty if there is none.

    claim_record() = default;
};

/// A row that cannot be claimed.
class unfit_row {
public:
    std::uint64_t row = 0;
    std::string why;     ///< Empty if the row can be claimed.
    bool blank = false;  ///< A blank line has no text and keeps its row; that is not an error.

    unfit_row() = default;
};

/// The state of a call while it runs, and what it reports at its end. Counts are of rows unless they say otherwise, and
/// include those with an outcome of earlier calls.
class attest_report {
public:
    std::uint64_t rows_total = 0;
    std::uint64_t rows_attested = 0;
    std::uint64_t rows_attested_before = 0;  ///< Those of rows_attested that an earlier call had attested.
    std::uint64_t rows_rejected = 0;
    std::uint64_t rows_unverified = 0;
    std::uint64_t rows_timed_out = 0;
    std::uint64_t rows_unknown = 0;
    std::uint64_t rows_refused = 0;          ///< Includes rows that no request can hold, see `unfit`.
    std::uint64_t rows_blank = 0;            ///< Blank lines that keep their place: they have no text to attest.
    std::uint64_t requests = 0;              ///< Requests that this call sent.
    std::uint64_t requests_under_way = 0;    ///< Requests without a response yet; 0 at the end.
    std::uint64_t rows_per_request = 0;      ///< The most rows that the service took or may take in one request.
    std::vector<claim_record> not_attested;  ///< The first shown_max claims that are not attested, without receipts.
    std::vector<unfit_row> unfit;            ///< The first shown_max rows that no request can hold.
    /// The checks of the receipts that this call got, receipt by receipt. `basis` has each basis once, joined by " and
    /// ".
    std::vector<check_count> checks;
    bool stopped = false;           ///< attest_options::stop ended the call before every row had an outcome.
    std::optional<error> ended_by;  ///< Why the call ended before every row had an outcome, if it was not stopped.

    static constexpr std::size_t shown_max = 20;

    attest_report() = default;

    /// The number of rows that have an outcome.
    [[nodiscard]] std::uint64_t rows_settled() const noexcept;
};

/// What attest_corpus() is told.
class attest_options {
public:
    std::vector<std::string> inputs;  ///< The files of the texts, see open_files().
    file_source_options format;
    std::string npy_file;  ///< The rows, in the texts' order: float32 in C order (.npy), one row for each text.
    /// In place of npy_file: the SHA-256 of the bytes of all rows, see vembed::commitment(). All texts (1000 at most)
    /// go in one request then, which has to be one chunk or what the service takes as one. Exactly one of the two is
    /// set.
    std::optional<digest> commitment;
    std::string output_file;  ///< Where the outcomes go, see attest_corpus(). `output_file`.sent is made beside it.
    std::string model;        ///< Current form; exactly one of model and spec_yaml is set.
    std::string spec_yaml;    ///< Older form.
    /// The number of rows in a chunk, if the caller knows it: requests have that many rows. 0: requests of 1000 rows,
    /// or of the account's limit, which are halved if the service refuses that. At most 1000. A smaller chunk_size of
    /// the specification takes precedence.
    std::uint64_t rows_per_chunk = 0;
    std::uint32_t requests_in_flight = 4;  ///< At most, 1 to requests_in_flight_max (0 is 1, more is invalid_argument).
    static constexpr std::uint32_t requests_in_flight_max = 64;
    /// Ask again for claims whose response was lost (claim_outcome::unknown), though that may be charged a second time.
    bool retry_unknown = false;
    std::stop_token stop;  ///< Send nothing more, wait for the responses of what is under way, then report.
    /// Called with the state so far, on the client's executor, at most every progress_interval.
    std::function<void(const attest_report&)> on_progress;
    std::chrono::milliseconds progress_interval{250};
    /// Called on the client's executor with each claim whose outcome came in this call, once its line is durable.
    std::function<void(const claim_record&)> on_claim;

    attest_options() = default;
};

/// Has the service compute the texts again (POST /verify) and issue receipts for the rows that are, bit for bit, what
/// it computes. Only texts and hashes are sent. Each request is charged like a job of as many rows.
///
/// Row i of the matrix is claimed to be the embedding of text i. Each request and its outcome is one line of
/// attest_options::output_file, which is durable as it comes; a note in `output_file`.sent is durable before a request
/// is sent. After any end, also that of the process, the same call goes on where the last one ended: it asks only for
/// rows without an outcome and for those that timed out. What was under way when a process ended is `unknown`, and like
/// a lost response it is never asked for again without retry_unknown. A line that says "attested" is held against its
/// receipt again. Rows whose text cannot be sent, or with a number that is not finite, are left out and counted.
///
///     vembed::attest_options options;
///     options.inputs = {"corpus.txt"};
///     options.npy_file = "mine.npy";
///     options.output_file = "receipts.jsonl";
///     options.model = "bge-large-v1.5";
///     const auto report = co_await vembed::attest_corpus(client, options);
///     std::cout << report.value().rows_attested << " rows attested\n";
///
/// \par Errors
/// The error of the result, with nothing sent by this call:
///   - invalid_argument: options that do not fit (also in what open_files() reads), rows of another width than the
///     model's, an output file that is no regular file; with a commitment also no text or more than 1000.
///   - bad_input: npy_file is no such matrix, there are more or fewer texts than rows, the output file is a file of
///     another kind; with a commitment also a text that cannot be sent.
///   - folder_mismatch: the output file is of another service, model or specification, or another process is using it.
///   - io, and the errors of client::get_account() and get_models().
///   - cancelled: attest_options::stop was requested while the corpus or the account was read.
///
/// What ends a call later is attest_report::ended_by, with what was achieved: quota_exceeded, trial_expired,
/// unauthorized and the like if the service takes no further request; verification_failed if a line that says
/// "attested" does not agree with its receipt; folder_mismatch if rows or texts have changed since they were attested;
/// callback_failed; io. With a commitment that is so for all errors after the texts were read; more texts than the
/// account's limit or the specification's chunk are request_too_large.
/// \par Cancellation
/// Terminal cancellation of the awaiting coroutine, or the destruction of the client, ends the call with cancelled once
/// the corpus is not being read; what was under way is recorded as unknown. attest_options::stop ends it without loss.
/// \par Lifetimes
/// The options are copied. What their callbacks refer to must outlive the call.
/// \par Thread safety
/// May be called from any thread; runs on the client's executor, and on a worker thread as long as it reads and writes
/// files. Two calls must not share an output file: the second is folder_mismatch.
operation<attest_report> attest_corpus(client& on, attest_options options);

/// The same, blocking until the report is there.
result<attest_report> attest_corpus(blocking_client& on, attest_options options);

}  // namespace vembed
