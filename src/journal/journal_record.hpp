#pragma once
/// The content of the SQLite journal's rows, and the checksums over it.

#include <cstdint>
#include <string>
#include <string_view>

#include <vembed/journal/journal.hpp>

namespace vembed::journal {

/// The first 64 bits of a SHA-256 over numbers and texts. Their encoding keeps each apart from the next.
class row_hash {
public:
    row_hash& add(std::uint64_t number);
    row_hash& add(std::string_view text);
    [[nodiscard]] std::uint64_t value() const;

private:
    std::string bytes_;
};

/// A batch in the form that its row has.
class stored_batch {
public:
    std::uint64_t number = 0;
    std::uint64_t state = 0;
    std::string ranges;  ///< In the form that to_text() writes.
    std::string job_id;
    std::uint64_t chunks = 0;
    std::int64_t intended_at_ms = 0;

    stored_batch() = default;
    [[nodiscard]] std::uint64_t checksum() const;
};

/// Reads the row without its checksum. Returns nothing if no journal writes such a row.
std::optional<journalled_batch> read_batch(stored_batch stored);

std::uint64_t failed_row_checksum(std::uint64_t row);

/// Encodes the boolean facts as one number.
std::uint64_t observations_of(const run_facts& facts) noexcept;
void set_observations(run_facts& facts, std::uint64_t stored) noexcept;

/// The one row about the run.
class run_record {
public:
    run_identity identity;
    run_facts facts;
    std::uint64_t chunks_forgotten = 0;  ///< Chunks charged by jobs that were forgotten.
    std::uint64_t next_batch = 0;
    std::uint64_t commits = 0;      ///< The commits so far, including the one that wrote this row.
    std::uint64_t content_sum = 0;  ///< The sum of the checksums of all other rows, modulo 2^64.

    run_record() = default;
    [[nodiscard]] std::uint64_t checksum() const;
};

/// What is wrong with a change, independent of the journal's content; empty if nothing is.
std::string why_refused(const journal_change& change);

/// Whether the change is allowed for an existing batch in state `from`.
bool may_follow(batch_state from, journal_change::action what) noexcept;

}  // namespace vembed::journal
