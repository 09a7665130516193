#pragma once
/// Lets all waits of a client that poll share pages of GET /r/tasks: the first that has to ask reads them and tells the
/// others. Whether a task has ended is told only by a read of the task itself.

#include <cstdint>
#include <list>
#include <memory>
#include <optional>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "cyberun/io/endpoints.hpp"
#include "cyberun/watch/list_round.hpp"
#include "runtime/wait_queue.hpp"

namespace vembed::cyberun {

/// A wait, as far as it shares its reads.
class polled_watch {
public:
    polled_watch() = default;
    polled_watch(const polled_watch&) = delete;
    polled_watch& operator=(const polled_watch&) = delete;
    virtual ~polled_watch() = default;

    /// The task, if a list may tell of it now; empty if it has to be read by itself, or is being read.
    [[nodiscard]] virtual std::optional<polled_task> shareable() const = 0;
    /// Whether the wait has to read its task now and was not told of it yet.
    [[nodiscard]] virtual bool asks() const noexcept = 0;

    virtual void listed(const task& entry) = 0;
    /// The task has to be read by itself. `changed`: as soon as possible, because its state is another one.
    virtual void not_listed(bool changed) = 0;
    virtual void list_failed(const mapped_refusal& why) = 0;
};

/// Used on one executor.
class task_polling {
public:
    task_polling(asio::any_io_executor executor, std::shared_ptr<endpoints> api);

    /// Keeps a wait in the list for as long as it lasts.
    class place {
    public:
        place(task_polling& in, polled_watch& who) : in_(&in), at_(in.watches_.insert(in.watches_.end(), &who)) {}
        place(const place&) = delete;
        place& operator=(const place&) = delete;
        ~place() { in_->watches_.erase(at_); }

    private:
        task_polling* in_;
        std::list<polled_watch*>::iterator at_;
    };

    /// Returns when the wait was told of its task, or when the task has to be read by itself: then it still asks().
    asio::awaitable<void> read(polled_watch* of, monotonic_time deadline);

private:
    class round_under_way;

    [[nodiscard]] bool pays() const;
    void give_up_lists();
    asio::awaitable<bool> read_pages(list_round* round, monotonic_time deadline);
    asio::awaitable<bool> lead(monotonic_time deadline);
    void tell(const list_round& round);

    std::shared_ptr<endpoints> api_;
    std::shared_ptr<environment> env_;
    runtime::wait_queue line_;
    std::list<polled_watch*> watches_;
    bool under_way_ = false;
    monotonic_time not_before_{};       ///< Of lists, after they were given up.
    std::uint32_t useless_rounds_ = 0;  ///< In a row.
};

}  // namespace vembed::cyberun
