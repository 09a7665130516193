#pragma once
/// A number of permits that coroutines hold one at a time, served in order of arrival.

#include <cstdint>
#include <memory>

#include <vembed/runtime/environment.hpp>

#include "runtime/wait_queue.hpp"

namespace vembed::runtime {

/// Confined to one executor. Must outlive its permits.
class semaphore {
public:
    semaphore(asio::any_io_executor executor, std::shared_ptr<environment> env, std::uint64_t permits)
        : line_(std::move(executor), std::move(env)), free_(permits) {}
    semaphore(const semaphore&) = delete;
    semaphore& operator=(const semaphore&) = delete;

    /// A place for one permit, held or not. The permit is given back when the object is destroyed.
    class permit {
    public:
        permit() = default;
        ~permit() { release(); }
        permit(const permit&) = delete;
        permit& operator=(const permit&) = delete;

        [[nodiscard]] bool held() const noexcept { return from_ != nullptr; }
        void release() noexcept;

    private:
        friend class semaphore;
        semaphore* from_ = nullptr;
    };

    /// Returns when `into` holds a permit (at once if it already does); false if it was cancelled before.
    asio::awaitable<bool> acquire(permit* into);

private:
    wait_queue line_;
    std::uint64_t free_;
};

}  // namespace vembed::runtime
