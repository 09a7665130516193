#pragma once
/// Work on the sink and the journal, done in groups: however many jobs end while the disk is busy, the next group
/// costs one flush of the sink and one commit of the journal.

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include <vembed/bulk/sink.hpp>
#include <vembed/core/result.hpp>
#include <vembed/journal/journal.hpp>
#include <vembed/runtime/environment.hpp>

namespace vembed::bulk {

namespace asio = boost::asio;

/// One piece of work: what to do on the worker thread, and what to record once it is done.
class disk_work {
public:
    std::function<result<void>()> work;   ///< May be empty.
    std::vector<journal_change> changes;  ///< Recorded only if `work` succeeded.
    bool flush_first = false;             ///< The changes are about rows, which must be durable first.

    disk_work() = default;
};

class disk_queue {
public:
    /// If `journal` is null, nothing is recorded, and nothing is flushed for its sake.
    disk_queue(std::shared_ptr<environment> env, row_sink* sink, run_journal* journal)
        : env_(std::move(env)), sink_(sink), journal_(journal) {}

    /// Does the work and returns when its changes are durable. The error is callback_failed if `work` throws. If one
    /// piece of work fails, the others of its group are not affected; if the flush or the commit fails, all that wait
    /// for it fail. The work runs to its end even if the caller is cancelled.
    asio::awaitable<result<void>> run(disk_work what);

private:
    class entry {
    public:
        disk_work what;
        result<void> outcome;

        entry() = default;
    };

    void work_off();
    result<void> make_durable(const std::vector<entry*>& group);

    std::shared_ptr<environment> env_;
    row_sink* sink_;
    run_journal* journal_;
    std::mutex mutex_;
    std::vector<entry*> waiting_;
};

}  // namespace vembed::bulk
