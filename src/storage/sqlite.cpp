#include "storage/sqlite.hpp"

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

namespace vembed::storage {
namespace {

error sqlite_failure(sqlite3* db, int code, const std::string& path) {
    const std::string why = db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(code);
    switch (code & 0xff) {
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return {errc::journal_damaged, "the journal " + path + " is damaged (" + why +
                                               "); restore it from a copy, or start a new run in another folder"};
        case SQLITE_BUSY:
        case SQLITE_LOCKED: return {errc::folder_mismatch, "another process is using " + path + "; wait for it to end"};
        case SQLITE_FULL:
            return {errc::io, "cannot write " + path + ": " + why +
                                  "; free some space and run the same command again, it goes on where it stopped"};
        default: break;
    }
    const int system_error = db != nullptr ? sqlite3_system_errno(db) : 0;
    if (system_error == EFBIG) {
        return {errc::io, "cannot write " + path + ": " + why + ", " + std::generic_category().message(system_error) +
                              "; the file system or a limit (ulimit -f) does not allow a file of this size"};
    }
    std::string message = "cannot use " + path + ": " + why;
    if (system_error != 0) {
        message += " (system error " + std::to_string(system_error) + ")";
    }
    return {errc::io, message + "; check the disk and the permissions of the folder"};
}

// A relative path that begins with "file:" or ":" would mean something else to SQLite.
std::string plain_name(const std::string& path) {
    return path.starts_with('/') ? path : "./" + path;
}

std::string uri_of(const std::string& path) {
    std::string uri = path.starts_with('/') ? "file://" : "file:";
    for (const char c : plain_name(path)) {
        if (c == '%' || c == '?' || c == '#') {
            constexpr std::string_view digits = "0123456789ABCDEF";
            const auto byte = static_cast<unsigned char>(c);
            uri.append({'%', digits[byte >> 4], digits[byte & 15]});
        } else {
            uri.push_back(c);
        }
    }
    return uri;
}

}  // namespace

statement& statement::bind(int parameter, std::int64_t value) {
    const int code = sqlite3_bind_int64(prepared_.get(), parameter, value);
    bind_error_ = bind_error_ == SQLITE_OK ? code : bind_error_;
    return *this;
}

statement& statement::bind(int parameter, std::string_view value) {
    const int code = sqlite3_bind_text64(prepared_.get(), parameter, value.data() != nullptr ? value.data() : "",
                                         value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    bind_error_ = bind_error_ == SQLITE_OK ? code : bind_error_;
    return *this;
}

statement& statement::bind(int parameter, std::span<const std::byte> value) {
    const void* data = value.data() != nullptr ? static_cast<const void*>(value.data()) : "";
    const int code = sqlite3_bind_blob64(prepared_.get(), parameter, data, value.size(), SQLITE_TRANSIENT);
    bind_error_ = bind_error_ == SQLITE_OK ? code : bind_error_;
    return *this;
}

result<bool> statement::step() {
    const int bound = std::exchange(bind_error_, SQLITE_OK);
    const int code = bound == SQLITE_OK ? sqlite3_step(prepared_.get()) : bound;
    if (code == SQLITE_ROW) {
        return true;
    }
    if (code == SQLITE_DONE) {
        reset();
        return false;
    }
    error failed = sqlite_failure(sqlite3_db_handle(prepared_.get()), code, path_);
    reset();
    return failed;
}

result<void> statement::run() {
    auto stepped = step();
    if (!stepped) {
        return stepped.error();
    }
    reset();
    return {};
}

void statement::reset() noexcept {
    (void)sqlite3_reset(prepared_.get());
    (void)sqlite3_clear_bindings(prepared_.get());
}

std::int64_t statement::integer(int column) const noexcept {
    return sqlite3_column_int64(prepared_.get(), column);
}

std::string_view statement::text(int column) const noexcept {
    const auto* text = sqlite3_column_text(prepared_.get(), column);
    const int size = sqlite3_column_bytes(prepared_.get(), column);
    return text == nullptr ? std::string_view()
                           : std::string_view(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
}

std::span<const std::byte> statement::bytes(int column) const noexcept {
    const auto* data = static_cast<const std::byte*>(sqlite3_column_blob(prepared_.get(), column));
    const int size = sqlite3_column_bytes(prepared_.get(), column);
    return data == nullptr ? std::span<const std::byte>() : std::span(data, static_cast<std::size_t>(size));
}

result<database> database::open_as(const std::string& path, const std::string& name, int flags, const char* vfs) {
    sqlite3* handle = nullptr;
    const int code = sqlite3_open_v2(name.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX, vfs);
    database opened;
    opened.handle_.reset(handle);
    opened.path_ = path;
    if (code != SQLITE_OK) {
        return sqlite_failure(handle, code, path);
    }
    (void)sqlite3_extended_result_codes(handle, 1);
    return opened;
}

result<database> database::open(const std::string& path) {
    return open_as(path, plain_name(path), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
}

result<database> database::open_unlocked(const std::string& path) {
    std::error_code missing;
    if (!std::filesystem::exists(path + "-wal", missing)) {
        // If the file is not opened as immutable, SQLite creates a log to read it.
        return open_as(path, uri_of(path) + "?immutable=1", SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, nullptr);
    }
    auto opened = open_as(path, plain_name(path), SQLITE_OPEN_READONLY, "unix-none");
    if (!opened) {
        return opened;
    }
    // In exclusive mode SQLite keeps the index of the log in memory. Nobody is locked out: "unix-none" has no locks.
    if (auto set = opened->execute("PRAGMA locking_mode = EXCLUSIVE"); !set) {
        return set.error();
    }
    if (auto set = opened->fold_log_on_close(false); !set) {
        return set.error();
    }
    return opened;
}

result<void> database::fold_log_on_close(bool fold) {
    const int code = sqlite3_db_config(handle_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, fold ? 0 : 1, nullptr);
    if (code != SQLITE_OK) {
        return sqlite_failure(handle_.get(), code, path_);
    }
    return {};
}

result<void> database::execute(const char* sql) {
    const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) {
        return sqlite_failure(handle_.get(), code, path_);
    }
    return {};
}

result<statement> database::prepare(std::string_view sql) {
    sqlite3_stmt* prepared = nullptr;
    const int code = sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &prepared, nullptr);
    if (code != SQLITE_OK) {
        return sqlite_failure(handle_.get(), code, path_);
    }
    return statement(prepared, path_);
}

// The first column of the query's first row, as `read` takes it; an empty T if there is no row.
template <class T>
result<T> database::first(std::string_view sql, T (*read)(const statement&)) {
    auto query = prepare(sql);
    if (!query) {
        return query.error();
    }
    auto row = query->step();
    if (!row) {
        return row.error();
    }
    return *row ? read(*query) : T();
}

result<std::int64_t> database::integer(std::string_view sql) {
    return first<std::int64_t>(sql, [](const statement& row) { return row.integer(0); });
}

result<std::string> database::text(std::string_view sql) {
    return first<std::string>(sql, [](const statement& row) { return std::string(row.text(0)); });
}

}  // namespace vembed::storage
