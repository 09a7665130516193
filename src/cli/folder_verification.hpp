#pragma once
/// Checks an output folder against itself and against its receipts, offline. Each check says what it rests on.

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vembed/core/result.hpp>
#include <vembed/verify/sha256.hpp>

#include "cli/embedding_file.hpp"
#include "cli/manifest.hpp"
#include "cli/receipts_file.hpp"

namespace vembed::cli {

enum class check_answer : std::uint8_t { verified, failed, not_checkable };

std::string_view to_string(check_answer answer) noexcept;

/// One thing that is checked many times: for each file, job or chunk.
class check_tally {
public:
    std::string name;
    std::string basis;      ///< "recorded", "specified", "implied", "assumed:rfc8785+rfc6962".
    std::string unit;       ///< What is counted: "files", "jobs", "chunks", "rows".
    bool required = false;  ///< Whether `not_checkable` counts against the folder.
    std::uint64_t verified = 0;
    std::uint64_t failed = 0;
    std::uint64_t not_checkable = 0;
    std::vector<std::string> findings;  ///< What failed, at most findings_max of them.
    std::string reason;                 ///< Why something is not checkable.

    static constexpr std::size_t findings_max = 20;

    check_tally() = default;
    check_tally(std::string check_name, std::string check_basis, std::string check_unit, bool is_required)
        : name(std::move(check_name)),
          basis(std::move(check_basis)),
          unit(std::move(check_unit)),
          required(is_required) {}

    void pass(std::uint64_t count = 1) { verified += count; }
    void fail(std::string finding);
    void leave(std::string why, std::uint64_t count = 1);

    /// `failed` where anything did; else `not_checkable` where anything is; else `verified`.
    [[nodiscard]] check_answer answer() const noexcept;
};

/// A check whose rule is not specified by the service: the first thing that follows the rule pins it for the folder,
/// and only then does another that does not follow it count as failed.
class pinned_check {
public:
    explicit pinned_check(check_tally tally) : tally_(std::move(tally)) {}
    void match() { tally_.pass(); }
    void differ(std::string finding);
    void leave(std::string why) { tally_.leave(std::move(why)); }

    /// `certain`: differences count even where nothing followed the rule, since the bytes are known to have changed.
    check_tally judge(bool certain);

private:
    check_tally tally_;
    std::uint64_t different_ = 0;
    std::vector<std::string> findings_;
};

/// What was found.
class folder_report {
public:
    std::vector<check_tally> checks;
    bool complete = false;
    std::uint64_t rows = 0;
    std::uint64_t dimensions = 0;
    std::uint64_t jobs = 0;
    std::uint64_t chunks = 0;
    std::uint64_t chunks_sampled = 0;
    std::uint64_t rows_in_receipts = 0;         ///< Bought by the folder's own jobs.
    std::uint64_t rows_copied = 0;              ///< Copies of rows with the same text.
    std::uint64_t rows_copied_from_cached = 0;  ///< Of those, of rows that came from the cache.
    std::uint64_t rows_cached = 0;              ///< Bought by other runs; their receipts are with those.
    std::vector<std::string> receipt_ids;

    folder_report() = default;
};

/// Checks everything that can be checked without the service. Fails where the folder cannot be read at all: io where
/// there are no embeddings, cancelled at the first Ctrl-C. Anything that is there and wrong is in the report.
result<folder_report> verify_folder(const std::string& folder);

}  // namespace vembed::cli
