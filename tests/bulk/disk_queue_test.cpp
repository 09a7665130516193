// Work on the sink and the journal in groups.

#include "bulk/disk_queue.hpp"

#include <condition_variable>
#include <stdexcept>

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "support/ledger_sink.hpp"

namespace vembed::bulk {
namespace {

// Counts commits, and says no where it is told to.
class counting_journal final : public run_journal {
public:
    using run_journal::open;
    result<prior_run> open(const run_identity&, const prior_visitor&) override { return prior_run(); }
    result<void> commit(std::span<const journal_change> changes) override {
        sizes.push_back(changes.size());
        flushed_before.push_back(*flushes);
        return refuse ? result<void>(error(errc::io, "the disk is full")) : result<void>();
    }
    result<std::optional<journalled_batch>> find(std::uint64_t) override { return std::optional<journalled_batch>(); }
    std::vector<std::size_t> sizes;
    std::vector<int> flushed_before;
    const int* flushes = nullptr;
    bool refuse = false;
};

class counting_sink final : public testing::ledger_sink {
public:
    result<void> flush() override {
        ++flushes;
        return {};
    }
    int flushes = 0;
};

// The worker is busy with the first piece of work until all others wait.
class busy_worker {
public:
    void await_begin() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return begun_; });
    }
    void release() {
        const std::scoped_lock lock(mutex_);
        free_ = true;
        changed_.notify_all();
    }
    void be_busy() {
        std::unique_lock lock(mutex_);
        begun_ = true;
        changed_.notify_all();
        changed_.wait(lock, [this] { return free_; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool begun_ = false;
    bool free_ = false;
};

asio::awaitable<void> do_work(disk_queue* queue, disk_work what, result<void>* into) {
    *into = co_await queue->run(std::move(what));
}

class DiskQueue : public ::testing::Test {
protected:
    DiskQueue() { journal.flushes = &sink.flushes; }

    void add(disk_work what, result<void>* into) {
        asio::co_spawn(context, do_work(&queue, std::move(what), into), asio::detached);
    }

    static disk_work completing(std::uint64_t batch) {
        disk_work what;
        what.changes.push_back(journal_change::complete(batch));
        what.flush_first = true;
        return what;
    }

    // Everything that was added after the first piece waits while that is under way.
    void run_behind_a_busy_worker() {
        asio::post(context, [this] { worker.release(); });
        context.run();
    }

    void keep_busy(result<void>* into) {
        disk_work what;
        what.work = [this]() -> result<void> {
            worker.be_busy();
            return {};
        };
        add(std::move(what), into);
        context.poll();
        worker.await_begin();
    }

    asio::io_context context{1};
    counting_sink sink;
    counting_journal journal;
    disk_queue queue{make_system_environment({}, log_level::error), &sink, &journal};
    busy_worker worker;
};

TEST_F(DiskQueue, WhatWaitsSharesOneFlushAndOneCommit) {
    std::vector<result<void>> done(50, error(errc::io, "not done"));
    result<void> first = error(errc::io, "not done");
    keep_busy(&first);
    for (std::size_t i = 0; i < done.size(); ++i) {
        add(completing(i), &done[i]);
    }
    run_behind_a_busy_worker();
    EXPECT_TRUE(first);
    for (const result<void>& one : done) {
        EXPECT_TRUE(one);
    }
    EXPECT_EQ(journal.sizes, std::vector<std::size_t>{50});
    EXPECT_EQ(journal.flushed_before, std::vector<int>{1}) << "rows are durable before the journal says so";
}

TEST_F(DiskQueue, AFailureIsItsOwnersAlone) {
    std::vector<result<void>> done(4);
    keep_busy(&done[0]);
    disk_work bad = completing(1);
    bad.work = []() -> result<void> { return error(errc::io, "no room"); };
    disk_work worse = completing(2);
    worse.work = []() -> result<void> { throw std::runtime_error("oh"); };
    add(std::move(bad), &done[1]);
    add(std::move(worse), &done[2]);
    add(completing(3), &done[3]);
    run_behind_a_busy_worker();
    EXPECT_EQ(done[1].error().message, "no room");
    EXPECT_EQ(done[2].error().kind, errc::callback_failed);
    EXPECT_TRUE(done[3]);
    EXPECT_EQ(journal.sizes, std::vector<std::size_t>{1}) << "of what failed nothing is recorded";
}

TEST_F(DiskQueue, ARefusedCommitFailsAllThatWaitForIt) {
    std::vector<result<void>> done(3);
    journal.refuse = true;
    keep_busy(&done[0]);
    add(completing(1), &done[1]);
    add(completing(2), &done[2]);
    run_behind_a_busy_worker();
    EXPECT_TRUE(done[0]) << "it had nothing to record";
    EXPECT_EQ(done[1].error().kind, errc::io);
    EXPECT_EQ(done[2].error().kind, errc::io);
}

}  // namespace
}  // namespace vembed::bulk
