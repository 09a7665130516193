#pragma once
/// One call of attest_corpus(): its options, its report, and what its two forms share. Everything runs on the client's
/// executor.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include <vembed/attest/attest_corpus.hpp>
#include <vembed/core/result.hpp>
#include <vembed/cyberian/types.hpp>

#include "attest/attest_record.hpp"
#include "client/client_core.hpp"
#include "runtime/blocking_work.hpp"

namespace vembed::attest {

/// The time limit of a claim with all its waits: waiting for the account's pace is no error, and a try has its own
/// limit.
inline constexpr std::chrono::hours request_patience{24};

using runtime::on_worker;

class attest_call {
public:
    attest_call(std::shared_ptr<detail::client_core> on, attest_options told);

    /// The request about these texts.
    [[nodiscard]] job_request request_for(std::vector<std::string> texts) const;

    /// Reads /account, and what is known of the schemes that the account's receipts follow. A stop cancels the former.
    asio::awaitable<result<account_info>> read_account();

    /// If the call names a model: invalid_argument if the service says that the model has another width.
    asio::awaitable<result<void>> check_width(std::uint64_t dimensions);

    /// Opens the output file on the worker thread.
    asio::awaitable<result<attest_record_file>> open_file(claim_history* history);

    /// Counts a claim's outcome, makes it durable and tells it. `file` and `record` must outlive the wait.
    asio::awaitable<result<void>> keep(attest_record_file* file, std::uint64_t number, const claim_record* record);

    /// Takes a claim back on the worker thread, see attest_record_file::withdraw.
    asio::awaitable<result<void>> withdraw(attest_record_file* file, std::uint64_t number);

    /// Calls on_progress unless it was called within the interval.
    void tell_progress();

    /// The call ends early; the first reason stays.
    void end(error why);

    [[nodiscard]] bool is_stopped() const noexcept { return options.stop.stop_requested(); }

    const std::shared_ptr<detail::client_core> core;
    attest_options options;
    std::optional<std::uint64_t> spec_chunk_size;  ///< The chunk size that the specification names.
    attest_report report;

private:
    template <class Callback, class Value>
    void tell(const Callback& callback, const Value& value);

    std::optional<monotonic_time> told_at_;
};

}  // namespace vembed::attest
