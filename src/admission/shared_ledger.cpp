#include "admission/shared_ledger.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "admission/ledger_codec.hpp"
#include "storage/file_lock.hpp"
#include "storage/local_folder.hpp"

namespace vembed::admission {
namespace {

using policy::ledger_state;

constexpr std::int64_t application_id = 0x766d6271;  // "vmbq"
constexpr std::int64_t schema_version = 1;
constexpr std::chrono::seconds alone_for{5};
// usual_wait is for a lock that others hold for one update, look_for_lock_every for a lock held longer; after held_long
// a warning is logged.
constexpr std::chrono::milliseconds usual_wait{20};
constexpr std::chrono::milliseconds look_for_lock_every{100};
constexpr std::chrono::seconds held_long{1};
constexpr std::chrono::milliseconds last_wait{500};
constexpr std::chrono::seconds owners_interval{1};

constexpr const char* create_schema = R"sql(
    CREATE TABLE ledger (
        id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL,
        clock TEXT NOT NULL, at INTEGER NOT NULL, wall INTEGER NOT NULL, state BLOB NOT NULL) STRICT;
    INSERT INTO ledger VALUES (1, 0, '', 0, 0, x'');
    PRAGMA application_id = 1986880113;
    PRAGMA user_version = 1;
)sql";
static_assert(application_id == 1986880113 && schema_version == 1);

// An owner's byte in the file of owners. The shift is needed because record locks end at the largest off_t.
struct flock owner_byte(std::uint64_t owner) {
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = static_cast<off_t>(owner >> 2);
    lock.l_len = 1;
    return lock;
}

}  // namespace

monotonic_clock::duration shift_between(const ledger_stamp& then, const ledger_stamp& now) noexcept {
    if (!then.clock.empty() && then.clock == now.clock && then.at <= now.at) {
        return monotonic_clock::duration::zero();
    }
    constexpr auto longest = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::years(50));
    const auto passed = std::clamp(now.wall - then.wall, std::chrono::milliseconds(0), longest);
    // Wall times are cut to milliseconds: this rounding must not free usage early either.
    return (now.at - then.at) - std::max(passed - std::chrono::milliseconds(1), std::chrono::milliseconds(0));
}

std::string machine_clock_name() {
    std::string name;
    std::ifstream boot("/proc/sys/kernel/random/boot_id");
    std::getline(boot, name);
    // A container may have its own monotonic clock.
    std::error_code unreadable;
    const auto space = std::filesystem::read_symlink("/proc/self/ns/time", unreadable);
    return name.empty() || unreadable ? name : name + " " + space.string();
}

shared_ledger::shared_ledger(std::string path, std::string clock, std::uint64_t owner, std::shared_ptr<environment> env)
    : path_(std::move(path)), clock_(std::move(clock)), env_(std::move(env)), ledger_({}, owner) {}

result<std::shared_ptr<shared_ledger>> shared_ledger::open(std::string path, std::string clock, std::uint64_t owner,
                                                           std::shared_ptr<environment> env,
                                                           const std::stop_token& stop) {
    std::shared_ptr<shared_ledger> made(new shared_ledger(std::move(path), std::move(clock), owner, std::move(env)));
    if (auto opened = made->open_files(stop); !opened) {
        return made->explain(opened.error());
    }
    return made;
}

error shared_ledger::explain(const error& f) const {
    if (f.kind == errc::journal_damaged) {
        return {errc::io,
                "the shared quota file " + path_ + ".sqlite is damaged; remove it while nothing uses the account"};
    }
    return f;
}

result<void> shared_ledger::open_files(const std::stop_token& stop) {
    if (auto made = storage::make_folder(storage::system_file_ops(), storage::folder_of(path_)); !made) {
        return made;
    }
    if (auto local = storage::check_local_folder(storage::folder_of(path_)); !local) {
        return local;
    }
    if (auto locked = lock_owner(); !locked) {
        return locked;
    }
    if (auto prepared = prepare_database(stop); !prepared) {
        return prepared;
    }
    bool done = false;
    if (auto worked = work([](const policy::quota_ledger&) {}, done); !worked) {
        return worked;
    }
    wait_for_lock(usual_wait);
    return {};
}

// The kernel drops this lock whenever the process dies.
result<void> shared_ledger::lock_owner() {
    const std::string path = path_ + ".owners";
    auto fd = storage::open_file(storage::system_file_ops(), path, O_RDWR | O_CREAT);
    if (!fd) {
        return fd.error();
    }
    owners_ = std::move(*fd);
    struct flock lock = owner_byte(ledger_.owner());
    while (::fcntl(owners_.get(), F_OFD_SETLK, &lock) != 0) {
        if (errno != EINTR) {
            return storage::io_failure("lock a byte of", path, errno);
        }
    }
    return {};
}

