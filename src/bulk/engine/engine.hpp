#pragma once
/// One bulk run under way: its workers, each of which takes a batch, sees it through, and takes the next.

#include <memory>

#include "bulk/engine/disputes.hpp"
#include "bulk/engine/in_doubt.hpp"
#include "bulk/engine/intake.hpp"
#include "bulk/engine/preparation.hpp"
#include "bulk/engine/report.hpp"
#include "bulk/engine/run_state.hpp"
#include "bulk/engine/settler.hpp"
#include "bulk/engine/submitter.hpp"
#include "runtime/task_group.hpp"

namespace vembed::bulk {

class engine : public std::enable_shared_from_this<engine> {
public:
    explicit engine(run_parts parts);

    asio::awaitable<result<bulk_report>> run();

private:
    asio::awaitable<void> work();
    asio::awaitable<void> run_workers();
    asio::awaitable<void> watch_deadline(runtime::task_group* workers);
    asio::awaitable<void> settle_in_doubt();
    asio::awaitable<void> see_through(batch_task* task);
    asio::awaitable<void> see_through_one(batch_task* task);
    [[nodiscard]] std::uint64_t slots_in_flight() const;

    run_state run_;
    in_doubt_resolver in_doubt_;
    dispute_resolver disputes_;
    run_preparation preparation_;
    corpus_intake intake_;
    submitter submitter_;
    settler settler_;
    reporter reporter_;
    runtime::semaphore in_flight_;  ///< It has as many slots as jobs may be in flight.
};

}  // namespace vembed::bulk
