#pragma once
/// Which row of a corpus had a text first, and the rows that wait for such a row. On disk; flat memory for any corpus.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <vembed/core/result.hpp>
#include <vembed/corpus/source.hpp>
#include <vembed/verify/sha256.hpp>

#include "storage/file_ops.hpp"
#include "storage/nameless_file.hpp"

namespace vembed::reuse {

/// A row whose text an earlier row, the original, has.
class deferred_row {
public:
    std::uint64_t row = 0;
    std::uint64_t original = 0;
    std::uint64_t described_at = 0;  ///< For dedup_index::describe.

    deferred_row() = default;
};

/// An append-only file without a name, gathered in memory up to a small size.
class spill_file {
public:
    spill_file() = default;
    explicit spill_file(storage::nameless_file file) : file_(std::move(file)) {}

    result<void> append(const void* from, std::size_t size);

    /// Exactly `size` bytes at `offset`, all of which were appended.
    result<void> read(void* into, std::size_t size, std::uint64_t offset);

    /// Bytes appended.
    [[nodiscard]] std::uint64_t size() const noexcept { return written_ + pending_.size(); }

    /// Where the file is, for messages.
    [[nodiscard]] const std::string& place() const noexcept { return file_.place(); }

private:
    result<void> write_out();

    storage::nameless_file file_;
    std::string pending_;
    std::uint64_t written_ = 0;
};

/// The index lives as long as this object, in files that have no names: nothing is left behind however the process
/// ends. It is filled anew by each process that reads the corpus.
///
/// Texts are told apart by the first 24 bytes of their SHA-256. A text costs 32 bytes in a hash table of one slot a
/// text, at most 13/20 full, which lies in the operating system's page cache and not in this process: about 50 to 100
/// bytes of disk a text. Memory is about 200 KB however many rows there are.
///
/// One thread at a time. Failures are io, with the folder and what to do (most often: no space left there); after one
/// the index is not to be used any longer.
class dedup_index {
public:
    /// `folder` must exist and take files; empty: $TMPDIR, or /var/tmp where that is not set, else memory, 1 GiB a
    /// file. A limit on file sizes that leaves no room there has files go on in memory. `ops` outlives it.
    static result<std::unique_ptr<dedup_index>> create(std::string folder,
                                                       storage::file_ops& ops = storage::system_file_ops());

    /// The row that was added with this text before; nothing where `row` is the first, which it is from now on. Asking
    /// again for a row that is the first of its text gives nothing again.
    result<std::optional<std::uint64_t>> find_or_add(const digest& text, std::uint64_t row);

    /// Remembers that `row` waits for `original`. Rows come in ascending order (else invalid_argument).
    result<void> defer(std::uint64_t row, std::uint64_t original, const source_row& described);

    /// Up to `most` deferred rows from row number `first` on, ascending. Walk all of them by asking again from the last
    /// one's number plus one; rows deferred meanwhile are found too.
    result<std::vector<deferred_row>> deferred_from(std::uint64_t first, std::size_t most);

    /// What was deferred with a row that deferred_from gave.
    result<source_row> describe(const deferred_row& deferred);

    /// Different texts so far.
    [[nodiscard]] std::uint64_t texts() const noexcept { return texts_; }
    [[nodiscard]] std::uint64_t deferred() const noexcept { return deferred_; }

private:
    struct slot {
        std::array<std::uint64_t, 3> key{};  ///< Of the digest's first 24 bytes; key[0] decides the place.
        std::uint64_t row_plus_one = 0;      ///< 0: the slot is empty.
    };
    /// Where a key is, or would go.
    struct place {
        std::uint64_t index = 0;
        std::uint64_t row_plus_one = 0;
    };

    class window;

    dedup_index(std::string folder, storage::file_ops& ops) : ops_(&ops), folder_(std::move(folder)) {}
    result<void> open_files();
    result<storage::nameless_file> open_table(std::uint64_t capacity_bits);
    result<std::optional<place>> find(const slot& wanted);
    result<void> grow();
    result<bool> refill(storage::nameless_file& into, std::uint64_t capacity_bits);
    result<deferred_row> deferred_at(std::uint64_t number);

    storage::file_ops* ops_;
    std::string folder_;     ///< Empty: memory.
    std::string in_memory_;  ///< What memory is called in messages, then.
    storage::nameless_file table_;
    std::uint64_t capacity_bits_ = 0;
    std::uint64_t texts_ = 0;
    spill_file waiting_;       ///< A fixed-size record a deferred row.
    spill_file descriptions_;  ///< Their ids, origins and texts.
    std::uint64_t deferred_ = 0;
    std::uint64_t last_deferred_ = 0;
};

}  // namespace vembed::reuse
