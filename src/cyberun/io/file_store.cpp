#include "cyberun/io/file_store.hpp"

#include <string>
#include <utility>

#include "http/origin.hpp"
#include "runtime/task_group.hpp"

namespace vembed::cyberun {
namespace {

// More stores than that are not used at once; beyond it the connections are made anew.
constexpr std::size_t origins_max = 16;

// One exchange and whoever waits for it. Both own it: if their loop's context is destroyed, either may be the last.
class transfer {
public:
    transfer(file_exchange exchange, std::unique_ptr<timer> waiter)
        : what(std::move(exchange)), changed(std::move(waiter)) {}

    file_exchange what;
    exchange_outcome outcome;
    std::unique_ptr<timer> changed;
    bool ended = false;
};

// Tells whoever waits that the exchange has ended, however that was.
class told_at_end {
public:
    explicit told_at_end(std::shared_ptr<transfer> of) noexcept : of_(std::move(of)) {}
    told_at_end(const told_at_end&) = delete;
    told_at_end& operator=(const told_at_end&) = delete;
    ~told_at_end() {
        of_->ended = true;
        of_->changed->wake();
    }

private:
    std::shared_ptr<transfer> of_;
};

asio::awaitable<void> carry(std::shared_ptr<transfer> of) {
    const told_at_end telling(of);
    of->outcome = co_await of->what.over->exchange(of->what.request, of->what.sink, of->what.deadline);
}

}  // namespace

file_store::file_store(vembed::detail::resolved_connection by, hop_rules rules)
    : by_(std::move(by)), rules_(std::move(rules)) {
    by_.key = nullptr;
    by_.through.headers.clear();
}

result<std::shared_ptr<transport>> file_store::reach(const download_url& at) {
    if (closed_) {
        return error(errc::cancelled, "the client was closed");
    }
    const std::string place = (at.tls ? "https://" : "http://") + at.host_field;
    if (const auto known = reached_.find(place); known != reached_.end()) {
        return known->second;
    }
    const result<http::origin> to = http::origin::parse(place, http::plain_http::anywhere);
    if (!to) {
        return error(errc::protocol, "the link to a file names a host that cannot be used");
    }
    result<std::shared_ptr<transport>> made = vembed::detail::make_transport(by_, *to);
    if (made) {
        if (reached_.size() >= origins_max) {
            reached_.clear();  // Exchanges under way keep theirs.
        }
        reached_.emplace(place, *made);
    }
    return made;
}

asio::awaitable<exchange_outcome> file_store::exchange(file_exchange what) {
    const std::uint64_t* const moved = what.moved;
    const auto of = std::make_shared<transfer>(std::move(what), by_.env->make_timer(by_.executor));
    runtime::task_group group(by_.executor, by_.env);
    group.spawn(carry(of));
    const std::chrono::seconds idle_max = by_.through.try_timeout;
    bool stalled = false;
    bool cancelled = false;
    for (std::uint64_t seen = *moved; !of->ended;) {
        const monotonic_time until = deadline_after(by_.env->now(), idle_max);
        const wait_outcome waited = co_await of->changed->wait_until(until);
        cancelled = waited == wait_outcome::cancelled;
        stalled = waited == wait_outcome::expired && *moved == seen;
        if (cancelled || stalled) {
            group.cancel();
            break;
        }
        seen = *moved;
    }
    const bool undisturbed = co_await group.join();
    exchange_outcome outcome = std::move(of->outcome);
    if (cancelled || !undisturbed) {
        outcome.error = error(errc::cancelled, "cancelled while a file was transferred");
    } else if (stalled) {
        outcome.error =
            error(errc::network, "no byte of the file moved for " + std::to_string(idle_max.count()) + " s");
    }
    co_return outcome;
}

void file_store::close() noexcept {
    closed_ = true;
    for (const auto& [place, over] : reached_) {
        over->close();
    }
}

}  // namespace vembed::cyberun
