#include "reuse/cache_index.hpp"

#include <algorithm>

namespace vembed::reuse {
namespace {

using storage::statement;

constexpr std::int64_t application_id = 0x766d6263;  // "vmbc"
constexpr std::int64_t schema_version = 1;

// The row table's key keeps the rows of a spec together; used_last tells the newest spec of a scope.
constexpr const char* create_schema = R"sql(
    CREATE TABLE spec (
        number INTEGER PRIMARY KEY,
        service TEXT NOT NULL, model TEXT NOT NULL, spec_sha256 TEXT NOT NULL,
        spec_hash TEXT NOT NULL, dimensions INTEGER NOT NULL, used_last INTEGER NOT NULL,
        UNIQUE (service, model, spec_sha256, spec_hash, dimensions)) STRICT;
    CREATE TABLE row (
        spec INTEGER NOT NULL, text BLOB NOT NULL,
        at INTEGER NOT NULL, checksum BLOB NOT NULL,
        PRIMARY KEY (spec, text)) STRICT, WITHOUT ROWID;
    CREATE TABLE tail (id INTEGER PRIMARY KEY CHECK (id = 1), at INTEGER NOT NULL) STRICT;
    INSERT INTO tail VALUES (1, 0);
    PRAGMA application_id = 1986880099;
    PRAGMA user_version = 1;
)sql";
static_assert(application_id == 1986880099 && schema_version == 1);

}  // namespace

result<transaction> transaction::begin(storage::database& db, const char* sql) {
    if (auto begun = db.execute(sql); !begun) {
        return begun.error();
    }
    return transaction(db);
}

transaction::~transaction() {
    if (db_ != nullptr) {
        (void)db_->execute("ROLLBACK");  // The caller already has the error that led here.
    }
}

result<void> transaction::commit() {
    auto done = db_->execute("COMMIT");
    if (done) {
        db_ = nullptr;
    }
    return done;
}

result<void> cache_index::open(std::string path) {
    path_ = std::move(path);
    auto db = storage::database::open(path_);
    if (!db) {
        return db.error();
    }
    db_ = std::move(*db);
    if (auto set = db_.execute("PRAGMA busy_timeout = 10000; PRAGMA cache_size = -3072; PRAGMA cell_size_check = ON");
        !set) {
        return set;
    }
    auto application = db_.integer("PRAGMA application_id");
    if (!application) {
        return application.error();
    }
    auto tables = db_.integer("SELECT count(*) FROM sqlite_schema");
    if (!tables) {
        return tables.error();
    }
    if (*application != application_id && (*application != 0 || *tables != 0)) {
        return error(errc::folder_mismatch, path_ + " is a database of another program; choose another folder");
    }
    auto mode = db_.text("PRAGMA journal_mode = WAL");
    if (!mode) {
        return mode.error();
    }
    if (*mode != "wal") {
        return error(errc::io, "cannot use " + path_ + ": the file system does not allow a write-ahead log");
    }
    if (auto set = db_.execute("PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 8000; "
                               "PRAGMA journal_size_limit = 33554432");
        !set) {
        return set;
    }
    if (auto adopted = adopt_schema(); !adopted) {
        return adopted;
    }
    return prepare();
}

result<void> cache_index::adopt_schema() {
    auto begun = transaction::begin(db_, "BEGIN IMMEDIATE");
    if (!begun) {
        return begun.error();
    }
    auto version = db_.integer("PRAGMA user_version");
    if (!version) {
        return version.error();
    }
    if (*version == 0) {
        if (auto made = db_.execute(create_schema); !made) {
            return made;
        }
    } else if (*version != schema_version) {
        return error(errc::folder_mismatch, path_ + " has the format " + std::to_string(*version) +
                                                ", this version reads " + std::to_string(schema_version) +
                                                "; choose another folder");
    }
    return begun->commit();
}

result<void> cache_index::prepare() {
    const std::pair<statement*, const char*> wanted[] = {
        {&statements_.newest,
         "SELECT number, spec_hash, dimensions FROM spec WHERE service = ?1 AND model = ?2 AND "
         "spec_sha256 = ?3 ORDER BY used_last DESC LIMIT 1"},
        {&statements_.spec,
         "SELECT number FROM spec WHERE service = ?1 AND model = ?2 AND spec_sha256 = ?3 AND "
         "spec_hash = ?4 AND dimensions = ?5"},
        {&statements_.insert_spec,
         "INSERT INTO spec (service, model, spec_sha256, spec_hash, dimensions, used_last) "
         "VALUES (?1, ?2, ?3, ?4, ?5, 0)"},
        {&statements_.touch_spec,
         "UPDATE spec SET used_last = (SELECT max(used_last) + 1 FROM spec) WHERE number = ?1"},
        {&statements_.find, "SELECT at, checksum FROM row WHERE spec = ?1 AND text = ?2"},
        {&statements_.insert, "INSERT INTO row (spec, text, at, checksum) VALUES (?1, ?2, ?3, ?4)"},
        {&statements_.remove, "DELETE FROM row WHERE spec = ?1 AND text = ?2"},
        {&statements_.tail, "SELECT at FROM tail WHERE id = 1"},
        {&statements_.move_tail, "UPDATE tail SET at = ?1 WHERE id = 1"},
    };
    for (const auto& [made, sql] : wanted) {
        auto prepared = db_.prepare(sql);
        if (!prepared) {
            return prepared.error();
        }
        *made = std::move(*prepared);
    }
    return {};
}

