#pragma once
/// What the SQLite journal keeps in its rows, and the checksums over it.

#include <cstdint>
#include <string>
#include <string_view>

#include <vembed/journal/journal.hpp>

namespace vembed::journal {

/// The first 64 bits of a SHA-256 over numbers and texts, each told from the next.
class row_hash {
public:
    row_hash& add(std::uint64_t number);
    row_hash& add(std::string_view text);
    [[nodiscard]] std::uint64_t value() const;

private:
    std::string bytes_;
};

/// A batch as its row holds it.
class stored_batch {
public:
    std::uint64_t number = 0;
    std::uint64_t state = 0;
    std::string ranges;  ///< As to_text() writes them.
    std::string job_id;
    std::uint64_t chunks = 0;
    std::int64_t intended_at_ms = 0;

    stored_batch() = default;
    [[nodiscard]] std::uint64_t checksum() const;
};

/// What the record says, its checksum aside; nothing where it is none that a journal writes.
std::optional<journalled_batch> read_batch(stored_batch stored);

std::uint64_t failed_row_checksum(std::uint64_t row);

/// The facts that are yes or no, as one number.
std::uint64_t observations_of(const run_facts& facts) noexcept;
void set_observations(run_facts& facts, std::uint64_t stored) noexcept;

/// The one row about the run.
class run_record {
public:
    run_identity identity;
    run_facts facts;
    std::uint64_t chunks_forgotten = 0;  ///< Charged by jobs that were forgotten.
    std::uint64_t next_batch = 0;
    std::uint64_t commits = 0;      ///< So far, this row's own among them.
    std::uint64_t content_sum = 0;  ///< Of the checksums of all other rows, modulo 2^64.

    run_record() = default;
    [[nodiscard]] std::uint64_t checksum() const;
};

/// Says of a change what is wrong with it whatever the journal holds; empty: nothing.
std::string why_refused(const journal_change& change);

/// Whether a batch in state `from` can take the change, which is about a batch that exists.
bool may_follow(batch_state from, journal_change::action what) noexcept;

}  // namespace vembed::journal
