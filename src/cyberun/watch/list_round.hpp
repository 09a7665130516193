#pragma once
/// One look at many tasks that are polled: which pages of GET /r/tasks to read, and what they tell (wire contract,
/// section 2: "many tasks: one `GET /r/tasks?status=` page instead of one call each"). A value without clock.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <vembed/cyberun/types.hpp>

#include "cyberun/wire/routes.hpp"

namespace vembed::cyberun {

/// A task that has not ended, as it was last seen.
class polled_task {
public:
    std::string id;
    std::string state_text;  ///< The service's own word.

    polled_task() = default;
    polled_task(std::string of, std::string word) : id(std::move(of)), state_text(std::move(word)) {}
};

/// The order of the list is not documented, so each state in which at least two of the tasks were last seen is asked
/// for by its word: such a list has only tasks that are under way. A task that is still shown has not ended. A list
/// never shows an end: whoever is gone from it is read by itself.
class list_round {
public:
    enum class verdict : std::uint8_t {
        shown,   ///< See entry().
        gone,    ///< Its state is another one now, perhaps its end.
        unsure,  ///< No page that was read could show it.
    };

    explicit list_round(const std::vector<polled_task>& tasks);

    /// The next page to read; empty if the round is over.
    [[nodiscard]] std::optional<list_query> next() const;
    void page_read(const task_page& page);

    [[nodiscard]] verdict of(const std::string& id) const;
    /// The list's entry of a task that was shown.
    [[nodiscard]] const task& entry(const std::string& id) const { return tasks_.at(id).entry; }
    /// How many reads of single tasks the round replaced, less its own pages.
    [[nodiscard]] std::int64_t spared() const noexcept;

private:
    class polled {
    public:
        std::string word;
        verdict told = verdict::unsure;
        task entry;
    };

    [[nodiscard]] std::uint64_t unsure_of(const std::string& word) const;
    void next_word();

    std::map<std::string, polled, std::less<>> tasks_;
    std::vector<std::string> words_;  ///< Still to be asked for; the first now.
    std::uint64_t page_ = 1;          ///< Of the first word's list.
    std::uint64_t pages_left_ = 0;    ///< That may be read of it.
    std::int64_t pages_read_ = 0;
};

}  // namespace vembed::cyberun
