#pragma once
/// What all operations of one client share: the executor they run on, and the list of those under way.

#include <list>
#include <memory>

#include <boost/asio/any_io_executor.hpp>

#include <vembed/runtime/environment.hpp>

namespace vembed::detail {

namespace asio = boost::asio;

/// A running operation that can be cancelled. All calls are made on the client's executor.
class running_operation {
public:
    running_operation() = default;
    running_operation(const running_operation&) = delete;
    running_operation& operator=(const running_operation&) = delete;
    virtual ~running_operation() = default;
    virtual void cancel() = 0;

private:
    friend class operation_host;
    std::list<running_operation*>::iterator place_;  ///< The entry in the client's list.
};

/// The core of a client derives from it. It is used only on the client's executor, except in_forked_process().
class operation_host {
public:
    /// `on` must run one thing at a time, see serial().
    operation_host(asio::any_io_executor on, std::shared_ptr<environment> with);
    operation_host(const operation_host&) = delete;
    operation_host& operator=(const operation_host&) = delete;
    virtual ~operation_host() = default;

    /// Cancels all operations, prevents new ones and closes what they use.
    void shut_down();
    [[nodiscard]] bool is_shut_down() const noexcept { return shut_down_; }

    /// Whether this is a child of the process that made the client. It may be called from any thread.
    [[nodiscard]] bool in_forked_process() const noexcept;

    void add(running_operation* operation) { operation->place_ = operations_.insert(operations_.end(), operation); }
    /// Removes an operation that was added.
    void remove(running_operation* operation) { operations_.erase(operation->place_); }

    const asio::any_io_executor executor;
    const std::shared_ptr<environment> env;

private:
    /// Ends connections; called once, when all operations were cancelled.
    virtual void close() noexcept = 0;

    const long made_by_;  ///< The id of the process.
    bool shut_down_ = false;
    std::list<running_operation*> operations_;
};

}  // namespace vembed::detail
