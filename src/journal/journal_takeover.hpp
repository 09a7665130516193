#pragma once
/// Whether a journal that a run left may be used by another run.

#include <memory>
#include <string>

#include <vembed/journal/journal.hpp>

namespace vembed::journal {

/// What lies beside a journal and tells of its corpus' rows.
class files_beside {
public:
    files_beside() = default;
    files_beside(const files_beside&) = delete;
    files_beside& operator=(const files_beside&) = delete;
    virtual ~files_beside() = default;

    /// Whether they may hold rows of a result, or cannot be looked at.
    [[nodiscard]] virtual bool may_hold_rows() const = 0;
    /// Removes what they tell of the corpus' texts.
    virtual result<void> remove_descriptions() = 0;
};

/// Nothing was bought, nothing may have been, and no row came from a cache.
bool has_nothing_bought(const prior_run& left);

/// Whether a run of another service or model may take a journal over: nothing was bought. A start that failed (a
/// mistyped model or address, a refused key) leaves it so. The corpus must be the same, since the files beside the
/// journal tell of its rows.
bool may_be_taken_over(const run_identity& then, const run_identity& now, const prior_run& left);

/// As make_sqlite_journal(path), of a journal with files beside it: while nothing was bought and they hold no rows, any
/// corpus may take it over, and opening it for another one removes what they tell of the texts before.
std::unique_ptr<run_journal> make_sqlite_journal(std::string path, std::unique_ptr<files_beside> beside);

}  // namespace vembed::journal