result<void> shared_ledger::prepare_database(const std::stop_token& stop) {
    // Clients open the file one at a time: if two switch a new file to the write-ahead log, SQLite refuses one of them
    // instead of waiting.
    const auto lock = storage::file_lock::await(path_ + ".lock", storage::file_lock::usual_wait, stop);
    if (!lock) {
        return lock.error();
    }
    auto db = storage::database::open(path_ + ".sqlite");
    if (!db) {
        return db.error();
    }
    db_ = std::move(*db);
    // Opening may wait longer than an update: others may also be opening it, or may be busy all the time.
    if (auto set = db_.execute("PRAGMA busy_timeout = 5000; PRAGMA cache_size = -512; PRAGMA synchronous = OFF");
        !set) {
        return set;
    }
    auto mode = db_.text("PRAGMA journal_mode = WAL");
    if (!mode) {
        return mode.error();
    }
    if (*mode != "wal") {
        return error(errc::io, "cannot use " + path_ + ".sqlite: the file system does not allow a write-ahead log");
    }
    if (auto begun = db_.execute("BEGIN IMMEDIATE"); !begun) {
        return begun;
    }
    auto application = db_.integer("PRAGMA application_id");
    auto version = db_.integer("PRAGMA user_version");
    auto tables = db_.integer("SELECT count(*) FROM sqlite_schema");
    for (const auto* one : {&application, &version, &tables}) {
        if (!*one) {
            return one->error();
        }
    }
    const bool is_new = *application == 0 && *version == 0 && *tables == 0;
    if (!is_new && (*application != application_id || *version != schema_version)) {
        return error(errc::folder_mismatch, path_ + ".sqlite belongs to another program or version");
    }
    if (auto made = is_new ? db_.execute(create_schema) : result<void>(); !made) {
        return made;
    }
    if (auto done = db_.execute("COMMIT"); !done) {
        return done;
    }
    const std::pair<storage::statement*, const char*> wanted[] = {
        {&begin_, "BEGIN IMMEDIATE"},
        {&version_of_, "SELECT version FROM ledger WHERE id = 1"},
        {&select_, "SELECT clock, at, wall, state FROM ledger WHERE id = 1"},
        {&update_, "UPDATE ledger SET version = ?1, clock = ?2, at = ?3, wall = ?4, state = ?5 WHERE id = 1"},
        {&commit_, "COMMIT"},
        {&rollback_, "ROLLBACK"}};
    for (const auto& [statement, sql] : wanted) {
        auto prepared = db_.prepare(sql);
        if (!prepared) {
            return prepared.error();
        }
        *statement = std::move(*prepared);
    }
    return {};
}

void shared_ledger::complain(std::string_view event, const std::string& reason) const {
    env_->log(log_level::warning, event, {log_field("file", path_ + ".sqlite"), log_field("reason", reason)});
}

// The changes that this process made on its own are written now, or they are lost.
shared_ledger::~shared_ledger() {
    if (!agreed_) {
        return;
    }
    try {
        wait_for_lock(last_wait);
        bool done = false;
        const auto nothing = [](const policy::quota_ledger&) {};
        if (auto worked = work(nothing, done); !worked) {
            complain("shared_quota_unreachable", explain(worked.error()).message);
        }
    } catch (const std::exception& e) {
        complain("shared_quota_unreachable", e.what());
    }
}

void shared_ledger::wait_for_lock(std::chrono::milliseconds at_most) {
    const std::string set = "PRAGMA busy_timeout = " + std::to_string(at_most.count());
    if (auto done = db_.execute(set.c_str()); !done) {
        complain("shared_quota_unreachable", done.error().message);
    }
}

// Called if an update could not use the file: sets the time of the next try and logs the reason.
void shared_ledger::not_reached(const error& why) {
    const monotonic_time now = env_->now();
    version_ = -1;  // The state on disk has to be read again then.
    const bool held = why.kind == errc::folder_mismatch;
    if (held && !held_since_) {
        held_since_ = now;
        wait_for_lock(std::chrono::milliseconds(0));
    }
    const bool tells = !held || (!hold_told_ && now >= deadline_after(*held_since_, held_long));
    if (tells) {
        complain("shared_quota_unreachable", explain(why).message);
        hold_told_ = held;
    }
    try_again_at_ = deadline_after(now, held ? look_for_lock_every : alone_for);
}

void shared_ledger::update(ledger_operation what) {
    bool done = false;
    if (env_->now() >= try_again_at_) {
        auto worked = work(what, done);
        if (worked) {
            if (held_since_) {
                held_since_.reset();
                hold_told_ = false;
                wait_for_lock(usual_wait);
            }
            return;
        }
        not_reached(worked.error());
    }
    if (!agreed_ && done) {
        agreed_ = decode(written_).value_or(policy::ledger_state());
    } else if (!agreed_) {
        agreed_ = ledger_.snapshot();
    }
    if (!done) {
        what(ledger_);
    }
}

