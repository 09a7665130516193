#include "cyberun/watch/list_round.hpp"

#include <algorithm>
#include <cstddef>

#include "cyberun/wire/codec.hpp"
#include "text/words.hpp"

namespace vembed::cyberun {
namespace {

constexpr std::uint64_t items_per_page = 100;
// A list pays if at least so many tasks may be on it.
constexpr std::uint64_t tasks_least = 2;

}  // namespace

list_round::list_round(const std::vector<polled_task>& tasks) {
    for (const polled_task& one : tasks) {
        polled made;
        made.word = one.state_text;
        tasks_.emplace(one.id, std::move(made));
        const bool is_known = task_state_of(one.state_text) != task_state::unknown;
        if (is_known && std::ranges::find(words_, one.state_text) == words_.end()) {
            words_.push_back(one.state_text);
        }
    }
    next_word();
}

std::uint64_t list_round::unsure_of(const std::string& word) const {
    return static_cast<std::uint64_t>(std::ranges::count_if(
        tasks_, [&word](const auto& one) { return one.second.told == verdict::unsure && one.second.word == word; }));
}

// Drops words until one is worth asking for.
void list_round::next_word() {
    while (!words_.empty() && unsure_of(words_.front()) < tasks_least) {
        words_.erase(words_.begin());
    }
    page_ = 1;
    // Other tasks may fill the list: no more pages than half of what they replace.
    pages_left_ = words_.empty() ? 0 : std::max<std::uint64_t>(unsure_of(words_.front()) / 2, 1);
}

std::optional<list_query> list_round::next() const {
    if (words_.empty()) {
        return std::nullopt;
    }
    list_query query;
    query.status = words_.front();
    query.current_page = page_;
    query.per_page = items_per_page;
    return query;
}

void list_round::page_read(const task_page& page) {
    if (words_.empty()) {
        return;
    }
    ++pages_read_;
    --pages_left_;
    for (const task& one : page.tasks) {
        const auto found = tasks_.find(one.id);
        if (found != tasks_.end()) {
            found->second.told = is_terminal(one.state) ? verdict::gone : verdict::shown;
            found->second.entry = one;
        }
    }
    const std::string word = words_.front();
    const std::optional<std::uint64_t> following = next_page(page.meta, page.tasks.size());
    if (following && pages_left_ > 0 && unsure_of(word) > 0) {
        page_ = std::max(*following, page_ + 1);
        return;
    }
    for (auto& [id, one] : tasks_) {
        if (!following && one.word == word && one.told == verdict::unsure) {
            one.told = verdict::gone;
        }
    }
    words_.erase(words_.begin());
    next_word();
}

list_round::verdict list_round::of(const std::string& id) const {
    const auto found = tasks_.find(id);
    return found == tasks_.end() ? verdict::unsure : found->second.told;
}

std::int64_t list_round::spared() const noexcept {
    return std::ranges::count_if(tasks_, [](const auto& one) { return one.second.told == verdict::shown; }) -
           pages_read_;
}

}  // namespace vembed::cyberun
