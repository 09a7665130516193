#pragma once
/// Lets a batch of jobs use this service.

#include <memory>
#include <string>
#include <string_view>

#include "aitbc/client/client_core.hpp"
#include "job_batch/backend.hpp"

namespace vembed::aitbc {

class batch_backend final : public job_batch::backend {
public:
    explicit batch_backend(std::shared_ptr<detail::client_core> core) : core_(std::move(core)) {}

    [[nodiscard]] std::string name() const override { return "aitbc"; }
    [[nodiscard]] std::string base_url() const override { return core_->base_url; }
    [[nodiscard]] result<void> check(std::string_view line) const override;
    asio::awaitable<result<std::string>> submit(std::string line, admission::applicant who) override;
    asio::awaitable<result<std::string>> find_lost(std::string line, wall_time sent_at) override;
    asio::awaitable<result<void>> wait(std::string id) override;
    asio::awaitable<result<job_batch::job_end>> fetch(std::string id, std::string files, std::string name) override;
    void know(const std::string& id) override { core_->submissions->know(id); }
    void expect(std::uint64_t submissions) override { core_->waiting->expect_submissions(submissions); }
    void recheck() override { core_->api->through()->gate()->recheck(); }

private:
    std::shared_ptr<detail::client_core> core_;
};

}  // namespace vembed::aitbc
