#pragma once
/// Waits for jobs. All waits of a client share one poll_plan and its requests: the first in line sends them and tells
/// the others what it read.

#include <list>
#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "aitbc/io/endpoints.hpp"
#include "aitbc/wire/poll_plan.hpp"
#include "runtime/wait_queue.hpp"

namespace vembed::aitbc {

class job_waiting {
public:
    job_waiting(asio::any_io_executor executor, std::shared_ptr<endpoints> api);

    /// Waits until the job has ended by its state. See client::wait_job().
    asio::awaitable<result<job>> wait(std::string id, job_progress progress, monotonic_time deadline);

    /// The same; a job of which only a list's entry was read is read whole before it counts as completed, because its
    /// result may say that it failed.
    asio::awaitable<result<job>> wait_and_read(std::string id, job_progress progress, monotonic_time deadline);

    /// How many submissions are still to come: calls of the hour are kept for them.
    void expect_submissions(std::uint64_t to_come) noexcept { submissions_to_come_ = to_come; }

private:
    class waiter;
    class entry_in_list;

    asio::awaitable<result<job>> wait_for(std::string id, job_progress progress, bool* whole, monotonic_time deadline);
    [[nodiscard]] bool is_waited_for(const std::string& id) const noexcept;
    [[nodiscard]] call_budget budget() const;
    void tell(const job& seen, bool whole);
    void fail(const std::string& id, const error& why);
    void fail_all(const error& why);
    asio::awaitable<void> ask(poll_step step, monotonic_time deadline);
    void took_page(const result<job_page>& page);
    void took_job(const std::string& id, const result<job>& read);

    std::shared_ptr<endpoints> api_;
    std::shared_ptr<environment> env_;
    poll_plan plan_;
    runtime::wait_queue line_;
    std::list<waiter*> waiters_;
    std::uint64_t submissions_to_come_ = 0;
};

}  // namespace vembed::aitbc
