#include <chrono>
#include <mutex>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <vembed/runtime/environment.hpp>

#include "runtime/parking_spot.hpp"
#include "runtime/work_elsewhere.hpp"

namespace vembed {
namespace {

class system_timer final : public timer {
public:
    explicit system_timer(const asio::any_io_executor& executor) : spot_(executor) {}
    asio::awaitable<wait_outcome> wait_until(monotonic_time deadline) override { return spot_.park(deadline); }
    void wake() noexcept override { spot_.unpark(); }

private:
    runtime::parking_spot spot_;
};

// A log record of blocking work, kept until the coroutine that waits for the work goes on.
class kept_record {
public:
    kept_record(log_level of, std::string_view what, std::initializer_list<log_field> with)
        : level(of), event(what), fields(with) {}

    log_level level;
    std::string event;
    std::vector<log_field> fields;
};

// The records of the blocking work that this thread does; null if the thread does none.
thread_local std::vector<kept_record>* said_by_work = nullptr;

// Hands work to the pool and resumes the handler on its own executor, even if the work throws.
struct initiate_blocking {
    template <class Handler>
    void operator()(Handler handler, asio::thread_pool* pool, std::function<void()> work, std::exception_ptr* error,
                    std::vector<kept_record>* said) {
        auto executor = asio::get_associated_executor(handler, pool->get_executor());
        auto guard = asio::make_work_guard(executor);
        auto& context = asio::query(executor, asio::execution::context);
        runtime::work_away away(asio::use_service<runtime::work_elsewhere>(context));
        asio::post(*pool, [away = std::move(away), handler = std::move(handler), guard = std::move(guard),
                           work = std::move(work), error, said]() mutable {
            said_by_work = said;
            try {
                work();
            } catch (...) {
                *error = std::current_exception();
            }
            said_by_work = nullptr;
            work = nullptr;  // Destroyed before the waiter goes on: this thread must not release it later.
            const auto resume_on = guard.get_executor();
            asio::post(resume_on, std::move(handler));
            guard.reset();
        });
    }
};

class system_environment final : public environment {
public:
    system_environment(log_hook hook, log_level level)
        : hook_(std::move(hook)), level_(level), generator_(std::random_device{}()) {}

    // Blocking work that began ends before the environment is destroyed.
    ~system_environment() override {
        for (const std::unique_ptr<asio::thread_pool>* pool : {&worker_, &reader_}) {
            if (*pool) {
                (*pool)->join();
            }
        }
    }

    [[nodiscard]] monotonic_time now() const override {
        return monotonic_time(
            std::chrono::duration_cast<monotonic_clock::duration>(std::chrono::steady_clock::now().time_since_epoch()));
    }

    [[nodiscard]] wall_time wall_now() const override {
        return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
    }

    std::uint64_t random() override {
        const std::scoped_lock lock(mutex_);
        return generator_();
    }

    std::unique_ptr<timer> make_timer(const asio::any_io_executor& executor) override {
        return std::make_unique<system_timer>(executor);
    }

    asio::awaitable<void> run_blocking(std::function<void()> work) override {
        return run_on(pool_of(worker_), std::move(work));
    }

    asio::awaitable<void> read_blocking(std::function<void()> work) override {
        return run_on(pool_of(reader_), std::move(work));
    }

    [[nodiscard]] bool logs(log_level level) const noexcept override { return hook_ && level >= level_; }

    void log(log_level level, std::string_view event, std::initializer_list<log_field> fields) override {
        if (!logs(level)) {
            return;
        }
        try {
            if (said_by_work != nullptr) {
                said_by_work->emplace_back(level, event, fields);
            } else {
                pass_on(level, event, {fields.begin(), fields.size()});
            }
        } catch (...) {
            return;  // A logging error never changes the result of an operation.
        }
    }

private:
    asio::thread_pool* pool_of(std::unique_ptr<asio::thread_pool>& of) {
        const std::scoped_lock lock(mutex_);
        if (!of) {
            of = std::make_unique<asio::thread_pool>(1);
        }
        return of.get();
    }

    asio::awaitable<void> run_on(asio::thread_pool* pool, std::function<void()> work) {
        std::exception_ptr error;
        std::vector<kept_record> said;
        initiate_blocking initiate;
        co_await asio::async_initiate<const asio::use_awaitable_t<>&, void()>(initiate, asio::use_awaitable, pool,
                                                                              std::move(work), &error, &said);
        for (const kept_record& record : said) {
            log_kept(record);
        }
        if (error) {
            std::rethrow_exception(error);
        }
    }

    void log_kept(const kept_record& record) {
        try {
            pass_on(record.level, record.event, record.fields);
        } catch (...) {
            return;  // A logging error is ignored here as in log().
        }
    }

    void pass_on(log_level level, std::string_view event, std::span<const log_field> fields) {
        log_record record;
        record.level = level;
        record.event = event;
        record.fields = fields;
        hook_(record);
    }

    log_hook hook_;
    log_level level_;
    std::mutex mutex_;
    std::mt19937_64 generator_;
    std::unique_ptr<asio::thread_pool> worker_;
    std::unique_ptr<asio::thread_pool> reader_;
};

}  // namespace

std::shared_ptr<environment> make_system_environment(log_hook hook, log_level level) {
    return std::make_shared<system_environment>(std::move(hook), level);
}

asio::awaitable<wait_outcome> sleep_until(std::shared_ptr<environment> env, monotonic_time deadline) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const std::unique_ptr<timer> pause = env->make_timer(executor);
    co_return co_await pause->wait_until(deadline);
}

}  // namespace vembed
