#pragma once
/// @file
/// What was found in a folder, as values: each check has a verdict, its basis, counts and findings.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <vembed/verify/offline_check.hpp>

namespace vembed {

/// One thing that is wrong, and its place.
class check_finding {
public:
    std::string what;                  ///< A sentence for people; it names the place too.
    std::optional<std::uint64_t> row;  ///< The row's number in the corpus.
    std::string row_id;                ///< The row's id in ids.jsonl; empty if it has none.
    std::optional<std::uint64_t> chunk;
    std::string job_id;
    std::string receipt_id;

    check_finding() = default;
    explicit check_finding(std::string text) : what(std::move(text)) {}
};

/// One kind of check, made many times: once for each file, row, chunk or job.
class check_tally {
public:
    std::string name;             ///< A stable name, see folder_check_names().
    std::string shows;            ///< What the check shows if it is verified, in words for people.
    std::string unit;             ///< What is counted: "files", "jobs", "chunks", "rows".
    bool required = false;        ///< Whether `not_checkable` counts against the folder.
    bool none_is_fine = false;    ///< The check holds if there is nothing to check.
    bool hidden_if_none = false;  ///< If there is nothing to check, the page shows it only if it is required.
    std::uint64_t verified = 0;
    std::uint64_t failed = 0;
    std::uint64_t not_checkable = 0;
    std::vector<check_finding> findings;  ///< What failed; at most findings_max are kept.
    std::string reason;                   ///< The reason of the first thing that is not checkable.

    static constexpr std::size_t findings_max = 20;
    static constexpr std::size_t bases_max = 4;

    check_tally() = default;
    check_tally(std::string_view check_name, std::string_view check_basis, std::string_view counted_unit,
                std::string_view what_it_shows);

    // How a check is counted. A check of one's own can be made in the same way.
    void pass(std::uint64_t count = 1) { verified += count; }
    void fail(std::string finding) { fail(check_finding(std::move(finding))); }
    void fail(check_finding finding);
    void leave(std::string_view why, std::uint64_t count = 1);

    /// Whether the next fail() keeps its finding; if not, the caller need not build its text.
    [[nodiscard]] bool wants_finding() const noexcept { return failed < findings_max; }

    /// Adds to the basis of the check.
    void note_basis(std::string_view on);

    /// "recorded", "specified", "implied", "assumed:<scheme>" or "pinned:<scheme>"; several are joined by " and ". It
    /// is "none" if nothing was checked.
    [[nodiscard]] std::string basis() const;

    /// The number of things that were looked at.
    [[nodiscard]] std::uint64_t all() const noexcept { return verified + failed + not_checkable; }

    /// Whether the page shows the check.
    [[nodiscard]] bool spoken_of() const noexcept { return all() > 0 || required || !hidden_if_none; }

    /// `failed` if anything failed, `verified` if everything is verified, else `not_checkable`. If there was nothing to
    /// check, none_is_fine decides between `verified` and `not_checkable`.
    [[nodiscard]] check_verdict verdict() const noexcept;

private:
    std::vector<std::string> bases_;
};

/// The verdict over all checks of a folder.
class folder_judgement {
public:
    /// `failed` if a check failed; otherwise `not_checkable` if a required check is not checkable.
    check_verdict verdict = check_verdict::verified;
    std::vector<std::string> failed;   ///< The names of what failed.
    std::vector<std::string> missing;  ///< The names of required checks that are not checkable.
    std::vector<std::string> open;     ///< The shown checks but origin that are neither checkable nor required.

    folder_judgement() = default;

    /// "verified", "failed: …" or "not everything could be checked: …", with the names of the checks.
    [[nodiscard]] std::string text() const;
};

/// The check that can only be made by asking the service.
inline constexpr std::string_view online_check = "service_check_now";

/// Every name that a check of a folder can have, in the order of the page.
std::vector<std::string> folder_check_names();

}  // namespace vembed
