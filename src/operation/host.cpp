#include "operation/host.hpp"

#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace vembed::detail {

operation_host::operation_host(asio::any_io_executor on, std::shared_ptr<environment> with)
    : executor(std::move(on)), env(std::move(with)), made_by_(::getpid()) {}

bool operation_host::in_forked_process() const noexcept {
    return ::getpid() != made_by_;
}

void operation_host::shut_down() {
    shut_down_ = true;
    // Cancelling may end operations at once, and they remove themselves from the list.
    const std::vector<running_operation*> now(operations_.begin(), operations_.end());
    for (running_operation* operation : now) {
        if (std::find(operations_.begin(), operations_.end(), operation) != operations_.end()) {
            operation->cancel();
        }
    }
    close();
}

}  // namespace vembed::detail
