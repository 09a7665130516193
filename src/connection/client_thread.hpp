#pragma once
/// The thread that a blocking client's operations run on.

#include <unistd.h>

#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <vembed/core/result.hpp>

namespace vembed::detail {

namespace asio = boost::asio;

/// Owns a client and the loop that it runs on.
template <class Client>
class client_thread {
public:
    client_thread() : work_(context.get_executor()) {}
    client_thread(const client_thread&) = delete;
    client_thread& operator=(const client_thread&) = delete;

    // The client is destroyed first, which cancels its operations; the thread then runs until all of them have
    // completed.
    ~client_thread() {
        on_loop.reset();
        work_.reset();
        if (loop_.joinable()) {
            loop_.join();
        }
    }

    void start(Client made) {
        on_loop.emplace(std::move(made));
        loop_ = std::thread([this] { context.run(); });
    }

    [[nodiscard]] bool in_forked_process() const noexcept { return ::getpid() != made_by_; }

    asio::io_context context{1};
    std::optional<Client> on_loop;

private:
    const long made_by_ = ::getpid();
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    std::thread loop_;
};

/// Makes a client on a thread of its own. `Thread` derives from client_thread<Client>.
template <class Client, class Thread, class Options>
result<std::unique_ptr<Thread>> start_thread(Options options) {
    auto made = std::make_unique<Thread>();
    auto on_loop = Client::make(made->context.get_executor(), std::move(options));
    if (!on_loop) {
        return on_loop.error();
    }
    made->start(std::move(*on_loop));
    return made;
}

/// Ends a thread. After fork(), the threads to wait for are not in this process, so their objects are not destroyed.
template <class Thread>
void end_thread(std::unique_ptr<Thread> of) {
    if (of && of->in_forked_process()) {
        static_cast<void>(of.release());  // NOLINT(bugprone-unused-return-value)
    }
}

}  // namespace vembed::detail
