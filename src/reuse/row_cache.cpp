#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include <vembed/reuse/row_cache.hpp>

#include "storage/file_lock.hpp"
#include "storage/file_ops.hpp"
#include "storage/local_folder.hpp"
#include "storage/sqlite.hpp"

namespace vembed {
namespace {

using storage::statement;

constexpr std::int64_t application_id = 0x766d6263;  // "vmbc"
constexpr std::int64_t schema_version = 1;
constexpr std::uint64_t most_dimensions = std::uint64_t{1} << 20;
constexpr std::uint64_t most_file_bytes = std::numeric_limits<off_t>::max();

// A spec's rows are one run of the row table's key; used_last tells the newest spec of a scope.
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

using checksum = std::array<std::byte, 16>;

failure cache_misuse(std::string what) {
    return {errc::invalid_argument, "row_cache: " + std::move(what)};
}

// Ends a transaction that was not committed.
class transaction {
public:
    static result<transaction> begin(storage::database& db, const char* sql) {
        if (auto begun = db.execute(sql); !begun) {
            return begun.error();
        }
        return transaction(db);
    }
    transaction(transaction&& other) noexcept : db_(std::exchange(other.db_, nullptr)) {}
    transaction& operator=(transaction&&) = delete;
    ~transaction() {
        if (db_ != nullptr) {
            (void)db_->execute("ROLLBACK");  // what went wrong is told already
        }
    }
    result<void> commit() {
        auto done = db_->execute("COMMIT");
        if (done) {
            db_ = nullptr;
        }
        return done;
    }

private:
    explicit transaction(storage::database& db) : db_(&db) {}
    storage::database* db_;
};

}  // namespace

class row_cache::impl {
public:
    explicit impl(std::string folder)
        : folder_(std::move(folder)), index_path_(folder_ + "/rows.sqlite"), values_path_(folder_ + "/rows.f32") {}

    result<void> open();
    result<void> use(cache_scope& scope);
    result<std::uint64_t> find(const cache_scope& scope, std::span<const digest> texts, std::span<std::uint8_t> hits,
                               std::vector<float>& values);
    result<std::uint64_t> count(const cache_scope& scope, std::span<const digest> texts);
    result<void> store(cache_scope& scope, std::span<const digest> texts, std::span<const float> values);
    result<void> forget(const cache_scope& scope, std::span<const digest> texts);
    result<std::uint64_t> tail();
    [[nodiscard]] std::uint64_t damaged() const noexcept { return damaged_; }

    /// Computes what goes into every checksum of the scope.
    static void mark(cache_scope& scope);

    /// What a failure of the index means for the cache.
    [[nodiscard]] failure explain(const failure& f) const;

private:
    struct found_row {
        std::size_t text = 0;  ///< Its place among the texts asked for.
        std::uint64_t at = 0;
        checksum sum{};
    };

    result<void> open_index();
    result<void> adopt_schema();
    result<void> prepare();
    result<std::vector<found_row>> look_up(const cache_scope& scope, std::span<const digest> texts);
    result<void> read_values(const std::vector<found_row>& found, std::uint64_t dimensions, std::vector<float>& values);
    result<void> choose_spec(cache_scope& scope);
    result<std::vector<std::size_t>> missing(const cache_scope& scope, std::span<const digest> texts);
    result<void> append(const cache_scope& scope, std::span<const digest> texts, std::span<const float> values,
                        const std::vector<std::size_t>& which);
    [[nodiscard]] checksum sum_of(const cache_scope& scope, const digest& text, std::span<const float> row);

    std::string folder_;
    std::string index_path_;
    std::string values_path_;
    storage::database db_;
    storage::unique_fd values_;
    sha256 hash_;
    std::uint64_t damaged_ = 0;
    struct {
        statement newest, spec, insert_spec, touch_spec, find, insert, remove, tail, move_tail;
    } statements_;
};

failure row_cache::impl::explain(const failure& f) const {
    if (f.kind == errc::journal_damaged) {
        return {errc::io,
                "the cache in " + folder_ +
                    " is damaged; move that folder away, or name another one: what is not in it is bought again"};
    }
    if (f.kind == errc::folder_mismatch && f.message.find("another process") != std::string::npos) {
        return {errc::io, "the cache in " + folder_ + " stayed busy: another process held it for too long"};
    }
    return f;
}

result<void> row_cache::impl::open() {
    if (auto made = storage::make_folder(storage::system_file_ops(), folder_); !made) {
        return made;
    }
    if (auto local = storage::check_local_folder(folder_); !local) {
        return local;
    }
    // Turning on the index' write-ahead log is the one step that does not wait for others by itself.
    const auto lock = storage::file_lock::await(folder_ + "/lock", std::chrono::seconds(10));
    if (!lock) {
        return lock.error();
    }
    if (auto index = open_index(); !index) {
        return index;
    }
    auto values = storage::open_file(storage::system_file_ops(), values_path_, O_RDWR | O_CREAT);
    if (!values) {
        return values.error();
    }
    values_ = std::move(*values);
    return prepare();
}

result<void> row_cache::impl::open_index() {
    auto db = storage::database::open(index_path_);
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
        return failure(errc::folder_mismatch, index_path_ + " is a database of another program; choose another folder");
    }
    auto mode = db_.text("PRAGMA journal_mode = WAL");
    if (!mode) {
        return mode.error();
    }
    if (*mode != "wal") {
        return failure(errc::io, "cannot use " + index_path_ + ": the file system does not allow a write-ahead log");
    }
    if (auto set = db_.execute("PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 8000; "
                               "PRAGMA journal_size_limit = 33554432");
        !set) {
        return set;
    }
    return adopt_schema();
}

