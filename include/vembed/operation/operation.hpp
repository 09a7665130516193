#pragma once
/// @file
/// One call of the service that was described and is not started yet.

#include <memory>
#include <utility>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <vembed/core/result.hpp>

namespace vembed {

namespace asio = boost::asio;

namespace detail {

template <class T>
using completion = asio::any_completion_handler<void(result<T>)>;

/// What an operation does once it is started.
template <class T>
class description {
public:
    description() = default;
    description(const description&) = delete;
    description& operator=(const description&) = delete;
    virtual ~description() = default;

    /// Starts it on the client's executor; the handler is called on its own executor.
    virtual void start(completion<T> handler) = 0;
};

/// Asio's initiation function object. A move copies, so that whatever was started can tell that it is started again.
template <class T>
class initiation {
public:
    explicit initiation(std::shared_ptr<description<T>> what) : what_(std::move(what)) {}
    initiation(const initiation&) = default;
    initiation& operator=(const initiation&) = default;
    ~initiation() = default;

    template <class Handler>
    void operator()(Handler handler) const {
        what_->start(completion<T>(std::move(handler)));
    }

private:
    std::shared_ptr<description<T>> what_;
};

}  // namespace detail

/// An operation of a client, such as client::get_job() returns it. Its arguments were taken; nothing was sent. It is an
/// asio::awaitable<result<T>>, and start() takes any completion token for void(result<T>):
///
///     const result<job> seen = co_await client.get_job(id);
///     std::future<result<job>> later = client.get_job(id).start(asio::use_future);
///     client.get_job(id).start([](result<job> seen) { … });
///     auto first = co_await (client.get_job(id) || until_the_peer_leaves());
///
/// An operation that is dropped does nothing. It is started once, in one of these ways: what is started again completes
/// with invalid_argument and sends nothing. It may be started from any thread and runs on the client's executor.
///
/// \par Completion
/// On the awaiting coroutine's executor, else on the one associated with the token's handler, else on the client's.
///
/// \par Cancellation
/// By terminal cancellation in the slot of the awaiting coroutine or the token's handler, by call_options::stop and by
/// the end of the client. The operation then completes with cancelled; a POST that was on its way by then, and must not
/// be repeated, may end with outcome_unknown instead.
template <class T>
class [[nodiscard]] operation : public asio::awaitable<result<T>> {
public:
    explicit operation(std::shared_ptr<detail::description<T>> what)
        : asio::awaitable<result<T>>(begin(detail::initiation<T>(what), asio::use_awaitable)), initiation_(what) {}

    /// Starts the operation, or describes the start if the token is asio::deferred or asio::use_awaitable. What is
    /// returned is the token's. Copies of a deferred start are the same operation.
    template <class Token>
    auto start(Token&& token) const {
        return begin(initiation_, std::forward<Token>(token));
    }

private:
    template <class Token>
    static auto begin(detail::initiation<T> initiation, Token&& token) {
        return asio::async_initiate<Token, void(result<T>)>(std::move(initiation), token);
    }

    detail::initiation<T> initiation_;
};

}  // namespace vembed
