#pragma once
/// Whether a run goes on, and why it does not.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>

#include <vembed/bulk/options.hpp>
#include <vembed/runtime/environment.hpp>

#include "bulk/job_backend.hpp"
#include "runtime/wait_queue.hpp"

namespace vembed::bulk {

/// Lines that batches of a run wait in. All of them look again when the run ends.
class run_lines {
public:
    runtime::wait_queue first_job;  ///< Waits until the first job has shown what a job costs.
    runtime::wait_queue budget;     ///< Waits until a submission under way has shown what it leaves of the budget.
    runtime::wait_queue quota;      ///< Waits until a used-up quota comes back.
    runtime::wait_queue outage;     ///< Waits until the service responds again; the first in line tries.
    runtime::wait_queue asking;     ///< Waits before a job is asked for again.
    runtime::wait_queue suspicion;  ///< Waits until jobs whose looks failed have brought rows or not.

    run_lines(const asio::any_io_executor& executor, const std::shared_ptr<environment>& env);
    void wake_all();
};

class run_end {
public:
    run_end(job_backend* backend, run_lines* lines) : backend_(backend), lines_(lines) {}

    /// Submits nothing more. Jobs in flight go on, and the run ends with a report. Only the first call counts.
    void stop(stop_reason reason, std::string why, std::optional<std::chrono::seconds> resume_after = std::nullopt);
    /// Ends the run with an error; only the first call counts.
    void give_up(const error& f);
    /// Whether the caller cancelled the run. If so, the run ends and the caller of this may only tidy up.
    asio::awaitable<bool> cancelled();

    [[nodiscard]] bool is_stopped() const noexcept { return stopped_; }
    [[nodiscard]] bool asked_to_stop() const noexcept { return stopped_ && reason_ == stop_reason::stopped; }
    /// Whether nothing more is submitted.
    [[nodiscard]] bool stopping() const noexcept { return stopped_ || fatal_; }
    [[nodiscard]] const std::optional<error>& fatal() const noexcept { return fatal_; }

    [[nodiscard]] stop_reason reason() const noexcept { return reason_; }
    [[nodiscard]] const std::string& message() const noexcept { return message_; }
    [[nodiscard]] std::optional<std::chrono::seconds> resume_after() const noexcept { return resume_after_; }

private:
    job_backend* backend_;
    run_lines* lines_;
    bool stopped_ = false;
    stop_reason reason_ = stop_reason::complete;
    std::string message_;
    std::optional<std::chrono::seconds> resume_after_;
    std::optional<error> fatal_;
};

error run_cancelled();

/// Calls back on the run's executor if the caller asks the run to stop, from any thread. The call may come after this
/// was destroyed.
class stop_listener {
public:
    stop_listener(const std::stop_token& token, asio::any_io_executor executor, std::function<void()> on_stop)
        : callback_(token, poster{std::move(executor), std::move(on_stop)}) {}

private:
    struct poster {
        asio::any_io_executor executor;
        std::function<void()> on_stop;
        void operator()() const { asio::post(executor, on_stop); }
    };
    std::stop_callback<poster> callback_;
};

}  // namespace vembed::bulk
