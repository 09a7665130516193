#pragma once
/// @file
/// Checks a receipt against what the caller has, without asking anybody: no network, no files.
///
/// Every check names its basis. Specified (wire contract): ids, row ranges, the output's shape and byte order. Implied:
/// a chunk's output_commitment is the SHA-256 of its bytes. Everything else about hashes and roots is a scheme
/// (<vembed/verify/schemes.hpp>): assumed until it reproduced a value, pinned for the account from then on
/// (<vembed/verify/pins.hpp>). What no scheme explains is not checkable: it is never guessed and never failed.
///
/// No report proves origin: receipts are not signed. And a matching hash shows that bytes are the committed ones; only
/// the chunks that the service re-executed were computed twice by anybody.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <vembed/verify/output_check.hpp>
#include <vembed/verify/pins.hpp>
#include <vembed/verify/schemes.hpp>
#include <vembed/verify/sha256.hpp>

namespace vembed {

enum class check_verdict : std::uint8_t {
    verified,
    failed,
    not_checkable,  ///< The evidence is missing, or nothing says how the value is made.
};

enum class check_basis : std::uint8_t {
    none,       ///< Nothing to stand on: no scheme is known to apply. Only with not_checkable.
    specified,  ///< The service documents it.
    implied,    ///< It follows from what the service documents.
    assumed,    ///< A scheme reproduced the value; nothing earlier of the account says that it is the service's.
    pinned,     ///< Earlier receipts of the account followed these schemes.
};

/// "verified", "failed", "not_checkable".
std::string_view to_string(check_verdict verdict) noexcept;

/// One finding.
class offline_check {
public:
    std::string name;  ///< One of offline_check_names.
    check_verdict verdict = check_verdict::not_checkable;
    check_basis basis = check_basis::none;
    std::vector<std::string> schemes;  ///< With assumed and pinned: the schemes; several if they cannot be told apart.
    std::string reason;                ///< For people: what was compared, or what is wrong, or what is missing.

    offline_check() = default;
    offline_check(std::string_view check_name, check_verdict found, check_basis on, std::string why);

    /// "none", "specified", "implied", "assumed:<scheme>" or "pinned:<scheme>". If several schemes remain, each part of
    /// the name lists its alternatives: "leaf-00/node-01|node-plain/rfc6962".
    [[nodiscard]] std::string basis_text() const;
};

/// The checks' names, in the order of every report. Stable.
inline constexpr std::string_view offline_check_names[] = {
    "receipt_form",              ///< It is a receipt: JSON without double keys, the documented fields.
    "receipt_job",               ///< It is the job's receipt.
    "receipt_id",                ///< It is the receipt that job and results name.
    "results_job",               ///< The results are the job's.
    "specification",             ///< Its spec_hash is that of earlier receipts for the same model.
    "ranges",                    ///< The chunks number and tile the job's rows: no gap, no overlap.
    "output_shape",              ///< The output has the rows, dimensions and bytes asked for.
    "output_commitment",         ///< Each chunk's bytes are the committed ones.
    "outputs_root",              ///< The receipt's root is over the commitments listed.
    "inputs_root",               ///< The receipt's root is over the inputs.
    "receipt_hash",              ///< The receipt's hash is over the receipt.
    "verification_attestation",  ///< It is over the chunks listed as re-executed. Not specified: schemes only.
    "origin",                    ///< Who issued it: never checkable, receipts are not signed.
};

/// What GET /jobs/:id/results said.
class results_evidence {
public:
    std::string job_id;
    std::optional<std::string> receipt_id;
    std::vector<expected_chunk> chunks;  ///< In the order listed.

    results_evidence() = default;
};

/// The output that the caller has.
class output_evidence {
public:
    std::uint64_t rows = 0;
    std::uint64_t dimensions = 0;
    std::uint64_t bytes = 0;            ///< The output's length.
    std::vector<digest> chunk_digests;  ///< The SHA-256 of each listed chunk's bytes, in the order listed.

