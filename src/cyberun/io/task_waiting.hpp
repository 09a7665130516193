#pragma once
/// Waits for tasks: carries out the watch_plan, the stream of a task's events beside the reads of the task. Waits that
/// poll share their reads.

#include <cstdint>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "cyberun/io/endpoints.hpp"
#include "cyberun/io/task_polling.hpp"

namespace vembed::cyberun {

class task_waiting {
public:
    task_waiting(asio::any_io_executor executor, std::shared_ptr<endpoints> api)
        : executor_(std::move(executor)), api_(std::move(api)), polling_(executor_, api_) {}

    /// See client::wait_task().
    asio::awaitable<result<task>> wait(std::string id, std::shared_ptr<const wait_options> how,
                                       monotonic_time deadline);

private:
    class stream_place;

    asio::any_io_executor executor_;
    std::shared_ptr<endpoints> api_;
    task_polling polling_;
    std::uint32_t streams_ = 0;  ///< Waits by streams.
};

}  // namespace vembed::cyberun
