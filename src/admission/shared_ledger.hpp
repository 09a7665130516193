#pragma once
/// One account's quota ledger on disk, shared by all clients and processes of this machine that use the account.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include <vembed/core/result.hpp>
#include <vembed/runtime/environment.hpp>

#include "admission/ledger_access.hpp"
#include "policy/quota/quota_ledger.hpp"
#include "storage/file_ops.hpp"
#include "storage/sqlite.hpp"

namespace vembed::admission {

/// When the state was written, on both clocks.
class ledger_stamp {
public:
    std::string clock;  ///< The monotonic clock's name; times are comparable if names are equal and not empty.
    monotonic_time at{};
    wall_time wall{};

    ledger_stamp() = default;
    ledger_stamp(std::string of, monotonic_time monotonic, wall_time utc)
        : clock(std::move(of)), at(monotonic), wall(utc) {}
};

/// How far times written at `then` have to be moved to mean the same on the clock of `now`. Zero if the clocks are the
/// same, whatever the wall clock did; a clock that went back is not the same even if its name is. Otherwise (after a
/// restart of the machine) the difference is what passed on the wall clock, and zero if that was set back: usage then
/// counts longer, never shorter.
monotonic_clock::duration shift_between(const ledger_stamp& then, const ledger_stamp& now) noexcept;

/// Names the machine's monotonic clock: the name changes with every start of the machine. Empty if it has no name.
std::string machine_clock_name();

/// The files are `path`.sqlite (with -wal and -shm while it is in use), which holds one row; `path`.owners, in which
/// every client keeps a byte locked while it lives; and `path`.lock, which is held while a client opens them.
/// Reservations of clients that died count as spent; their jobs no longer count as in flight.
///
/// Nothing is durable against power cuts: after a power cut, the service's own count (gate::resync) corrects what is
/// missing. If a process is killed at any moment, the state of its last finished update stays.
///
/// update() locks the file, reads the state if another client wrote it last, and writes it if it changed. It blocks the
/// calling thread for some tens of microseconds, which is less than a worker thread would take, and keeps the gate's
/// decisions in order. If another process holds the file longer (it was stopped, or the machine is overloaded), the
/// caller's loop waits 20 ms once and not at all afterwards: this process goes on with what it knows and looks every
/// 100 ms whether the file is free. When it is free, at the latest in the destructor (which waits for half a second),
/// this process adds its own changes to those of others. If the file cannot be read or written, it does the same and
/// tries again after five seconds.
class shared_ledger final : public ledger_access {
public:
    /// Creates the folder of `path` and the files if they do not exist. Fails with io if the file system is another
    /// machine's or has no locks or no shared memory mapping, if a file is damaged or cannot be written, or if another
    /// process has held `path`.lock for 5 s; with folder_mismatch if a file belongs to another program or version; with
    /// cancelled if a stop is requested through `stop` meanwhile. `clock` is that of ledger_stamp.
    static result<std::shared_ptr<shared_ledger>> open(std::string path, std::string clock, std::uint64_t owner,
                                                       std::shared_ptr<environment> env,
                                                       const std::stop_token& stop = {});

    ~shared_ledger() override;

    void update(ledger_operation what) override;
    [[nodiscard]] monotonic_clock::duration look_again_every() const noexcept override {
        return std::chrono::milliseconds(200);
    }

private:
    shared_ledger(std::string path, std::string clock, std::uint64_t owner, std::shared_ptr<environment> env);
    class locked_round;

    [[nodiscard]] error explain(const error& f) const;
    result<void> open_files(const std::stop_token& stop);
    result<void> prepare_database(const std::stop_token& stop);
    result<void> lock_owner();
    result<void> work(ledger_operation what, bool& done);
    void not_reached(const error& why);
    void wait_for_lock(std::chrono::milliseconds at_most);
    result<void> read();
    void adopt(policy::ledger_state there);
    void drop_dead_owners(monotonic_time now);
    result<void> write(const std::string& state);
    void complain(std::string_view event, const std::string& reason) const;

    std::string path_;
    std::string clock_;
    std::shared_ptr<environment> env_;
    policy::quota_ledger ledger_;
    storage::unique_fd owners_;
    storage::database db_;
    storage::statement begin_, version_of_, select_, update_, commit_, rollback_;
    std::int64_t version_ = -1;                   ///< The version of the state on disk from which ledger_ began.
    std::string written_;                         ///< The encoded state on disk of that version.
    std::optional<policy::ledger_state> agreed_;  ///< The state on disk when this process went on alone; else empty.
    monotonic_time try_again_at_{};               ///< If the file could not be used: the time of the next try.
    std::optional<monotonic_time> held_since_;    ///< Set while another process has the file locked.
    bool hold_told_ = false;
    monotonic_time look_at_owners_{};  ///< When drop_dead_owners() is due next.
};

}  // namespace vembed::admission
