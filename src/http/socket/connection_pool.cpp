#include "http/socket/connection_pool.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <utility>

#include "http/socket/descriptor_room.hpp"

namespace vembed::http {

connection_pool::connection_pool(asio::any_io_executor on, std::shared_ptr<environment> with, origin to,
                                 socket_transport_options chosen, std::shared_ptr<asio::ssl::context> tls)
    : executor(std::move(on)),
      env(std::move(with)),
      target(std::move(to)),
      options(std::move(chosen)),
      context(std::move(tls)),
      line_(executor, env),
      watch_(executor, [this] { end_overdue(); }) {}

bool connection_pool::has_place() const noexcept {
    const std::uint64_t most = std::min(connections_at_once(), descriptors_seen_max_.value_or(options.connections_max));
    return !idle_.empty() || open_ < std::max<std::uint64_t>(most, 1);
}

bool connection_pool::wait_for_descriptor() noexcept {
    if (open_ < 2) {
        return false;
    }
    descriptors_seen_max_ = open_ - 1;
    return true;
}

std::uint64_t connection_pool::connections_at_once() const {
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY) {
        return options.connections_max;
    }
    return std::min<std::uint64_t>(options.connections_max, connections_within(files.rlim_cur));
}

// The connection used last is most likely alive, so it is reused first; the others stay idle until they are too old.
std::unique_ptr<connection> connection_pool::take_idle() {
    drop_stale();
    while (!idle_.empty()) {
        std::unique_ptr<connection> candidate = std::move(idle_.back());
        idle_.pop_back();
        if (candidate->stream->alive()) {
            return candidate;
        }
        --open_;
    }
    return nullptr;
}

void connection_pool::drop_stale() {
    const monotonic_time now = env->now();
    const auto fresh = std::find_if(idle_.begin(), idle_.end(), [&](const std::unique_ptr<connection>& c) {
        return now - c->idle_since < options.idle_max;
    });
    open_ -= static_cast<std::uint32_t>(fresh - idle_.begin());
    idle_.erase(idle_.begin(), fresh);
}

// One alarm serves all connections: most deadlines come in the order in which they are set, so the alarm is seldom set
// again.
void connection_pool::add_busy(connection& working, monotonic_time deadline) {
    watch_until(deadline);  // This comes first because it may throw, and then nothing may refer to the connection.
    working.due = busy_.emplace(deadline, &working);
}

// Nothing is allocated: a connection in use is always among the busy ones.
void connection_pool::put_off(connection& working, monotonic_time deadline) {
    auto node = busy_.extract(working.due);
    node.key() = deadline;
    working.due = busy_.insert(std::move(node));
}

void connection_pool::watch_until(monotonic_time deadline) {
    if (deadline < watch_.at()) {
        watch_.set(deadline);
    }
}

void connection_pool::remove_busy(connection& working) {
    busy_.erase(working.due);
    if (busy_.empty()) {
        watch_.clear();
    }
}

void connection_pool::end_overdue() {
    const monotonic_time now = env->now();
    while (!busy_.empty() && busy_.begin()->first <= now) {
        connection& late = *busy_.begin()->second;
        put_off(late, no_deadline);
        late.stream->time_out();
    }
    if (!busy_.empty()) {
        watch_.set(busy_.begin()->first);
    }
}

void connection_pool::close() noexcept {
    closed_ = true;
    open_ -= static_cast<std::uint32_t>(idle_.size());
    idle_.clear();
    for (const auto& [deadline, working] : busy_) {
        working->stream->close();
    }
    for (const std::function<void()>* interrupt : interruptions_) {
        (*interrupt)();
    }
    line_.wake_all();
}

void connection_pool::keep(std::unique_ptr<connection> rested) {
    rested->used_before = true;
    rested->idle_since = env->now();
    rested->reader.reset();
    rested->input.clear();
    if (rested->input.capacity() > head_read_size) {
        rested->input.shrink_to_fit();
    }
    idle_.push_back(std::move(rested));
    ++open_;
}

checkout::checkout(std::shared_ptr<connection_pool> from) : pool_(std::move(from)) {
    ++pool_->open_;
}

checkout::checkout(std::shared_ptr<connection_pool> from, std::unique_ptr<connection> taken, monotonic_time deadline)
    : checkout(std::move(from)) {
    --pool_->open_;  // The connection has a place already; from now on this object gives it back.
    hold(std::move(taken), deadline);
}

checkout::~checkout() {
    if (connection_) {
        pool_->remove_busy(*connection_);
        connection_.reset();
    }
    --pool_->open_;
    pool_->line_.wake_first();
}

void checkout::hold(std::unique_ptr<connection> taken, monotonic_time deadline) {
    pool_->add_busy(*taken, deadline);
    connection_ = std::move(taken);
}

void checkout::set_deadline(monotonic_time deadline) {
    pool_->put_off(*connection_, deadline);
    pool_->watch_until(deadline);
}

void checkout::give_back() {
    if (pool_->closed_) {
        return;
    }
    pool_->remove_busy(*connection_);
    pool_->keep(std::move(connection_));
}

}  // namespace vembed::http
