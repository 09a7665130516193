#pragma once
/// SQLite's C interface with ownership and failures as results. Nothing more.

#include <sqlite3.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <vembed/core/result.hpp>

namespace vembed::storage {

/// A prepared statement, used again and again. Must not outlive its database.
class statement {
public:
    statement() = default;
    statement(sqlite3_stmt* prepared, std::string path) : prepared_(prepared), path_(std::move(path)) {}

    /// Parameters are numbered from 1. Text and bytes are copied.
    statement& bind(int parameter, std::int64_t value);
    statement& bind(int parameter, std::string_view value);
    statement& bind(int parameter, std::span<const std::byte> value);

    /// True: there is a row; read it with the functions below. False: done; the statement is ready to be used again.
    /// A failure also makes it ready again.
    result<bool> step();

    /// Runs a statement that gives no rows.
    result<void> run();

    void reset() noexcept;

    [[nodiscard]] std::int64_t integer(int column) const noexcept;

    /// Valid until the next step().
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

    /// Opens a database for reading without locks, shared memory or any change to its files, also while one writer
    /// (which keeps its index of the log in memory, locking_mode=EXCLUSIVE) is at work. Then what is read may be torn:
    /// the caller must be able to tell from the content, and read again.
    static result<database> open_unlocked(const std::string& path);

    database() = default;

    /// Whether the write-ahead log is folded into the file when the database is closed, as it is unless told otherwise.
    result<void> fold_log_on_close(bool fold);

    result<void> execute(const char* sql);
    result<statement> prepare(std::string_view sql);

    /// The first column of the first row, as a number; 0 where there is no row.
    result<std::int64_t> integer(std::string_view sql);
    result<std::string> text(std::string_view sql);

    /// Rows changed by the last statement that changed any.
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
