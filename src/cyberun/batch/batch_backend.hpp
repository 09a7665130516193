#pragma once
/// Lets a batch of jobs use this service.

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

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
    void know(const std::string& id) override { core_->api->know(id); }
    void expect(std::uint64_t /*submissions*/) override {}
    void recheck() override { core_->api->through()->gate()->recheck(); }

private:
    asio::awaitable<result<workflow>> workflow_of(const workflow_name* name);
    result<std::string> taken(result<accepted_task> made);

    std::shared_ptr<detail::client_core> core_;
    std::map<std::string, workflow> workflows_;  ///< By slug or id, as they were when they were first needed.
};

}  // namespace vembed::cyberun
