#pragma once
/// Prepares a run: reads the account's limits, takes over what an earlier process left, and opens what saves jobs.

#include <optional>
#include <vector>

#include "bulk/engine/disputes.hpp"
#include "bulk/engine/run_state.hpp"

namespace vembed::bulk {

class run_preparation {
public:
    run_preparation(run_state* run, dispute_resolver* disputes) : run_(run), disputes_(disputes) {}

    asio::awaitable<result<void>> prepare();

private:
    void identify();
    asio::awaitable<result<prior_run>> open_journal();
    asio::awaitable<void> learn_limits_into(result<void>* outcome);
    asio::awaitable<result<void>> learn_limits_until_stopped();
    asio::awaitable<result<void>> learn_limits();
    result<void> open_slots(const job_limits& allowed);
    void expect_chunk_size(const job_limits& allowed);
    asio::awaitable<void> take_baseline(const prior_run* prior);
    asio::awaitable<result<void>> open_aids();
    asio::awaitable<result<void>> adopt(prior_run prior);
    [[nodiscard]] result<std::vector<digest>> keys_of(const std::vector<std::uint64_t>& rows);
    [[nodiscard]] result<void> withdraw(const std::vector<std::uint64_t>& rows);

    run_state* run_;
    dispute_resolver* disputes_;
    std::uint64_t rows_per_chunk_before_ = 0;  ///< An earlier process recorded it; 0 if it did not.
    std::optional<policy::account_count> account_now_;
};

}  // namespace vembed::bulk