result<void> row_cache::impl::adopt_schema() {
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
        return failure(errc::folder_mismatch, index_path_ + " has the format " + std::to_string(*version) +
                                                  ", this version reads " + std::to_string(schema_version) +
                                                  "; choose another folder");
    }
    return begun->commit();
}

result<void> row_cache::impl::prepare() {
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

// The strings are long or short as they like: each is hashed before it goes into the sum.
void row_cache::impl::mark(cache_scope& scope) {
    sha256 hash;
    for (const std::string* part : {&scope.service_, &scope.model_, &scope.spec_sha256_, &scope.spec_hash_}) {
        hash.update(sha256_of(*part));
    }
    hash.update(std::as_bytes(std::span(&scope.dimensions_, 1)));
    scope.mark_ = hash.finish();
}

checksum row_cache::impl::sum_of(const cache_scope& scope, const digest& text, std::span<const float> row) {
    hash_.update(scope.mark_);
    hash_.update(text);
    hash_.update(std::as_bytes(row));
    const digest whole = hash_.finish();
    checksum sum;
    std::copy_n(whole.begin(), sum.size(), sum.begin());
    return sum;
}

result<void> row_cache::impl::use(cache_scope& scope) {
    statements_.newest.bind(1, scope.service_).bind(2, scope.model_).bind(3, scope.spec_sha256_);
    auto row = statements_.newest.step();
    if (!row) {
        return row.error();
    }
    if (*row) {
        const std::int64_t dimensions = statements_.newest.integer(2);
        scope.number_ = statements_.newest.integer(0);
        scope.spec_hash_ = statements_.newest.text(1);
        scope.dimensions_ = static_cast<std::uint64_t>(dimensions);
        statements_.newest.reset();
        if (dimensions <= 0 || scope.dimensions_ > most_dimensions) {
            return failure(errc::journal_damaged, index_path_);
        }
        mark(scope);
    }
    return {};
}

result<std::vector<row_cache::impl::found_row>> row_cache::impl::look_up(const cache_scope& scope,
                                                                         std::span<const digest> texts) {
    std::vector<found_row> found;
    auto reading = transaction::begin(db_, "BEGIN");
    if (!reading) {
        return reading.error();
    }
    for (std::size_t i = 0; i < texts.size(); ++i) {
        statements_.find.bind(1, scope.number_).bind(2, std::span<const std::byte>(texts[i]));
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
        if (one.at < scope.end_) {
            found.push_back(one);
        }
    }
    auto done = reading->commit();
    return done ? result<std::vector<found_row>>(std::move(found)) : done.error();
}

// Rows that stand one behind the other are one read. What is not in the file stays zero, which no checksum accepts.
result<void> row_cache::impl::read_values(const std::vector<found_row>& found, std::uint64_t dimensions,
                                          std::vector<float>& values) {
    const std::uint64_t row_bytes = dimensions * sizeof(float);
    values.assign(found.size() * dimensions, 0.0f);
    for (std::size_t begin = 0; begin < found.size();) {
        std::size_t end = begin + 1;
        while (end < found.size() && found[end].at == found[end - 1].at + row_bytes) {
            ++end;
        }
        const std::uint64_t size = (end - begin) * row_bytes;
        if (found[begin].at <= most_file_bytes && size <= most_file_bytes - found[begin].at) {
            auto got = storage::read_at(storage::system_file_ops(), values_.get(), values.data() + begin * dimensions,
                                        size, found[begin].at, values_path_);
            if (!got) {
                return got.error();
            }
        }
        begin = end;
    }
    return {};
}

result<std::uint64_t> row_cache::impl::find(const cache_scope& scope, std::span<const digest> texts,
                                            std::span<std::uint8_t> hits, std::vector<float>& values) {
    std::fill(hits.begin(), hits.end(), std::uint8_t{0});
    values.clear();
    if (scope.number_ == 0 || texts.empty()) {
        return std::uint64_t{0};
    }
    auto found = look_up(scope, texts);
    if (!found) {
        return found.error();
    }
    const std::uint64_t dimensions = scope.dimensions_;
    if (auto read = read_values(*found, dimensions, values); !read) {
        return read.error();
    }
    std::vector<digest> bad;
    std::uint64_t good = 0;
    for (std::size_t i = 0; i < found->size(); ++i) {
        const auto row = std::span<const float>(values).subspan(i * dimensions, dimensions);
        const std::size_t text = (*found)[i].text;
        if (sum_of(scope, texts[text], row) != (*found)[i].sum) {
            bad.push_back(texts[text]);
            continue;
        }
        hits[text] = 1;
        if (good != i) {
            std::copy(row.begin(), row.end(), values.begin() + static_cast<std::ptrdiff_t>(good * dimensions));
        }
        ++good;
    }
    values.resize(good * dimensions);
    if (!bad.empty()) {
        damaged_ += bad.size();
        // So that they can be stored again. Where it fails they stay, unserved, and the next find() tries again.
        (void)forget(scope, bad);
    }
    return good;
}

result<void> row_cache::impl::forget(const cache_scope& scope, std::span<const digest> texts) {
    auto writing = transaction::begin(db_, "BEGIN IMMEDIATE");
    if (!writing) {
        return writing.error();
    }
    for (const digest& text : texts) {
        statements_.remove.bind(1, scope.number_).bind(2, std::span<const std::byte>(text));
        if (auto removed = statements_.remove.run(); !removed) {
            return removed;
        }
    }
    return writing->commit();
}

result<std::uint64_t> row_cache::impl::count(const cache_scope& scope, std::span<const digest> texts) {
    if (scope.number_ == 0 || texts.empty()) {
        return std::uint64_t{0};
    }
    auto found = look_up(scope, texts);
    return found ? result<std::uint64_t>(std::uint64_t{found->size()}) : found.error();
}

result<void> row_cache::impl::store(cache_scope& scope, std::span<const digest> texts, std::span<const float> values) {
    auto writing = transaction::begin(db_, "BEGIN IMMEDIATE");
    if (!writing) {
        return writing.error();
    }
    if (auto chosen = choose_spec(scope); !chosen) {
        return chosen;
    }
    auto wanted = missing(scope, texts);
    if (!wanted) {
        return wanted.error();
    }
    if (auto appended = append(scope, texts, values, *wanted); !appended) {
        return appended;
    }
    return writing->commit();
}

// Finds or makes the spec that the scope names and makes it the newest.
result<void> row_cache::impl::choose_spec(cache_scope& scope) {
    const auto bind = [&scope](statement& to) {
        to.bind(1, scope.service_).bind(2, scope.model_).bind(3, scope.spec_sha256_);
        to.bind(4, scope.spec_hash_).bind(5, static_cast<std::int64_t>(scope.dimensions_));
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
            const bool chosen_before = number == scope.number_;
            scope.number_ = number;
            return chosen_before ? result<void>() : statements_.touch_spec.bind(1, number).run();
        }
        bind(statements_.insert_spec);
        if (auto made = statements_.insert_spec.run(); !made) {
            return made;
        }
    }
    return failure(errc::journal_damaged, index_path_);
}

