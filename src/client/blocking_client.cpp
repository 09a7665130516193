#include <vembed/client/blocking_client.hpp>

#include <unistd.h>

#include <optional>
#include <thread>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

namespace vembed {

class blocking_client::impl {
public:
    impl() : work_(context.get_executor()) {}

    // The client is destroyed first, which cancels its operations; the thread then runs until all of them have
    // completed.
    ~impl() {
        on_loop.reset();
        work_.reset();
        if (loop_.joinable()) {
            loop_.join();
        }
    }

    void start(client made) {
        on_loop.emplace(std::move(made));
        loop_ = std::thread([this] { context.run(); });
    }

    [[nodiscard]] bool in_forked_process() const noexcept { return ::getpid() != made_by_; }

    asio::io_context context{1};
    std::optional<client> on_loop;

private:
    const long made_by_ = ::getpid();
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    std::thread loop_;
};

blocking_client::blocking_client(client_options options) : blocking_client(make(std::move(options)).value()) {}

blocking_client::blocking_client(std::unique_ptr<impl> made) noexcept
    : operations(made->on_loop->core_), impl_(std::move(made)) {}

blocking_client::blocking_client(blocking_client&&) noexcept = default;
blocking_client& blocking_client::operator=(blocking_client&& other) noexcept {
    blocking_client taken(std::move(other));  // Its destructor ends the client that this object held.
    std::swap(core_, taken.core_);
    std::swap(impl_, taken.impl_);
    return *this;
}

blocking_client::~blocking_client() {
    core_.reset();  // The client's thread is the last owner.
    // After fork(), the threads to wait for are not in this process, so their objects are not destroyed.
    if (impl_ && impl_->in_forked_process()) {
        static_cast<void>(impl_.release());  // NOLINT(bugprone-unused-return-value)
    }
}

result<blocking_client> blocking_client::make(client_options options) {
    auto made = std::make_unique<impl>();
    auto on_loop = client::make(made->context.get_executor(), std::move(options));
    if (!on_loop) {
        return on_loop.error();
    }
    made->start(std::move(*on_loop));
    return blocking_client(std::move(made));
}

}  // namespace vembed
