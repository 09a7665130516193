#pragma once
/// The bulk engine's interface to Cyberian.

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "bulk/job_backend.hpp"
#include "client/client_core.hpp"

namespace vembed::detail {

class cyberian_backend final : public bulk::job_backend {
public:
    /// Exactly one of model and spec_yaml is not empty.
    cyberian_backend(std::shared_ptr<client_core> core, std::string model, std::string spec_yaml);

    asio::awaitable<result<bulk::job_limits>> limits(monotonic_time deadline) override;
    asio::awaitable<result<bulk::submitted_job>> submit(std::shared_ptr<const std::vector<std::string>> texts,
                                                        admission::send_record* record,
                                                        monotonic_time deadline) override;
    [[nodiscard]] std::chrono::seconds sending_max() const override;
    asio::awaitable<result<void>> settle(std::string job_id, monotonic_time deadline) override;
    asio::awaitable<result<bulk::fetched_job>> fetch(std::string job_id,
                                                     std::shared_ptr<const std::vector<std::string>> texts,
                                                     verify_level level, std::vector<float> values,
                                                     std::vector<offline_check>* checks,
                                                     monotonic_time deadline) override;
    asio::awaitable<result<bool>> prove_inputs(std::string job_id,
                                               std::shared_ptr<const std::vector<input_digests>> texts,
                                               monotonic_time deadline) override;
    void take_up(const std::string& job_id, std::uint64_t chunks) override;
    void unwatch(const std::string& job_id) override { leases_.erase(job_id); }
    asio::awaitable<bool> look_at_chunks(std::string job_id, monotonic_time deadline) override;
    asio::awaitable<result<policy::account_count>> count_chunks(monotonic_time deadline) override;
    [[nodiscard]] std::uint64_t rows_per_chunk() const override;
    void expect_rows_per_chunk(std::uint64_t rows) override;
    void stop_submitting() override;
    void describe_gate(progress& into) const override;
    void describe_account(bulk_report& into) const override;

private:
    [[nodiscard]] const std::string& name() const noexcept { return model_.empty() ? spec_yaml_ : model_; }
    asio::awaitable<void> learn(const job_results* results, monotonic_time deadline);
    asio::awaitable<void> learn_dimensions(monotonic_time deadline);

    std::shared_ptr<client_core> core_;
    std::string model_;
    std::string spec_yaml_;
    std::shared_ptr<admission::withdrawal> withdrawal_ = std::make_shared<admission::withdrawal>();
    admission::applicant applicant_;
    std::optional<error> no_such_model_;              ///< Set if the catalog lacks the model.
    std::uint64_t dimensions_ = 0;                    ///< From the catalog; 0 if not known.
    chunk_size chunk_size_kept_;                      ///< What this machine remembers for the model.
    std::map<std::string, admission::lease> leases_;  ///< By id, for jobs not known to be final.
};

}  // namespace vembed::detail