result<std::optional<known_spec>> cache_index::newest_spec(const spec_key& key) {
    statements_.newest.bind(1, key.service).bind(2, key.model).bind(3, key.spec_sha256);
    auto row = statements_.newest.step();
    if (!row) {
        return row.error();
    }
    if (!*row) {
        return std::optional<known_spec>();
    }
    const std::int64_t dimensions = statements_.newest.integer(2);
    known_spec newest;
    newest.number = statements_.newest.integer(0);
    newest.spec_hash = statements_.newest.text(1);
    newest.dimensions = static_cast<std::uint64_t>(dimensions);
    statements_.newest.reset();
    if (dimensions <= 0 || newest.dimensions > most_dimensions) {
        return damaged();
    }
    return std::optional(std::move(newest));
}

result<std::int64_t> cache_index::choose_spec(const spec_key& key, std::int64_t chosen_before) {
    const auto bind = [&key](statement& to) {
        to.bind(1, key.service).bind(2, key.model).bind(3, key.spec_sha256);
        to.bind(4, key.spec_hash).bind(5, static_cast<std::int64_t>(key.dimensions));
    };
    for (int round = 0; round < 2; ++round) {
        bind(statements_.spec);
        auto row = statements_.spec.step();
        if (!row) {
            return row.error();
        }
        if (*row) {
            const std::int64_t number = statements_.spec.integer(0);
            statements_.spec.reset();
            if (number != chosen_before) {
                if (auto touched = statements_.touch_spec.bind(1, number).run(); !touched) {
                    return touched.error();
                }
            }
            return number;
        }
        bind(statements_.insert_spec);
        if (auto made = statements_.insert_spec.run(); !made) {
            return made.error();
        }
    }
    return damaged();
}

result<std::vector<found_row>> cache_index::look_up(std::int64_t spec, std::span<const digest> texts,
                                                    std::uint64_t end) {
    std::vector<found_row> found;
    auto reading = transaction::begin(db_, "BEGIN");
    if (!reading) {
        return reading.error();
    }
    for (std::size_t i = 0; i < texts.size(); ++i) {
        statements_.find.bind(1, spec).bind(2, std::span<const std::byte>(texts[i]));
        auto row = statements_.find.step();
        if (!row) {
            return row.error();
        }
        if (!*row) {
            continue;
        }
        found_row one;
        one.text = i;
        one.at = static_cast<std::uint64_t>(statements_.find.integer(0));
        const auto sum = statements_.find.bytes(1);
        std::copy_n(sum.begin(), std::min(sum.size(), one.sum.size()), one.sum.begin());
        statements_.find.reset();
        if (one.at < end) {
            found.push_back(one);
        }
    }
    auto done = reading->commit();
    return done ? result<std::vector<found_row>>(std::move(found)) : done.error();
}

result<std::vector<std::size_t>> cache_index::missing(std::int64_t spec, std::span<const digest> texts) {
    std::vector<std::size_t> wanted;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        statements_.find.bind(1, spec).bind(2, std::span<const std::byte>(texts[i]));
        auto row = statements_.find.step();
        if (!row) {
            return row.error();
        }
        statements_.find.reset();
        if (!*row) {
            wanted.push_back(i);
        }
    }
    std::stable_sort(wanted.begin(), wanted.end(), [&](auto a, auto b) { return texts[a] < texts[b]; });
    const auto same = [&](auto a, auto b) { return texts[a] == texts[b]; };
    wanted.erase(std::unique(wanted.begin(), wanted.end(), same), wanted.end());
    std::sort(wanted.begin(), wanted.end());
    return wanted;
}

result<void> cache_index::insert(std::int64_t spec, const digest& text, std::int64_t at, const checksum& sum) {
    statements_.insert.bind(1, spec).bind(2, std::span<const std::byte>(text)).bind(3, at);
    return statements_.insert.bind(4, std::span<const std::byte>(sum)).run();
}

result<void> cache_index::forget(std::int64_t spec, std::span<const digest> texts) {
    auto writing = begin_writing();
    if (!writing) {
        return writing.error();
    }
    for (const digest& text : texts) {
        statements_.remove.bind(1, spec).bind(2, std::span<const std::byte>(text));
        if (auto removed = statements_.remove.run(); !removed) {
            return removed;
        }
    }
    return writing->commit();
}

result<std::uint64_t> cache_index::tail() {
    auto row = statements_.tail.step();
    if (!row) {
        return row.error();
    }
    const std::int64_t at = *row ? statements_.tail.integer(0) : -1;
    statements_.tail.reset();
    return at < 0 ? result<std::uint64_t>(damaged()) : result<std::uint64_t>(static_cast<std::uint64_t>(at));
}

result<void> cache_index::move_tail(std::int64_t at) {
    return statements_.move_tail.bind(1, at).run();
}

}  // namespace vembed::reuse