// The first of each text that is not stored yet.
result<std::vector<std::size_t>> row_cache::impl::missing(const cache_scope& scope, std::span<const digest> texts) {
    std::vector<std::size_t> wanted;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        statements_.find.bind(1, scope.number_).bind(2, std::span<const std::byte>(texts[i]));
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

// Where the next row goes in the file of values.
result<std::uint64_t> row_cache::impl::tail() {
    auto row = statements_.tail.step();
    if (!row) {
        return row.error();
    }
    const std::int64_t at = *row ? statements_.tail.integer(0) : -1;
    statements_.tail.reset();
    return at < 0 ? result<std::uint64_t>(failure(errc::journal_damaged, index_path_))
                  : result<std::uint64_t>(static_cast<std::uint64_t>(at));
}

result<void> row_cache::impl::append(const cache_scope& scope, std::span<const digest> texts,
                                     std::span<const float> values, const std::vector<std::size_t>& which) {
    const auto end = tail();
    if (!end) {
        return end.error();
    }
    const std::uint64_t dimensions = scope.dimensions_;
    const std::uint64_t row_bytes = dimensions * sizeof(float);
    if (*end > most_file_bytes - which.size() * row_bytes) {
        return failure(errc::journal_damaged, index_path_);
    }
    auto at = static_cast<std::int64_t>(*end);
    for (std::size_t begin = 0; begin < which.size();) {
        std::size_t last = begin + 1;
        while (last < which.size() && which[last] == which[last - 1] + 1) {
            ++last;
        }
        // Behind everything that a finished transaction tells of: what a process that dies here leaves is overwritten.
        const auto rows = values.subspan(which[begin] * dimensions, (last - begin) * dimensions);
        auto written = storage::write_at(storage::system_file_ops(), values_.get(), rows.data(), rows.size_bytes(),
                                         static_cast<std::uint64_t>(at), values_path_);
        if (!written) {
            return written;
        }
        for (; begin < last; ++begin) {
            const digest& text = texts[which[begin]];
            const checksum sum = sum_of(scope, text, values.subspan(which[begin] * dimensions, dimensions));
            statements_.insert.bind(1, scope.number_).bind(2, std::span<const std::byte>(text)).bind(3, at);
            if (auto kept = statements_.insert.bind(4, std::span<const std::byte>(sum)).run(); !kept) {
                return kept;
            }
            at += static_cast<std::int64_t>(row_bytes);
        }
    }
    return which.empty() ? result<void>() : statements_.move_tail.bind(1, at).run();
}

row_cache::row_cache(std::unique_ptr<impl> opened) : impl_(std::move(opened)) {}
row_cache::~row_cache() = default;

result<std::unique_ptr<row_cache>> row_cache::open(std::string folder) {
    if (folder.empty()) {
        return cache_misuse("the folder's name is empty");
    }
    auto made = std::make_unique<impl>(std::move(folder));
    if (auto opened = made->open(); !opened) {
        return made->explain(opened.error());
    }
    return std::unique_ptr<row_cache>(new row_cache(std::move(made)));
}

result<cache_scope> row_cache::use(std::string service, std::string model, std::string spec_sha256) {
    cache_scope scope;
    scope.service_ = std::move(service);
    scope.model_ = std::move(model);
    scope.spec_sha256_ = std::move(spec_sha256);
    if (auto used = impl_->use(scope); !used) {
        return impl_->explain(used.error());
    }
    return scope;
}

result<void> row_cache::close_to_new(cache_scope& scope) {
    const auto end = impl_->tail();
    if (!end) {
        return impl_->explain(end.error());
    }
    scope.end_ = *end;
    return {};
}

result<std::uint64_t> row_cache::find(const cache_scope& scope, std::span<const digest> texts,
                                      std::span<std::uint8_t> hits, std::vector<float>& values) {
    if (hits.size() != texts.size()) {
        return cache_misuse("asked for " + std::to_string(texts.size()) + " texts with room for " +
                            std::to_string(hits.size()) + " answers");
    }
    auto found = impl_->find(scope, texts, hits, values);
    if (!found) {
        std::fill(hits.begin(), hits.end(), std::uint8_t{0});
        values.clear();
        return impl_->explain(found.error());
    }
    return found;
}

result<std::uint64_t> row_cache::count(const cache_scope& scope, std::span<const digest> texts) {
    auto counted = impl_->count(scope, texts);
    return counted ? counted : impl_->explain(counted.error());
}

result<void> row_cache::store(cache_scope& scope, std::span<const digest> texts, std::span<const float> values,
                              std::uint64_t dimensions, const std::string& spec_hash) {
    if (dimensions == 0 || dimensions > most_dimensions || values.size() / dimensions != texts.size() ||
        values.size() % dimensions != 0) {
        return cache_misuse(std::to_string(texts.size()) + " rows of " + std::to_string(dimensions) +
                            " dimensions came with " + std::to_string(values.size()) + " values");
    }
    if (spec_hash.empty()) {
        return cache_misuse("rows were to be kept without the spec_hash they were bought under");
    }
    cache_scope next = scope;
    if (next.spec_hash_ != spec_hash || next.dimensions_ != dimensions) {
        next.spec_hash_ = spec_hash;
        next.dimensions_ = dimensions;
        next.number_ = 0;
        impl::mark(next);
    }
    if (auto stored = impl_->store(next, texts, values); !stored) {
        return impl_->explain(stored.error());
    }
    scope = std::move(next);
    return {};
}

result<void> row_cache::forget(const cache_scope& scope, std::span<const digest> texts) {
    auto forgotten = impl_->forget(scope, texts);
    return forgotten ? forgotten : impl_->explain(forgotten.error());
}

std::uint64_t row_cache::damaged() const noexcept {
    return impl_->damaged();
}

}  // namespace vembed