    output_evidence() = default;
};

/// What the caller has beside the receipt. What is absent leaves its checks not checkable.
class offline_evidence {
public:
    std::string job_id;                    ///< The job that was submitted.
    std::string receipt_id;                ///< The receipt that the job named; empty if not known.
    std::string model;                     ///< The model asked for; for the report's words only: no receipt names it.
    std::uint64_t rows = 0;                ///< How many inputs were submitted.
    std::uint64_t dimensions = 0;          ///< What the model is said to have; 0 if not known.
    std::optional<std::string> spec_hash;  ///< The spec_hash of earlier receipts for this model.
    std::optional<results_evidence> results;
    std::optional<output_evidence> output;
    std::optional<std::vector<input_digests>> inputs;  ///< The inputs in the order submitted.

    offline_evidence() = default;
};

/// The longest receipt that is read, in bytes.
inline constexpr std::size_t receipt_bytes_max = std::size_t{1} << 20;

/// The last line of a report.
inline constexpr std::string_view origin_line =
    "origin not proven: receipts are not signed, so nothing here shows who issued this one";

/// All findings on one receipt.
class offline_report {
public:
    std::vector<offline_check> checks;  ///< One for each of offline_check_names, in that order.

    /// The chunk_index of each chunk that the service says it re-executed, and of each that it did not. Nobody but the
    /// service computed the latter twice or saw them computed. This is the service's word: it is bound to the receipt
    /// only if the check verification_attestation is verified.
    std::vector<std::uint64_t> chunks_reexecuted;
    std::vector<std::uint64_t> chunks_not_reexecuted;

    /// The pins given, with what this receipt adds. If a check failed they are as given: a bad receipt teaches nothing.
    account_pins pins;

    offline_report() = default;

    /// The first check that failed; null if none did.
    [[nodiscard]] const offline_check* first_failed() const;

    /// The check of that name; null if there is none.
    [[nodiscard]] const offline_check* find(std::string_view name) const;

    /// The names in `required` whose check is not verified, including names that no check has.
    [[nodiscard]] std::vector<std::string> not_verified(std::span<const std::string> required) const;

    /// A page for people: a line for each check with verdict, basis and reason, the two lists of chunks, origin_line as
    /// the last line. Text of the receipt is quoted with control characters replaced, and cut.
    [[nodiscard]] std::string text() const;
};

/// Checks `receipt_text`, the response to GET /receipts/:id as received, against `evidence`, under what is known of the
/// account (`pins`).
///
/// A value that a check recomputes is compared letter by letter: hex is lower case. If the account has no candidates,
/// the first schemes that reproduce the value become its candidates; if it has some, a value that none of them
/// reproduces is `failed` if all of them agree on what it should be (always so for one pinned scheme), else
/// not_checkable: then the evidence has a shape that earlier receipts said nothing about.
///
///     const auto report = verify_receipt_offline(text, evidence, pins.of(account_id));
///     if (const auto* bad = report.first_failed()) { std::cerr << bad->name << ": " << bad->reason << '\n'; }
///     else if (const auto kept = pins.set(account_id, report.pins); !kept) { std::cerr << kept.error(); }
///
/// To check many receipts of one account, go over them twice: first to learn, then to judge all of them by what was
/// learned. Otherwise a damaged receipt that happens to come first is not checkable instead of failed.
///
/// It never fails and throws std::bad_alloc only: any text and any evidence give a report. Time: for a pinned account
/// one hash a leaf and node; without pins 24 times that.
offline_report verify_receipt_offline(std::string_view receipt_text, const offline_evidence& evidence,
                                      const account_pins& pins = {});

/// Checks a job whose receipt was not asked for: results and output are compared with each other, and whatever needs a
/// receipt is not checkable.
offline_report verify_output_offline(const offline_evidence& evidence, const account_pins& pins = {});

}  // namespace vembed
