#pragma once
/// Blocking work with a result, for coroutines that wait for its end.

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/awaitable.hpp>

#include <vembed/runtime/environment.hpp>

namespace vembed::runtime {

/// Runs `work` on the worker thread, see environment::run_blocking(). It may refer to what the caller holds, since the
/// caller waits for its end.
template <class T>
asio::awaitable<T> on_worker(std::shared_ptr<environment> env, std::function<T()> work) {
    std::optional<T> made;
    std::function<void()> run = [&made, &work] { made.emplace(work()); };
    co_await env->run_blocking(std::move(run));
    co_return std::move(*made);
}

/// Runs `work` on the thread that reads sources, see environment::read_blocking().
template <class T>
asio::awaitable<T> on_reader(std::shared_ptr<environment> env, std::function<T()> work) {
    std::optional<T> made;
    std::function<void()> run = [&made, &work] { made.emplace(work()); };
    co_await env->read_blocking(std::move(run));
    co_return std::move(*made);
}

/// Whether the awaiting coroutine was asked to end, which blocking work does not notice.
asio::awaitable<bool> is_cancelled();

}  // namespace vembed::runtime