// Holds the lock from a BEGIN that succeeded to commit() or to its destructor.
class shared_ledger::locked_round {
public:
    explicit locked_round(shared_ledger& of) : of_(&of) {}
    locked_round(const locked_round&) = delete;
    locked_round& operator=(const locked_round&) = delete;
    ~locked_round() {
        if (of_ != nullptr) {
            (void)of_->rollback_.run();  // the error is reported already
        }
    }
    result<void> commit() {
        auto done = of_->commit_.run();
        if (done) {
            of_ = nullptr;
        }
        return done;
    }

private:
    shared_ledger* of_;
};

// Sets `done` if `what` was done, even if writing the state failed afterwards.
result<void> shared_ledger::work(ledger_operation what, bool& done) {
    if (auto begun = begin_.run(); !begun) {
        return begun;
    }
    locked_round round(*this);
    if (auto got = read(); !got) {
        return got;
    }
    const monotonic_time now = env_->now();
    if (now >= look_at_owners_) {
        look_at_owners_ = deadline_after(now, owners_interval);
        drop_dead_owners(now);
    }
    done = true;
    what(ledger_);
    std::string state = encode(ledger_.snapshot());
    const bool is_new = state != written_;
    if (auto written = is_new ? write(state) : result<void>(); !written) {
        return written;
    }
    if (auto committed = round.commit(); !committed) {
        return committed;
    }
    version_ += is_new ? 1 : 0;
    written_ = std::move(state);
    agreed_.reset();
    return {};
}

// Reads the state on disk if it is not the one from which ledger_ began.
result<void> shared_ledger::read() {
    auto row = version_of_.step();
    if (!row) {
        return row.error();
    }
    const std::int64_t version = *row ? version_of_.integer(0) : -1;
    version_of_.reset();
    if (version < 0) {
        return error(errc::journal_damaged, path_ + ".sqlite has no ledger");
    }
    if (version == version_) {
        return {};
    }
    row = select_.step();
    if (!row || !*row) {
        return row ? error(errc::journal_damaged, path_ + ".sqlite has no ledger") : row.error();
    }
    const ledger_stamp then(std::string(select_.text(0)), monotonic_time(monotonic_clock::duration(select_.integer(1))),
                            wall_time(std::chrono::milliseconds(select_.integer(2))));
    const auto bytes = select_.bytes(3);
    written_.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    select_.reset();
    version_ = version;
    auto there = decode(written_);
    if (there) {
        shift_times(*there, shift_between(then, ledger_stamp(clock_, env_->now(), env_->wall_now())));
        adopt(std::move(*there));
    } else if (!written_.empty()) {
        complain("shared_quota_damaged", "what it holds is not a ledger; it is written anew from what is known here");
    }
    return {};
}

// Merges the changes that this process made on its own, which no other state has: its reservations and its usage.
void shared_ledger::adopt(ledger_state there) {
    if (!agreed_) {
        ledger_.restore(there);
        return;
    }
    const std::uint64_t owner = ledger_.owner();
    ledger_state mine = ledger_.snapshot_since(*agreed_);
    std::erase_if(mine.reservations, [owner](const policy::reservation& one) { return one.owner != owner; });
    std::erase_if(there.reservations, [owner](const policy::reservation& one) { return one.owner == owner; });
    std::erase_if(mine.calls, [owner](const policy::open_call& one) { return one.owner != owner; });
    std::erase_if(there.calls, [owner](const policy::open_call& one) { return one.owner == owner; });
    ledger_.restore(there);
    ledger_.merge(mine);
    agreed_ = std::move(there);  // The merged changes are missing on disk until they are written.
}

void shared_ledger::drop_dead_owners(monotonic_time now) {
    for (const std::uint64_t owner : ledger_.owners()) {
        if (owner == ledger_.owner()) {
            continue;
        }
        struct flock lock = owner_byte(owner);
        if (::fcntl(owners_.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type == F_UNLCK) {
            ledger_.drop_owner(owner, now);
        }
    }
}

result<void> shared_ledger::write(const std::string& state) {
    update_.bind(1, version_ + 1).bind(2, std::string_view(clock_));
    update_.bind(3, static_cast<std::int64_t>(env_->now().time_since_epoch().count()));
    update_.bind(4, static_cast<std::int64_t>(env_->wall_now().time_since_epoch().count()));
    if (auto updated = update_.bind(5, std::as_bytes(std::span(state))).run(); !updated) {
        return updated;
    }
    return {};
}

}  // namespace vembed::admission
