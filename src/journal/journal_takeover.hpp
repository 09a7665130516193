#pragma once
/// Decides whether another run may use a journal that a run left.

#include <memory>
#include <string>

#include <vembed/journal/journal.hpp>

namespace vembed::journal {

/// The files beside a journal that describe the rows of its corpus.
class files_beside {
public:
    files_beside() = default;
    files_beside(const files_beside&) = delete;
    files_beside& operator=(const files_beside&) = delete;
    virtual ~files_beside() = default;

    /// Whether a run of any corpus may take the journal over, which holds `left`, and the files with it.
    [[nodiscard]] virtual bool take_any_corpus(const prior_run& left) const = 0;
    /// Removes the files' descriptions of the corpus's texts.
    virtual result<void> remove_descriptions() = 0;
};

/// Whether nothing was bought, no submission is in doubt and no row came from a cache.
bool has_nothing_bought(const prior_run& left);

/// Whether a run of another service or model may take a journal over: it may if nothing was bought. A start that failed
/// (a mistyped model or address, a refused key) leaves such a journal. The corpus must be the same, since the files
/// beside the journal describe its rows.
bool may_be_taken_over(const run_identity& then, const run_identity& now, const prior_run& left);

/// Like make_sqlite_journal(path), for a journal with files beside it. If these take any corpus, opening it for another
/// corpus removes the files' descriptions of the old texts.
std::unique_ptr<run_journal> make_sqlite_journal(std::string path, std::unique_ptr<files_beside> beside);

}  // namespace vembed::journal
