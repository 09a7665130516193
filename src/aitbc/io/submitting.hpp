#pragma once
/// Submits jobs, once each, and finds out what became of submissions whose response was lost.

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "admission/gate.hpp"
#include "aitbc/io/endpoints.hpp"
#include "aitbc/wire/reconcile_submit.hpp"
#include "runtime/wait_queue.hpp"

namespace vembed::aitbc {

class submitting {
public:
    submitting(asio::any_io_executor executor, std::shared_ptr<endpoints> api);

    /// See client::submit(). `who` is the applicant at the gate; its record is told of each try.
    asio::awaitable<result<submitted_job>> submit(std::shared_ptr<const job_request> request, admission::applicant who,
                                                  monotonic_time deadline);

    /// Looks for the job of a submission whose response was lost, earlier or by another process: exactly one job that
    /// fits is it; else outcome_unknown, which names those that may be it. Reads the list once it cannot be stale.
    asio::awaitable<result<submitted_job>> find_lost(lost_submit lost, monotonic_time deadline);

    /// A job that an earlier process submitted: it is nobody's lost submission.
    void know(const std::string& id);

    /// How the service would show a job of this request.
    [[nodiscard]] lost_submit shown_as(const job_request& request) const;

private:
    class open_entry;

    asio::awaitable<result<submit_verdict>> look(const lost_submit* lost, std::uint64_t self, monotonic_time deadline);
    asio::awaitable<std::optional<error>> ask_jobs(submit_evidence* seen, std::vector<std::string> ids,
                                                   monotonic_time deadline);
    asio::awaitable<bool> wait_for_others(std::uint64_t begun_before, monotonic_time deadline);
    [[nodiscard]] std::vector<lost_submit> others(std::uint64_t but) const;

    std::shared_ptr<endpoints> api_;
    std::shared_ptr<environment> env_;
    std::set<std::string> known_;
    std::deque<std::string> known_in_order_;
    std::map<std::uint64_t, lost_submit> open_;  ///< Submissions without a response, and those in doubt.
    std::set<std::uint64_t> in_flight_;          ///< Those of open_ that may still get a response.
    std::uint64_t next_ = 1;
    runtime::wait_queue responded_;
};

}  // namespace vembed::aitbc
