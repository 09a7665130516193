#include "http/socket/name_lookup.hpp"

#include <csignal>
#include <system_error>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

namespace vembed::http {
namespace {

using asio::ip::tcp;

lookup_answer ask_system(const std::string& host, const std::string& port) {
    lookup_answer out;
    asio::io_context own;
    tcp::resolver resolver(own);
    for (const auto& entry : resolver.resolve(host, port, out.error)) {
        out.endpoints.push_back(entry.endpoint());
    }
    return out;
}

/// Threads begun while this lives get no signals, because signals are for the program's own threads.
class signals_blocked {
public:
    signals_blocked() {
        sigset_t all;
        sigfillset(&all);
        blocked_ = ::pthread_sigmask(SIG_BLOCK, &all, &before_) == 0;
    }
    signals_blocked(const signals_blocked&) = delete;
    signals_blocked& operator=(const signals_blocked&) = delete;
    ~signals_blocked() {
        if (blocked_) {
            ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
        }
    }

private:
    sigset_t before_{};
    bool blocked_ = false;
};

}  // namespace

std::shared_ptr<name_lookup> name_lookup::begin(std::string host, std::string port) {
    return begin([host = std::move(host), port = std::move(port)] { return ask_system(host, port); });
}

std::shared_ptr<name_lookup> name_lookup::begin(std::function<lookup_answer()> resolver) {
    std::shared_ptr<name_lookup> made(new name_lookup());
    try {
        const signals_blocked quiet;
        std::thread([made, resolver = std::move(resolver)] { made->finish(resolver()); }).detach();
    } catch (const std::system_error& error) {
        lookup_answer none;
        none.error = boost::system::error_code(error.code().value(), boost::system::system_category());
        made->finish(std::move(none));
    }
    return made;
}

bool name_lookup::finished() const {
    const std::lock_guard lock(mutex_);
    return finished_;
}

lookup_answer name_lookup::answer() const {
    const std::lock_guard lock(mutex_);
    return answer_;
}

// This runs under the lock, so that the executor of a watch is not used after the watch has ended.
void name_lookup::finish(lookup_answer found) {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(found);
    finished_ = true;
    for (const auto& [who, tell] : watchers_) {
        tell();
    }
    watchers_.clear();
}

lookup_watch::lookup_watch(std::shared_ptr<name_lookup> what, asio::any_io_executor on, std::function<void()> tell)
    : what_(std::move(what)) {
    std::function<void()> post = [on = std::move(on), tell = std::move(tell)] { asio::post(on, tell); };
    const std::lock_guard lock(what_->mutex_);
    if (what_->finished_) {
        post();
    } else {
        what_->watchers_.emplace_back(this, std::move(post));
    }
}

lookup_watch::~lookup_watch() {
    const std::lock_guard lock(what_->mutex_);
    std::erase_if(what_->watchers_, [this](const auto& one) { return one.first == this; });
}

}  // namespace vembed::http
