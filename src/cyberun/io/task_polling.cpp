#include "cyberun/io/task_polling.hpp"

#include <utility>
#include <vector>

#include "cyberun/wire/assumptions.hpp"
#include "cyberun/wire/codec.hpp"

namespace vembed::cyberun {
namespace {

constexpr std::uint64_t page_bytes_max = std::uint64_t{16} << 20;

// Refusals after which a read of a task itself may succeed.
bool is_about_the_list(refusal what) noexcept {
    return what == refusal::request || what == refusal::forbidden || what == refusal::unknown ||
           what == refusal::conflict;
}

}  // namespace

class task_polling::round_under_way {
public:
    explicit round_under_way(task_polling& of) : of_(&of) { of_->under_way_ = true; }
    round_under_way(const round_under_way&) = delete;
    round_under_way& operator=(const round_under_way&) = delete;
    ~round_under_way() {
        of_->under_way_ = false;
        of_->line_.wake_all();
    }

private:
    task_polling* of_;
};

task_polling::task_polling(asio::any_io_executor executor, std::shared_ptr<endpoints> api)
    : api_(std::move(api)), env_(api_->through()->env()), line_(std::move(executor), env_), not_before_(env_->now()) {}

// Lists are read while at least two waits can be told by one.
bool task_polling::pays() const {
    if (env_->now() < not_before_) {
        return false;
    }
    std::uint64_t sharing = 0;
    for (const polled_watch* one : watches_) {
        sharing += one->shareable() ? 1 : 0;
        if (sharing > 1) {
            return true;
        }
    }
    return false;
}

void task_polling::give_up_lists() {
    not_before_ = env_->now() + assumed::lists_given_up_for;
    useless_rounds_ = 0;
}

asio::awaitable<void> task_polling::read(polled_watch* of, monotonic_time deadline) {
    runtime::wait_queue::place place(line_);
    while (of->asks() && of->shareable() && pays()) {
        if (!under_way_) {
            const bool went_on = co_await lead(deadline);
            if (!went_on) {
                co_return;
            }
            continue;
        }
        const wait_outcome waited = co_await place.wait_until(deadline);
        if (waited != wait_outcome::woken) {
            co_return;
        }
    }
}

// False if the leader's own wait has ended: the others see to themselves.
asio::awaitable<bool> task_polling::lead(monotonic_time deadline) {
    const round_under_way guard(*this);
    std::vector<polled_task> tasks;
    for (const polled_watch* one : watches_) {
        if (std::optional<polled_task> polled = one->shareable()) {
            tasks.push_back(std::move(*polled));
        }
    }
    list_round round(tasks);
    const bool read = co_await read_pages(&round, deadline);
    if (read) {
        tell(round);
    }
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    co_return state.cancelled() == asio::cancellation_type::none && env_->now() < deadline;
}

// False if nothing is to be told.
asio::awaitable<bool> task_polling::read_pages(list_round* round, monotonic_time deadline) {
    while (const std::optional<list_query> query = round->next()) {
        http::call what;
        what.target = *tasks_target(*query);
        what.deadline = deadline;
        what.body_limit = page_bytes_max;
        const http::read_result got = co_await api_->read_once(std::move(what));
        if (got.error && (got.error->kind == errc::cancelled || env_->now() >= deadline)) {
            co_return false;
        }
        if (got.error) {
            const mapped_refusal why = api_->refusal_in(got, subject::other);
            if (is_about_the_list(why.what)) {
                give_up_lists();
                co_return false;
            }
            for (polled_watch* one : watches_) {
                if (one->asks()) {
                    one->list_failed(why);
                }
            }
            co_return false;
        }
        const result<task_page> page = read_response<task_page>(got.got.body);
        if (!page) {
            give_up_lists();
            co_return false;
        }
        round->page_read(*page);
    }
    co_return true;
}

void task_polling::tell(const list_round& round) {
    useless_rounds_ = round.spared() > 0 ? 0 : useless_rounds_ + 1;
    if (useless_rounds_ >= assumed::useless_lists_max) {
        give_up_lists();
    }
    for (polled_watch* one : watches_) {
        const std::optional<polled_task> polled = one->shareable();
        if (!polled) {
            continue;
        }
        const list_round::verdict told = round.of(polled->id);
        if (told == list_round::verdict::shown) {
            one->listed(round.entry(polled->id));
        } else {
            one->not_listed(told == list_round::verdict::gone);
        }
    }
}

}  // namespace vembed::cyberun
