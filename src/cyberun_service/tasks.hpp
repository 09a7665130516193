#pragma once
/// The tasks and their lives, and the state that service, streams and store share.

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <boost/json/object.hpp>
#include <vembed/testing/cyberun_service.hpp>

#include "cyberun_service/files.hpp"
#include "cyberun_service/workflows.hpp"
#include "local_service/connection_faults.hpp"
#include "local_service/draw.hpp"

namespace vembed::cyberun_service {

enum class purpose : std::uint16_t {
    api_key,
    task_id,
    file_key,
    failed,
    goes_back,
    no_output,
    bad_gateway,
    internal_error,
    acts_first,
    rate_limited,
    sse_cut,
    sse_silent,
    sse_buffered,
    sse_errors,
    sse_cr,
    sse_comments,
    sse_split,
    sse_no_terminal,
    sse_refused,
    store_cut,
    store_slow_down,
    store_gone,
    store_redirect,
    file_bytes,
};

enum class task_state : std::uint8_t { pending, running, completed, failed, cancelled };

std::string_view word_of(task_state state) noexcept;

constexpr bool is_terminal(task_state state) noexcept {
    return state != task_state::pending && state != task_state::running;
}

/// One task. Its state at a time is a function of that time; only a cancellation changes it.
class task {
public:
    std::uint64_t number = 0;
    std::string id;
    const workflow* of = nullptr;
    boost::json::object parameters;
    std::string input_sha256;  ///< Of a file parameter.
    bool fails = false;
    bool goes_back = false;  ///< It waits again in the third quarter of its time.
    bool has_output = true;
    monotonic_time created{};
    wall_time created_at{};
    monotonic_clock::duration takes{};
    std::uint32_t steps = 1;
    std::optional<monotonic_time> cancelled;

    task() = default;

    [[nodiscard]] task_state state_at(monotonic_time now) const;
    [[nodiscard]] std::uint32_t retries_at(monotonic_time now) const;
    /// Steps done; falls when the task goes back.
    [[nodiscard]] std::uint32_t step_at(monotonic_time now) const;
    [[nodiscard]] monotonic_time started() const;
    [[nodiscard]] monotonic_time ended() const { return cancelled ? *cancelled : created + takes; }
    /// The next time after `now` at which state or step changes by itself; the end at the latest.
    [[nodiscard]] monotonic_time next_change(monotonic_time now) const;
    [[nodiscard]] wall_time wall_of(monotonic_time at) const;
};

/// What a task made: output ids and contents.
std::vector<std::pair<std::string, file_content>> outputs_of(const task& of, std::uint64_t seed);

/// All of the service's state.
class state {
public:
    explicit state(testing::cyberun_options chosen);

    task& add(const workflow& of, boost::json::object parameters, std::string input_sha256, monotonic_time now,
              wall_time wall);
    std::shared_ptr<task> find(std::string_view id);

    [[nodiscard]] bool strikes(std::uint64_t about, purpose what, double rate) const {
        return local_service::draw_strikes(options.seed, about, what, rate);
    }

    testing::cyberun_options options;
    local_service::connection_faults connections;
    std::string api_key;
    std::deque<std::shared_ptr<task>> tasks;  ///< Newest last.
    upload_list uploads;
    std::uint64_t next_ordinal = 1;
    std::uint64_t files_made = 0;
    testing::cyberun_counters counters;

private:
    std::unordered_map<std::string, std::shared_ptr<task>> by_id_;
    std::uint64_t made_ = 0;
};

}  // namespace vembed::cyberun_service
