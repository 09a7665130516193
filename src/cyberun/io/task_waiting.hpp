#pragma once
/// Waits for tasks: carries out the watch_plan, the stream of a task's events beside the reads of the task.

#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "cyberun/io/endpoints.hpp"

namespace vembed::cyberun {

class task_waiting {
public:
    task_waiting(asio::any_io_executor executor, std::shared_ptr<endpoints> api)
        : executor_(std::move(executor)), api_(std::move(api)) {}

    /// See client::wait_task().
    asio::awaitable<result<task>> wait(std::string id, std::shared_ptr<const wait_options> how,
                                       monotonic_time deadline);

private:
    asio::any_io_executor executor_;
    std::shared_ptr<endpoints> api_;
};

}  // namespace vembed::cyberun
