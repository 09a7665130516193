#pragma once
/// Wraps SQLite's C interface with ownership and results. Nothing more.

#include <sqlite3.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <vembed/core/result.hpp>

namespace vembed::storage {

/// A reusable prepared statement. It must not outlive its database.
class statement {
public:
    statement() = default;
    statement(sqlite3_stmt* prepared, std::string path) : prepared_(prepared), path_(std::move(path)) {}

    /// Parameters are numbered from 1. Text and bytes are copied.
    statement& bind(int parameter, std::int64_t value);
    statement& bind(int parameter, std::string_view value);
    statement& bind(int parameter, std::span<const std::byte> value);

    /// Returns true if there is a row; read it with the functions below. Returns false if the statement is done; it is
    /// then ready to be used again, as it is after an error.
    result<bool> step();

    /// Runs a statement that gives no rows.
    result<void> run();

    void reset() noexcept;

    [[nodiscard]] std::int64_t integer(int column) const noexcept;

    /// The value is valid until the next step().
    [[nodiscard]] std::string_view text(int column) const noexcept;
    [[nodiscard]] std::span<const std::byte> bytes(int column) const noexcept;

private:
    struct finalizer {
        void operator()(sqlite3_stmt* s) const noexcept { (void)sqlite3_finalize(s); }
    };
    std::unique_ptr<sqlite3_stmt, finalizer> prepared_;
    std::string path_;
    int bind_error_ = SQLITE_OK;
};

class database {
public:
    /// Opens or creates the file at `path` (always a path, never a URI).
    static result<database> open(const std::string& path);

    /// Opens a database for reading without locks, shared memory or any change to its files. One writer may be at work
    /// at the same time if it keeps its index of the log in memory (locking_mode=EXCLUSIVE). Then a read may be torn:
    /// the caller must be able to tell from the content, and read again.
    static result<database> open_unlocked(const std::string& path);

    database() = default;

    /// Sets whether closing the database folds the write-ahead log into the file, which is the default.
    result<void> fold_log_on_close(bool fold);

    result<void> execute(const char* sql);
    result<statement> prepare(std::string_view sql);

    /// The first column of the first row, as a number; 0 if there is no row.
    result<std::int64_t> integer(std::string_view sql);
    result<std::string> text(std::string_view sql);

    /// The number of rows changed by the last statement that changed any.
    [[nodiscard]] int changes() const noexcept { return sqlite3_changes(handle_.get()); }

    explicit operator bool() const noexcept { return handle_ != nullptr; }

private:
    template <class T>
    result<T> first(std::string_view sql, T (*read)(const statement&));
    static result<database> open_as(const std::string& path, const std::string& name, int flags, const char* vfs);

    struct closer {
        void operator()(sqlite3* db) const noexcept { (void)sqlite3_close_v2(db); }
    };
    std::unique_ptr<sqlite3, closer> handle_;
    std::string path_;
};

}  // namespace vembed::storage
