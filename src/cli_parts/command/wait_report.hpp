#pragma once
/// Tells of several things that are waited for at once: a line of progress, each end, and how to go on.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/object.hpp>

#include "cli_parts/command_loop.hpp"
#include "cli_parts/console.hpp"
#include "cli_parts/exit_code.hpp"

namespace vembed::cli {

/// What is printed for something that was completed.
enum class told_at_end : std::uint8_t { object, nothing };

/// What a service's waits are about.
class wait_terms {
public:
    std::string noun;          ///< "job": also the type of the objects.
    std::string command;       ///< The command that waits again, without the ids: "vembed aitbc wait".
    bool is_ended_by = false;  ///< A wait that is given up ends what it waits for.

    wait_terms() = default;
    wait_terms(std::string of, std::string again) : noun(std::move(of)), command(std::move(again)) {}
};

/// How something stands that has not ended.
class standing {
public:
    std::string word;            ///< Its state, in the service's words.
    std::string more;            ///< What is shown beside it; may be empty.
    std::optional<double> part;  ///< How much of it is done, 0 to 1.

    standing() = default;
    explicit standing(std::string state) : word(std::move(state)) {}
};

/// "2/5 ended | QUEUED 2 | RUNNING 1" for several, "job ID: RUNNING, more" for one. `seen` has those that have not
/// ended and were seen. Pure.
std::string waiting_line(std::string_view noun, const std::map<std::string, standing>& seen, std::size_t ended,
                         std::size_t count);

/// Drops ids that were given before, in place. Pure.
void drop_repeated(std::vector<std::string>& ids);

/// What is waited for by one command. It is used on the command's loop only, and ends it when all have ended.
class wait_report {
public:
    wait_report(console& out, command_loop& loop, wait_terms terms, std::size_t count, told_at_end at_end);

    /// Shows how one stands. With --json, `fields` are printed. Where lines are not overwritten, one that differs in
    /// neither its word nor its tenth of `part` is not shown again.
    void seen(const std::string& id, standing now, boost::json::object fields);

    /// One was completed.
    void completed(const std::string& id, boost::json::object fields);

    /// The wait for one ended otherwise. `cancelled` and `timeout` say nothing of what was waited for.
    void failed(const std::string& id, const error& why);

    /// Says how to go on, if some are left. The command's status.
    [[nodiscard]] exit_code finish() const;

private:
    void count_ended(const std::string& id);
    void tell_left(const std::string& id, const error& why);

    console* out_;
    command_loop* loop_;
    wait_terms terms_;
    std::size_t count_;
    told_at_end at_end_;
    std::size_t ended_ = 0;
    std::map<std::string, standing> standings_;
    std::vector<std::string> left_;
    exit_code code_ = exit_code::done;
};

}  // namespace vembed::cli
