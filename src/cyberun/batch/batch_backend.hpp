#pragma once
/// Lets a batch of jobs use this service.

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <vembed/cyberun/batch.hpp>

#include "cyberun/client/client_core.hpp"
#include "job_batch/backend.hpp"

namespace vembed::cyberun {

class batch_backend final : public job_batch::backend {
public:
    explicit batch_backend(std::shared_ptr<detail::client_core> core) : core_(std::move(core)) {}

    [[nodiscard]] std::string name() const override { return "cyberun"; }
    [[nodiscard]] std::string base_url() const override { return core_->base_url; }
    [[nodiscard]] result<void> check(std::string_view line) const override;
    asio::awaitable<result<std::string>> submit(std::string line, admission::applicant who) override;
    asio::awaitable<result<std::string>> find_lost(std::string line, wall_time sent_at) override;
    asio::awaitable<result<void>> wait(std::string id) override;
    asio::awaitable<result<job_batch::job_end>> fetch(std::string id, std::string files, std::string name) override;
    void know(const std::string& id) override { known_.insert(id); }
    void expect(std::uint64_t /*submissions*/) override {}
    void recheck() override { core_->api->through()->gate()->recheck(); }

private:
    class lost_run {
    public:
        std::string workflow_id;
        wall_time sent_at{};

        lost_run() = default;
    };

    asio::awaitable<result<workflow>> workflow_of(const run_request* request);
    [[nodiscard]] result<std::string> decide(const lost_run& lost, const std::vector<task>& tasks, bool all) const;

    std::shared_ptr<detail::client_core> core_;
    std::map<std::string, workflow> workflows_;  ///< By slug or id, as they were when they were first needed.
    std::set<std::string> known_;                ///< Tasks of requests that were answered or decided.
    std::vector<lost_run> lost_;                 ///< Requests in doubt.
};

}  // namespace vembed::cyberun
