#pragma once
/// What `vembed verify` found, as values: each check with its verdict, what it rests on, counts and findings.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <vembed/verify/offline_check.hpp>

namespace vembed::audit {

/// One thing that is wrong, and where.
class check_finding {
public:
    std::string what;                  ///< For people; names the place too.
    std::optional<std::uint64_t> row;  ///< Of the corpus.
    std::string row_id;                ///< The row's id in ids.jsonl; empty where it has none.
    std::optional<std::uint64_t> chunk;
    std::string job_id;
    std::string receipt_id;

    check_finding() = default;
    explicit check_finding(std::string text) : what(std::move(text)) {}
};

/// One thing that is checked many times: for each file, row, chunk or job.
class check_tally {
public:
    std::string name;             ///< Stable: what --require and --json call it.
    std::string shows;            ///< For people: what it shows where it is verified.
    std::string unit;             ///< What is counted: "files", "jobs", "chunks", "rows".
    bool required = false;        ///< Whether `not_checkable` counts against the folder.
    bool none_is_fine = false;    ///< Where there is nothing to check, the check holds.
    bool hidden_if_none = false;  ///< Where there is nothing to check, it is spoken of only where it is required.
    std::uint64_t verified = 0;
    std::uint64_t failed = 0;
    std::uint64_t not_checkable = 0;
    std::vector<check_finding> findings;  ///< What failed, at most findings_max of them.
    std::string reason;                   ///< Why something is not checkable: of the first.

    static constexpr std::size_t findings_max = 20;
    static constexpr std::size_t bases_max = 4;

    check_tally() = default;
    check_tally(std::string_view check_name, std::string_view check_basis, std::string_view counted_unit,
                std::string_view what_it_shows);

    void pass(std::uint64_t count = 1) { verified += count; }
    void fail(std::string finding) { fail(check_finding(std::move(finding))); }
    void fail(check_finding finding);
    void leave(std::string_view why, std::uint64_t count = 1);

    /// Whether the next fail() keeps its finding: the text of one that is not kept need not be built.
    [[nodiscard]] bool wants_finding() const noexcept { return failed < findings_max; }

    /// Adds to what the check rests on.
    void note_basis(std::string_view on);

    /// "recorded", "specified", "implied", "assumed:<scheme>", "pinned:<scheme>"; several joined by " and ". "none"
    /// where nothing was checked.
    [[nodiscard]] std::string basis() const;

    /// How many there were.
    [[nodiscard]] std::uint64_t all() const noexcept { return verified + failed + not_checkable; }

    [[nodiscard]] bool spoken_of() const noexcept { return all() > 0 || required || !hidden_if_none; }

    /// `failed` where anything did; `verified` where all is; else `not_checkable`. Where there was nothing,
    /// none_is_fine says which of the two.
    [[nodiscard]] check_verdict verdict() const noexcept;

private:
    std::vector<std::string> bases_;
};

/// What all checks together come to.
enum class overall_verdict : std::uint8_t { verified, failed, not_everything };

class overall_judgement {
public:
    overall_verdict verdict = overall_verdict::verified;
    std::vector<std::string> failed;   ///< The names of what failed.
    std::vector<std::string> missing;  ///< The names of required checks that are not checkable.
    std::vector<std::string> open;     ///< The names of the others that are not and are spoken of, origin left out.

    overall_judgement() = default;

    /// "verified", "failed: …" or "not everything could be checked: …", naming the checks.
    [[nodiscard]] std::string text() const;
};

/// Judges all checks. Pure.
overall_judgement judge(std::span<const check_tally> checks);

/// Marks as required what `names` says; "all" is every one of `checks` but origin.
void require(std::span<check_tally> checks, std::span<const std::string> names);

/// The check that only asking the service can make.
inline constexpr std::string_view online_check = "service_check_now";

/// Every name that a check can have, in the order of the page, and "all".
std::vector<std::string> requirable_checks();

}  // namespace vembed::audit
