#pragma once
/// The output file of attest_corpus(): one line for each request and its outcome. The next call continues from it.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <boost/json/object.hpp>

#include <vembed/attest/attest_corpus.hpp>
#include <vembed/core/result.hpp>

#include "storage/file_lock.hpp"
#include "storage/file_ops.hpp"

namespace vembed::attest {

/// A claim and its line in the output file.
class recorded_claim : public claim_record {
public:
    std::uint64_t offset = 0;      ///< The byte at which the line begins.
    std::uint64_t line_bytes = 0;  ///< The line's length without its end; 0 if it was not read from the file.
    std::uint64_t line = 0;        ///< The line's number, from 1; 0 if it was not read from the file.

    recorded_claim() = default;
    explicit recorded_claim(claim_record record) : claim_record(std::move(record)) {}
};

/// The line of a record, without its end.
std::string line_of(const claim_record& record);

/// The JSON object of such a line; empty if the line is none. The line holds the service's text as received, so a byte
/// order mark before the receipt is skipped and halves of surrogate pairs are replaced. The result must not be hashed.
std::optional<boost::json::object> outcome_object(std::string_view line);

/// Reads the record of such a line, without `checks` and `receipt`; empty if the line is none.
std::optional<claim_record> record_of(std::string_view line);

/// The known claims and their outcomes. A later claim replaces earlier ones about any of its rows, unless they are
/// attested.
class claim_history {
public:
    claim_history() = default;

    /// False if rows that are attested would be attested again.
    bool add(const recorded_claim& record);

    /// at() returns the claim that begins at row `first`, if one does; next_after() the row at which the next one
    /// begins.
    [[nodiscard]] const recorded_claim* at(std::uint64_t first) const;
    [[nodiscard]] std::optional<std::uint64_t> next_after(std::uint64_t first) const;

private:
    std::map<std::uint64_t, recorded_claim> by_row_;  // The key is the first row; receipts are left out.
};

/// The service and the model of a file's claims, as its first line names them.
class attest_identity {
public:
    std::string service;
    std::string model;
    std::string spec_sha256;  ///< SHA-256 of the older form's specification; empty if a model is named.

    attest_identity() = default;
    friend bool operator==(const attest_identity&, const attest_identity&) = default;
};

class attest_record_file {
public:
    /// Opens or creates `path` and reads the known claims into `history`. A claim that an earlier process sent and that
    /// has no outcome is added as unknown. `path`.sent lists the claims under way; the file stays, empty.
    ///
    /// The error is folder_mismatch if the file is of another service or model, or in use by another process; bad_input
    /// if it is another kind of file; or io. A last line that was not written whole is dropped.
    static result<attest_record_file> open(const std::string& path, const attest_identity& identity,
                                           claim_history& history);

    /// The line that a record was read from, as it is in the file now.
    [[nodiscard]] result<std::string> read_again(const recorded_claim& record) const;

    [[nodiscard]] const std::string& path() const noexcept { return path_; }

    /// Records durably that a claim is about to be sent. Returns the claim's number.
    result<std::uint64_t> begin(const row_claim& claim);

    /// Records a claim's outcome durably.
    result<void> finish(std::uint64_t number, const claim_record& record);

    /// Takes a claim back whose request certainly had no effect.
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
