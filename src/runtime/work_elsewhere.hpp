#pragma once
/// Work of a context's coroutines on threads of others: the context waits for it before it is destroyed.

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <utility>

#include <boost/asio/execution_context.hpp>

namespace vembed::runtime {

namespace asio = boost::asio;

/// Counts the work that is under way on other threads. Its shutdown(), which the context's destructor calls while the
/// context still takes handlers, waits until all of it has come back.
class work_elsewhere final : public asio::execution_context::service {
public:
    using key_type = work_elsewhere;
    static asio::execution_context::id id;

    explicit work_elsewhere(asio::execution_context& owner) : asio::execution_context::service(owner) {}

    void leave();
    void come_back();

private:
    void shutdown() override;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::uint64_t away_ = 0;
};

/// One piece of work on another thread, from its construction to its destruction.
class work_away {
public:
    explicit work_away(work_elsewhere& where) : where_(&where) { where_->leave(); }
    work_away(work_away&& other) noexcept : where_(std::exchange(other.where_, nullptr)) {}
    work_away& operator=(work_away&&) = delete;
    ~work_away() {
        if (where_ != nullptr) {
            where_->come_back();
        }
    }

private:
    work_elsewhere* where_;
};

}  // namespace vembed::runtime
