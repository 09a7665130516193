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
    std::string clock;  ///< Which monotonic clock it was; times of equal ones mean the same. Empty: equal to none.
    monotonic_time at{};
    wall_time wall{};

    ledger_stamp() = default;
    ledger_stamp(std::string of, monotonic_time monotonic, wall_time utc)
        : clock(std::move(of)), at(monotonic), wall(utc) {}
};

/// By how much times written at `then` have to be moved to mean the same on the clock of `now`. Nothing on the same
/// clock, whatever the wall clock did; one that went back is not the same, whatever its name. Else (after a restart of
/// the machine) the wall clock tells what passed, but
/// never less than nothing: one that was set back makes what was used count longer, never shorter.
monotonic_clock::duration shift_between(const ledger_stamp& then, const ledger_stamp& now) noexcept;

/// Names the machine's monotonic clock: it is another one after every start of the machine. Empty where it has no name.
std::string machine_clock_name();

/// The files are `path`.sqlite (with -wal and -shm while it is in use), which holds one row, `path`.owners, in which
/// every client keeps a byte locked while it lives, and `path`.lock, which is held while a client opens them.
/// Reservations of clients that died are spent; their jobs are not in flight any longer.
///
/// Nothing is made durable against power cuts: after one, the service's own count (gate::resync) corrects what is
/// missing. A process that is killed at any moment leaves the state of its last finished update.
///
/// update() locks the file, reads the state where another wrote it last, and writes it where it changed. It blocks the
/// calling thread: some tens of microseconds, which is less than handing it to a worker and coming back would take, and
/// the gate's decisions stay in order. Where another holds the file for longer than that (it was stopped, or the
/// machine is overloaded), the caller's loop waits 20 ms once and not at all afterwards: this process goes on with what
/// it knows, looks every 100 ms whether the file is free, and then, at the latest when it is destroyed (which waits for
/// half a second), adds what it did to what others did. The same five seconds after the file could not be read or
/// written.
class shared_ledger final : public ledger_access {
public:
    /// Creates the folder of `path` and the files where they do not exist. Fails with io where the file system is
    /// another machine's or has no locks or no shared memory mapping, or where a file is damaged or cannot be written;
    /// folder_mismatch where one belongs to another program or version. `clock` as ledger_stamp's. io also where
    /// another process has held `path`.lock for 5 s, cancelled where `stop` is asked meanwhile.
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

    [[nodiscard]] failure explain(const failure& f) const;
    result<void> open_files(const std::stop_token& stop);
    result<void> prepare_database(const std::stop_token& stop);
    result<void> lock_owner();
    result<void> work(ledger_operation what, bool& done);
    void not_reached(const failure& why);
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
    std::int64_t version_ = -1;                   ///< Of the state on disk that ledger_ began from.
    std::string written_;                         ///< That state.
    std::optional<policy::ledger_state> agreed_;  ///< What was on disk when this process went on alone; else empty.
    monotonic_time try_again_at_{};               ///< Where the file could not be used: not before.
    std::optional<monotonic_time> held_since_;    ///< Another has the file locked.
    bool hold_told_ = false;
    monotonic_time look_at_owners_{};  ///< The next time.
};

}  // namespace vembed::admission
