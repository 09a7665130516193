#pragma once
/// The file of an attestation run: one line for each request, as it came out. It is what the run is for, and what the
/// next run of the same command goes on from.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include <vembed/core/result.hpp>

#include "storage/file_lock.hpp"
#include "storage/file_ops.hpp"

namespace vembed::attest {

/// How a claim came out.
enum class claim_outcome : std::uint8_t {
    attested,    ///< The service found the same: there is a receipt.
    rejected,    ///< It found something else.
    unverified,  ///< It attested the rows, but its receipt does not hold.
    timed_out,   ///< Its work did not end in time.
    unknown,     ///< The reply was lost: it may have been attested, and charged.
    refused,     ///< It does not take this row.
};

std::string_view to_string(claim_outcome outcome) noexcept;

/// What is claimed of rows [first, end).
class row_claim {
public:
    std::uint64_t first = 0;
    std::uint64_t end = 0;
    std::string commitment;   ///< SHA-256 of the rows' bytes, hex.
    std::string inputs_root;  ///< The RFC 6962 root over the texts, hex: which texts it is about.

    row_claim() = default;
};

/// A claim and what became of it.
class claim_record {
public:
    row_claim claim;
    claim_outcome outcome = claim_outcome::unknown;
    std::string job_id;
    std::string receipt_id;
    std::string reason;   ///< Why it is not attested; empty where it is.
    std::string checks;   ///< A JSON object: each check that was not "not_checkable" with verdict and basis; or empty.
    std::string receipt;  ///< The receipt as received; empty where there is none.
    std::uint64_t offset = 0;      ///< Where its line begins in the file.
    std::uint64_t line_bytes = 0;  ///< The line's length without its end; 0 where it was not read from the file.
    std::uint64_t line = 0;        ///< The line's number, from 1; 0 likewise.

    claim_record() = default;
};

/// One line, without its end.
std::string line_of(const claim_record& record);

/// The object that such a line is; nothing where it is none. What the service wrote stands in it as it came: a byte
/// order mark before the receipt is passed over, halves of surrogate pairs are replaced. Not for what is hashed.
std::optional<boost::json::object> outcome_object(std::string_view line);

/// Reads such a line, without `checks` and `receipt`; nothing where it is none.
std::optional<claim_record> record_of(std::string_view line);

/// Which claims are known how. Later ones take the place of earlier ones about any of their rows, but for those that
/// are attested.
class claim_history {
public:
    claim_history() = default;

    /// False where rows that are attested would be attested again.
    bool add(const claim_record& record);

    /// What is known of claims from row `first` on: the one that begins there, or where the next one begins.
    [[nodiscard]] const claim_record* at(std::uint64_t first) const;
    [[nodiscard]] std::optional<std::uint64_t> next_after(std::uint64_t first) const;

private:
    std::map<std::uint64_t, claim_record> by_row_;  // By first row; without receipts.
};

/// Whom and what the claims are about: the file's first line.
class attest_identity {
public:
    std::string service;
    std::string model;
    std::string spec_sha256;  ///< Of the older form's specification; empty with a model.

    attest_identity() = default;
    friend bool operator==(const attest_identity&, const attest_identity&) = default;
};

class attest_record_file {
public:
    /// Opens `path`, or begins it, and reads what is known into `history`. What was sent by an earlier process and has
    /// no outcome is added as unknown. `path`.sent holds what is under way; it stays, empty.
    ///
    /// folder_mismatch where the file is of another service or model, or in use by another process; bad_input where it
    /// is another kind of file; io. A last line that was not written whole is dropped.
    static result<attest_record_file> open(const std::string& path, const attest_identity& identity,
                                           claim_history& history);

    /// The line that a record was read from, as it is in the file now.
    [[nodiscard]] result<std::string> read_again(const claim_record& record) const;

    [[nodiscard]] const std::string& path() const noexcept { return path_; }

    /// Durably, before a claim is sent: its number.
    result<std::uint64_t> begin(const row_claim& claim);

    /// Durably: what came of it.
    result<void> finish(std::uint64_t number, const claim_record& record);

    /// Nothing came of it: it certainly had no effect.
    result<void> withdraw(std::uint64_t number);

private:
    attest_record_file() = default;
    result<void> read(const attest_identity& identity, claim_history& history);
    result<void> recover(claim_history& history);
    result<void> append(storage::unique_fd& fd, std::uint64_t& end, const std::string& path, const std::string& line);

    std::string path_;
    std::string sent_path_;
    storage::file_lock lock_;
    storage::unique_fd fd_;
    storage::unique_fd sent_fd_;
    std::uint64_t end_ = 0;
    std::uint64_t sent_end_ = 0;
    std::uint64_t next_number_ = 1;
    std::uint64_t under_way_ = 0;
};

}  // namespace vembed::attest
