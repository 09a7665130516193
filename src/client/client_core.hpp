#pragma once
/// What all operations of one client share, confined to the client's executor.

#include <cstdint>
#include <list>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <vembed/client/options.hpp>
#include <vembed/core/result.hpp>

#include "admission/gate.hpp"
#include "client/account/chunk_sizes.hpp"
#include "client/jobs/settled_job.hpp"
#include "cyberian/io/endpoints.hpp"
#include "runtime/wait_queue.hpp"

namespace vembed::detail {

/// An operation under way: where its cancellation goes. All calls on the client's executor.
class running_operation {
public:
    running_operation() = default;
    running_operation(const running_operation&) = delete;
    running_operation& operator=(const running_operation&) = delete;
    virtual ~running_operation() = default;
    virtual void cancel() = 0;

private:
    friend class client_core;
    std::list<running_operation*>::iterator place_;  ///< In the client's list.
};

class client_core : public std::enable_shared_from_this<client_core> {
public:
    /// Resolves the options' defaults and builds what requests go through.
    static result<std::shared_ptr<client_core>> make(asio::any_io_executor executor, client_options options);

    client_core(asio::any_io_executor executor, std::shared_ptr<environment> env, std::shared_ptr<transport> over,
                std::shared_ptr<admission::gate> gate, std::shared_ptr<cyberian::endpoints> api, std::string base_url,
                client_options options);

    /// Reads /account once, however many callers need it, and gives the gate its limits. unauthorized, network, timeout
    /// and cancelled are returned, the first two to all who waited, and the next caller tries again; other faults leave
    /// the limits unknown for a while.
    asio::awaitable<result<void>> learn_limits(monotonic_time deadline);

    /// Cancels what is under way and lets nothing new begin. On the client's executor.
    void shut_down();
    [[nodiscard]] bool is_shut_down() const noexcept { return shut_down_; }

    /// Whether this is a child of the process that made the client. From any thread.
    [[nodiscard]] bool in_forked_process() const noexcept;

    void add(running_operation* operation) { operation->place_ = operations_.insert(operations_.end(), operation); }
    /// One that was added.
    void remove(running_operation* operation) { operations_.erase(operation->place_); }

    const asio::any_io_executor executor;
    const std::shared_ptr<environment> env;
    const std::shared_ptr<transport> over;
    const std::shared_ptr<admission::gate> gate;
    const std::shared_ptr<cyberian::endpoints> api;
    const std::string base_url;
    const verify_level verify;                  ///< Of embed().
    const std::chrono::seconds visible_within;  ///< The same.
    /// What the account's receipts were seen to follow.
    const std::shared_ptr<account_pins> pins = std::make_shared<account_pins>();
    account_limits limits;               ///< As /account told them; empty before.
    std::optional<wall_time> tier_ends;  ///< As /account told it; empty: never, or not known.
    std::string account_id;              ///< Empty before.

    /// Adds what was learned of the account's schemes to the pins' file, where there is one and there is news. A fault
    /// of it is logged: what was learned holds for this client all the same. This and the next two do not wait for the
    /// disk longer than until `deadline` or a cancellation.
    asio::awaitable<void> keep_pins(monotonic_time deadline);

    /// What this machine remembers of chunk_size_key(); 0 rows where it remembers nothing, or no quota folder is used.
    asio::awaitable<chunk_size> remembered_chunk_size(std::string key, monotonic_time deadline);
    /// For later processes, where a quota folder is used. A fault of it is logged.
    asio::awaitable<void> remember_chunk_size(std::string key, chunk_size size, monotonic_time deadline);

    /// See use_of_other_keys().
    [[nodiscard]] std::optional<std::string> use_of_other_keys(const account_info& account) const;

private:
    asio::awaitable<result<void>> share_quota(monotonic_time deadline);
    asio::awaitable<result<void>> load_pins(monotonic_time deadline);
    void apply(const account_info& account);
    void begin_reading();
    asio::awaitable<void> read_again();

    client_options options_;
    const long made_by_;  ///< The process.
    runtime::wait_queue learning_;
    bool quota_shared_ = false;  ///< Or it was tried.
    account_pins pins_kept_;     ///< What the pins' file holds of the account.
    bool limits_known_ = false;
    monotonic_time ask_again_at_{};  ///< Where they are not known: not before.
    std::uint64_t readings_failed_ = 0;
    failure last_reading_;  ///< Why the last of those failed.
    bool reading_again_ = false;
    bool shut_down_ = false;
    std::list<running_operation*> operations_;
};

}  // namespace vembed::detail
