#include "journal/journal_reading.hpp"

#include <array>
#include <filesystem>
#include <functional>
#include <system_error>
#include <utility>

#include "core/row_ranges.hpp"
#include "journal/journal_note.hpp"
#include "storage/file_lock.hpp"

namespace vembed {
namespace journal {
namespace {

// If a writer folds its log into the file during a reading, that reading is inconsistent. This is rare.
constexpr int readings_max = 20;

class reading {
public:
    reading(const std::string& path, const prior_visitor& visitor) : path_(&path), visitor_(&visitor) {}

    result<std::optional<journal_content>> read();

private:
    result<bool> check_format();
    result<void> read_run();
    result<void> read_batches();
    result<void> read_failed_rows();
    result<void> take(stored_batch stored);
    result<void> check_note(const std::optional<commit_note>& note) const;
    result<void> for_each(const std::string& sql, const std::function<result<void>(const storage::statement&)>& row);
    [[nodiscard]] error damaged(const std::string& why) const { return journal_cannot_be_trusted(*path_, why); }

    const std::string* path_;
    const prior_visitor* visitor_;
    storage::database db_;
    journal_content content_;
    std::uint64_t sum_ = 0;
};

// The note is read first, so that a commit made meanwhile only makes the journal newer than the note.
result<std::optional<journal_content>> reading::read() {
    const auto note = read_note(*path_ + ".lock");
    if (!note) {
        return note.error();
    }
    std::error_code unknown;
    const auto size = std::filesystem::file_size(*path_, unknown);
    bool any = !unknown && size > 0;
    if (any) {
        auto opened = storage::database::open_unlocked(*path_);
        if (!opened) {
            return opened.error();
        }
        db_ = std::move(*opened);
        // One transaction covers the whole reading, so that all of it is from one commit.
        if (auto begun = db_.execute("BEGIN"); !begun) {
            return begun.error();
        }
        const auto known = check_format();
        if (!known) {
            return known.error();
        }
        any = *known;
    }
    for (const auto step : {&reading::read_run, &reading::read_batches, &reading::read_failed_rows}) {
        if (any) {
            if (auto done = (this->*step)(); !done) {
                return done.error();
            }
        }
    }
    if (any && sum_ != content_.run.content_sum) {
        return damaged("rows are missing in it, or it has rows it should not have");
    }
    if (auto whole = check_note(*note); !whole) {
        return whole.error();
    }
    return any ? std::optional(std::move(content_)) : std::nullopt;
}

// Returns false if there is nothing in the file yet.
result<bool> reading::check_format() {
    auto tables = db_.integer("SELECT count(*) FROM sqlite_schema");
    auto application = db_.integer("PRAGMA application_id");
    auto version = db_.integer("PRAGMA user_version");
    for (const auto* read : {&tables, &application, &version}) {
        if (!*read) {
            return read->error();
        }
    }
    if (*tables == 0 && *application == 0 && *version == 0) {
        return false;
    }
    if (*application != journal_application_id) {
        return error(errc::folder_mismatch, *path_ + " is a database of another program; choose another folder");
    }
    if (*version != journal_schema_version) {
        return error(errc::folder_mismatch,
                     *path_ + " has the format " + std::to_string(*version) + ", this version reads " +
                         std::to_string(journal_schema_version) +
                         "; go on with the version that began the run, or choose another folder");
    }
    auto verdict = db_.text("PRAGMA quick_check(1)");
    if (!verdict) {
        return verdict.error();
    }
    if (*verdict != "ok") {
        return damaged(*verdict);
    }
    return true;
}

result<void> reading::read_run() {
    auto row = db_.prepare(
        "SELECT service, model, spec_sha256, corpus, spec_hash, dimensions, rows_per_chunk, observations, "
        "baseline_chunks, baseline_period, baseline_at, extra_chunks, chunks_forgotten, next_batch, commits, "
        "content_sum, checksum, baseline_known FROM run WHERE id = 1");
    if (!row) {
        return row.error();
    }
    auto found = row->step();
    if (!found) {
        return found.error();
    }
    if (!*found) {
        return damaged("it does not say which run it belongs to");
    }
    const auto number = [&row](int column) { return static_cast<std::uint64_t>(row->integer(column)); };
    run_record& run = content_.run;
    run.identity.service = row->text(0);
    run.identity.model = row->text(1);
    run.identity.spec_sha256 = row->text(2);
    run.identity.corpus = row->text(3);
    run.facts.spec_hash = row->text(4);
    run.facts.dimensions = number(5);
    run.facts.rows_per_chunk = number(6);
    set_observations(run.facts, number(7));
    if (number(17) != 0) {
        account_baseline& baseline = run.facts.baseline.emplace();
        baseline.chunks_consumed_period = number(8);
        baseline.period = row->text(9);
        baseline.taken_at = wall_time(std::chrono::milliseconds(row->integer(10)));
    }
    run.facts.extra_chunks = number(11);
    run.chunks_forgotten = number(12);
    run.next_batch = number(13);
    run.commits = number(14);
    run.content_sum = number(15);
    if (number(16) != run.checksum()) {
        return damaged("what it says of its run was changed");
    }
    content_.prior.facts = run.facts;
    content_.prior.chunks_charged = run.chunks_forgotten;
    content_.prior.next_batch = run.next_batch;
    return {};
}

result<void> reading::for_each(const std::string& sql,
                               const std::function<result<void>(const storage::statement&)>& row) {
    auto rows = db_.prepare(sql);
    if (!rows) {
        return rows.error();
    }
    for (;;) {
        auto more = rows->step();
        if (!more) {
            return more.error();
        }
        if (!*more) {
            return {};
        }
        if (auto taken = row(*rows); !taken) {
            return taken;
        }
    }
}

result<void> reading::read_batches() {
    return for_each(std::string(select_batch_columns) + "ORDER BY number",
                    [this](const storage::statement& row) -> result<void> {
                        auto stored = read_stored_batch(row, *path_);
                        return stored ? take(std::move(*stored)) : result<void>(stored.error());
                    });
}

result<void> reading::take(stored_batch stored) {
    sum_ += stored.checksum();
    const std::uint64_t number = stored.number;
    std::optional<journalled_batch> read = read_batch(std::move(stored));
    if (!read || number >= content_.run.next_batch) {
        return damaged("batch " + std::to_string(number) + " makes no sense");
    }
    journalled_batch& batch = *read;
    prior_run& prior = content_.prior;
    prior.chunks_charged += batch.job_id.empty() ? 0 : batch.chunks;
    if (batch.state == batch_state::done) {
        ++prior.batches_done;
        for (const auto& [first, last] : batch.rows) {
            prior.rows_done += last - first;
        }
        if (visitor_->done) {
            return visitor_->done(batch);
        }
    }
    prior.batches.push_back(std::move(batch));
    return {};
}

result<void> reading::read_failed_rows() {
    std::optional<std::pair<std::uint64_t, std::uint64_t>> range;
    auto read = for_each("SELECT number FROM failed_row ORDER BY number",
                         [this, &range](const storage::statement& row) -> result<void> {
                             const auto number = static_cast<std::uint64_t>(row.integer(0));
                             sum_ += failed_row_checksum(number);
                             ++content_.prior.rows_failed;
                             if (!visitor_->failed) {
                                 content_.prior.failed_rows.push_back(number);
                                 return {};
                             }
                             if (range && range->second == number) {
                                 ++range->second;
                                 return {};
                             }
                             const auto before = std::exchange(range, std::pair(number, number + 1));
                             return before ? visitor_->failed(before->first, before->second) : result<void>();
                         });
    if (read && range) {
        read = visitor_->failed(range->first, range->second);
    }
    return read;
}

result<void> reading::check_note(const std::optional<commit_note>& note) const {
    const std::uint64_t commits = content_.run.commits;
    if (!note || note->commits < commits || (note->commits == commits && note->checksum == content_.run.checksum())) {
        return {};
    }
    return damaged("commit " + std::to_string(note->commits) + " was made and is not in it (it has " +
                   std::to_string(commits) +
                   "): it is older than its .lock file, or its -wal file was removed or "
                   "damaged");
}

}  // namespace

error journal_cannot_be_trusted(const std::string& path, const std::string& why) {
    return {errc::journal_damaged, "the journal " + path + " cannot be trusted: " + why +
                                       "; restore it from a copy, or start a new run in another folder"};
}

result<void> compare_identity(const std::string& path, const run_identity& then, const run_identity& now) {
    struct field {
        const char* name;
        std::string run_identity::*text;
    };
    constexpr std::array<field, 4> fields{{{"service", &run_identity::service},
                                           {"model", &run_identity::model},
                                           {"specification (SHA-256)", &run_identity::spec_sha256},
                                           {"corpus (SHA-256 of content and format)", &run_identity::corpus}}};
    std::string differs;
    for (const field& each : fields) {
        if (then.*each.text != now.*each.text) {
            differs += std::string(differs.empty() ? "its " : "; its ") + each.name + " is \"" + then.*each.text +
                       "\", this run's is \"" + now.*each.text + "\"";
        }
    }
    return differs.empty()
               ? result<void>()
               : error(errc::folder_mismatch, "the journal " + path + " belongs to another run: " + differs +
                                                  "; repeat that run, or choose another folder");
}

result<stored_batch> read_stored_batch(const storage::statement& row, const std::string& path) {
    stored_batch batch;
    batch.number = static_cast<std::uint64_t>(row.integer(0));
    batch.state = static_cast<std::uint64_t>(row.integer(1));
    batch.ranges = row.text(2);
    batch.job_id = row.text(3);
    batch.chunks = static_cast<std::uint64_t>(row.integer(4));
    batch.intended_at_ms = row.integer(5);
    if (static_cast<std::uint64_t>(row.integer(6)) != batch.checksum() || batch.state > 3) {
        return journal_cannot_be_trusted(path, "batch " + std::to_string(batch.number) + " was changed");
    }
    return batch;
}

result<std::optional<journal_content>> read_journal_content(const std::string& path, const prior_visitor& visitor) {
    return reading(path, visitor).read();
}

result<journal_reading> read_journal_and_failed(const std::string& path, row_ranges* failed) {
    prior_visitor visitor;
    visitor.done = [](const journalled_batch&) { return result<void>(); };
    visitor.failed = [failed](std::uint64_t first, std::uint64_t last) {
        if (failed != nullptr) {
            failed->emplace_back(first, last);
        }
        return result<void>();
    };
    for (int tries = 1;; ++tries) {
        if (failed != nullptr) {
            failed->clear();
        }
        const bool held_before = storage::file_lock::held(path + ".lock");
        auto content = read_journal_content(path, visitor);
        const bool in_use = held_before || storage::file_lock::held(path + ".lock");
        if (content && !*content) {
            return error(errc::io, "there is no journal at " + path + (in_use ? " yet" : "") +
                                       ": no run has begun in that folder");
        }
        if (content) {
            journal_reading read;
            read.identity = std::move((*content)->run.identity);
            read.run = std::move((*content)->prior);
            read.in_use = in_use;
            return read;
        }
        // If another process writes, or just did, the reading may be torn. A new try succeeds then, but not after
        // damage.
        if (!in_use && tries > 1) {
            return content.error();
        }
        if (tries == readings_max) {
            return error(errc::io, "the journal " + path + " could not be read while a process writes it (" +
                                       content.error().message + "); try again");
        }
    }
}

}  // namespace journal

result<journal_reading> read_journal(const std::string& path) {
    return journal::read_journal_and_failed(path, nullptr);
}

}  // namespace vembed
