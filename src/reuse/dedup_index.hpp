#pragma once
/// An index on disk of which row of a corpus had a text first, and of the rows that wait for such a row. Its memory
/// does not grow with the corpus.

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

/// A row with the same text as an earlier row, which is its original.
class deferred_row {
public:
    std::uint64_t row = 0;
    std::uint64_t original = 0;
    std::uint64_t described_at = 0;  ///< The offset that dedup_index::describe needs.

    deferred_row() = default;
};

/// An append-only file without a name. Small appends are gathered in memory.
class spill_file {
public:
    spill_file() = default;
    explicit spill_file(storage::nameless_file file) : file_(std::move(file)) {}

    result<void> append(const void* from, std::size_t size);

    /// Reads exactly `size` bytes at `offset`; all of them must have been appended.
    result<void> read(void* into, std::size_t size, std::uint64_t offset);

    /// The number of bytes appended.
    [[nodiscard]] std::uint64_t size() const noexcept { return written_ + pending_.size(); }

    /// The location of the file, for messages.
    [[nodiscard]] const std::string& place() const noexcept { return file_.place(); }

private:
    result<void> write_out();

    storage::nameless_file file_;
    std::string pending_;
    std::uint64_t written_ = 0;
};

/// The index lives as long as this object. Its files have no names, so nothing is left behind however the process ends.
/// Each process that reads the corpus fills its own index.
///
/// The key of a text is the first 24 bytes of its SHA-256. A text takes one 32-byte slot of a hash table that is at
/// most 13/20 full, so about 50 to 100 bytes of disk per text. The table is in the operating system's page cache, not
/// in the memory of this process, which uses about 200 KB for any number of rows.
///
/// Only one thread may use the index at a time. Errors are io and name the folder and what to do (the usual cause is
/// that no space is left there). After an error the index must not be used any more.
class dedup_index {
public:
    /// `folder` must exist and be writable. If it is empty, the files are made in $TMPDIR, or in /var/tmp if that is
    /// not set; if no file can be made there, they are in memory, with at most 1 GiB per file. If a limit on file sizes
    /// is reached, the files go on in memory. `ops` must outlive the index.
    static result<std::unique_ptr<dedup_index>> create(std::string folder,
                                                       storage::file_ops& ops = storage::system_file_ops());

    /// Returns the row that was added with this text before. If there is none, adds `row` as the first of its text and
    /// returns nothing. A further call with that row returns nothing again.
    result<std::optional<std::uint64_t>> find_or_add(const digest& text, std::uint64_t row);

    /// Remembers that `row` waits for `original`. invalid_argument if the rows do not come in ascending order.
    result<void> defer(std::uint64_t row, std::uint64_t original, const source_row& described);

    /// Returns up to `most` deferred rows from row number `first` on, ascending. To walk over all of them, call it
    /// again with the last returned row number plus one; rows deferred meanwhile are found too.
    result<std::vector<deferred_row>> deferred_from(std::uint64_t first, std::size_t most);

    /// Returns the id, origin and text of a row that deferred_from returned.
    result<source_row> describe(const deferred_row& deferred);

    /// The number of different texts so far.
    [[nodiscard]] std::uint64_t texts() const noexcept { return texts_; }
    [[nodiscard]] std::uint64_t deferred() const noexcept { return deferred_; }

private:
    struct slot {
        std::array<std::uint64_t, 3> key{};  ///< The digest's first 24 bytes; key[0] decides the home slot.
        std::uint64_t row_plus_one = 0;      ///< 0: the slot is empty.
    };
    /// The slot that holds a key, or the empty slot for it.
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
    std::string in_memory_;  ///< The name for memory in messages if `folder_` is empty.
    storage::nameless_file table_;
    std::uint64_t capacity_bits_ = 0;
    std::uint64_t texts_ = 0;
    spill_file waiting_;       ///< Has one fixed-size record per deferred row.
    spill_file descriptions_;  ///< Has the deferred rows' ids, origins and texts.
    std::uint64_t deferred_ = 0;
    std::uint64_t last_deferred_ = 0;
};

}  // namespace vembed::reuse
