#pragma once
/// The SQLite index of a row cache: which row of which spec is at which offset of the values file.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <vembed/core/result.hpp>
#include <vembed/verify/sha256.hpp>

#include "storage/sqlite.hpp"

namespace vembed::reuse {

inline constexpr std::uint64_t most_dimensions = std::uint64_t{1} << 20;

using checksum = std::array<std::byte, 16>;

/// What rows were bought for. The texts must outlive the key.
struct spec_key {
    std::string_view service;
    std::string_view model;
    std::string_view spec_sha256;
    std::string_view spec_hash;
    std::uint64_t dimensions = 0;
};

/// A spec of the index.
struct known_spec {
    std::int64_t number = 0;  ///< At least 1.
    std::string spec_hash;
    std::uint64_t dimensions = 0;
};

/// A row that the index has.
struct found_row {
    std::size_t text = 0;  ///< Its index in the texts that were asked for.
    std::uint64_t at = 0;  ///< Its offset in the values file, in bytes.
    checksum sum{};
};

/// A transaction; the destructor rolls it back if it was not committed.
class transaction {
public:
    static result<transaction> begin(storage::database& db, const char* sql);
    transaction(transaction&& other) noexcept : db_(std::exchange(other.db_, nullptr)) {}
    transaction& operator=(transaction&&) = delete;
    ~transaction();
    result<void> commit();

private:
    explicit transaction(storage::database& db) : db_(&db) {}
    storage::database* db_;
};

/// All functions but open() need an open index. Errors are the database's; journal_damaged if its content is wrong.
class cache_index {
public:
    cache_index() = default;

    /// Opens or creates the database at `path`. folder_mismatch if the file is another program's or another version's.
    result<void> open(std::string path);

    /// A transaction for the functions that write; only forget() has its own.
    result<transaction> begin_writing() { return transaction::begin(db_, "BEGIN IMMEDIATE"); }

    /// The spec that was stored last among those of the key's service, model and spec_sha256.
    result<std::optional<known_spec>> newest_spec(const spec_key& key);

    /// Finds or makes the key's spec, makes it the newest unless it is `chosen_before`, and returns its number.
    result<std::int64_t> choose_spec(const spec_key& key, std::int64_t chosen_before);

    /// The rows of `texts` that are before byte `end` of the values file, in the order of `texts`.
    result<std::vector<found_row>> look_up(std::int64_t spec, std::span<const digest> texts, std::uint64_t end);

    /// The index of the first of each text that is not stored yet, ascending.
    result<std::vector<std::size_t>> missing(std::int64_t spec, std::span<const digest> texts);

    result<void> insert(std::int64_t spec, const digest& text, std::int64_t at, const checksum& sum);

    /// Removes the rows of `texts`, all or none.
    result<void> forget(std::int64_t spec, std::span<const digest> texts);

    /// The offset in the values file at which the next row is written.
    result<std::uint64_t> tail();
    result<void> move_tail(std::int64_t at);

    [[nodiscard]] error damaged() const { return {errc::journal_damaged, path_}; }

private:
    result<void> adopt_schema();
    result<void> prepare();

    std::string path_;
    storage::database db_;
    struct {
        storage::statement newest, spec, insert_spec, touch_spec, find, insert, remove, tail, move_tail;
    } statements_;
};

}  // namespace vembed::reuse
