#pragma once
/// The state that all operations of one client share. It is used only on the client's executor.

#include <cstdint>
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
#include "operation/host.hpp"
#include "runtime/wait_queue.hpp"

namespace vembed::detail {

class client_core : public operation_host, public std::enable_shared_from_this<client_core> {
public:
    /// Resolves the options' defaults and builds the pipeline of requests.
    static result<std::shared_ptr<client_core>> make(asio::any_io_executor executor, client_options options);

    client_core(asio::any_io_executor executor, std::shared_ptr<environment> env, std::shared_ptr<transport> over,
                std::shared_ptr<admission::gate> gate, std::shared_ptr<cyberian::endpoints> api, std::string base_url,
                client_options options);

    /// Reads /account once, however many callers need it, and gives the gate its limits. The errors unauthorized,
    /// network, timeout and cancelled are returned (unauthorized and network to all callers that waited), and the next
    /// caller tries again. After other errors the limits are unknown for a while.
    asio::awaitable<result<void>> learn_limits(monotonic_time deadline);

    const std::shared_ptr<transport> over;
    const std::shared_ptr<admission::gate> gate;
    const std::shared_ptr<cyberian::endpoints> api;
    const std::string base_url;
    const verify_level verify;                  ///< The verify level of embed().
    const std::chrono::seconds visible_within;  ///< Applies to embed().
    /// The schemes that the account's receipts were seen to follow.
    const std::shared_ptr<account_pins> pins = std::make_shared<account_pins>();
    account_limits limits;               ///< From /account; empty before it was read.
    std::optional<wall_time> tier_ends;  ///< From /account; empty if never or not known.
    std::string account_id;              ///< From /account; empty before it was read.

    /// Adds what was learned about the account's schemes to the pins file, if there is one and something is new. An
    /// error is logged, and this client still uses what it learned. This function, remembered_chunk_size() and
    /// remember_chunk_size() wait for the disk only until `deadline` or a cancellation.
    asio::awaitable<void> keep_pins(monotonic_time deadline);

    /// The chunk size that this machine remembers for chunk_size_key(); 0 rows if there is none, or if no quota folder
    /// is used.
    asio::awaitable<chunk_size> remembered_chunk_size(std::string key, monotonic_time deadline);
    /// Stores the chunk size for later processes if a quota folder is used. An error is logged.
    asio::awaitable<void> remember_chunk_size(std::string key, chunk_size size, monotonic_time deadline);

    /// See use_of_other_keys().
    [[nodiscard]] std::optional<std::string> use_of_other_keys(const account_info& account) const;

private:
    void close() noexcept override { over->close(); }
    asio::awaitable<result<void>> share_quota(monotonic_time deadline);
    asio::awaitable<result<void>> load_pins(monotonic_time deadline);
    void apply(const account_info& account);
    void begin_reading();
    asio::awaitable<void> read_again();

    client_options options_;
    runtime::wait_queue learning_;
    bool quota_shared_ = false;  ///< It is shared, or sharing was tried.
    account_pins pins_kept_;     ///< What the pins file holds for the account.
    bool limits_known_ = false;
    monotonic_time ask_again_at_{};  ///< If the limits are unknown, no earlier.
    std::uint64_t readings_failed_ = 0;
    error last_reading_;  ///< The error of the last failed reading.
    bool reading_again_ = false;
};

}  // namespace vembed::detail
