#pragma once
/// Decides what to ask for while a task is waited for: the stream of its events is a hint, GET /r/tasks/{id} is the
/// truth (wire contract, section 2, "SSE"). A value without clock: the client carries out next() and reports what came
/// of it. The numbers are in assumptions.hpp.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <vembed/core/error.hpp>
#include <vembed/core/time.hpp>
#include <vembed/cyberun/events.hpp>
#include <vembed/cyberun/types.hpp>

#include "cyberun/wire/error_table.hpp"

namespace vembed::cyberun {

/// What the response to a request for the stream means.
enum class stream_answer : std::uint8_t {
    opened,       ///< 200 and text/event-stream.
    not_offered,  ///< 204, another type, a redirect, 404, 405, 406, 501 or another 4xx: this task is polled.
    refused,      ///< 401, 403, 408, 429 and other 5xx: map_error() and stream_refused().
};

/// `content_type` is the header's value, empty if there is none. Parameters of the type do not matter.
stream_answer judge_stream(int status, std::string_view content_type) noexcept;

class watch_options {
public:
    bool use_stream = true;                     ///< False: polling alone.
    monotonic_time deadline = no_deadline;      ///< When to give up.
    std::optional<monotonic_time> accepted_at;  ///< When our own run of the task was accepted; empty if it was not us.

    watch_options() = default;
};

/// What to do next.
class watch_step {
public:
    enum class kind : std::uint8_t {
        act,       ///< Carry out what is due at wake_at, or wait for a report until then.
        finished,  ///< A GET showed the final `state`.
        failed,    ///< `failure` ends the wait.
        give_up,   ///< The deadline has passed.
    };
    kind what = kind::act;
    std::optional<monotonic_time> open_at;  ///< When to open the stream; empty: not now.
    std::optional<monotonic_time> read_at;  ///< When to GET the task; empty: not now, or one is under way.
    monotonic_time wake_at = no_deadline;   ///< The earliest of both and of the deadline.
    task_state state = task_state::unknown;
    std::optional<error> failure;

    watch_step() = default;
};

/// What a GET of the task showed.
class watch_news {
public:
    bool changed = false;        ///< It is not what the last GET showed.
    bool unknown_state = false;  ///< The state is a word that is not known: tell the user. True once.

    watch_news() = default;
};

class watch_plan {
public:
    watch_plan(const watch_options& options, monotonic_time now);

    [[nodiscard]] watch_step next(monotonic_time now) const;

    // Reports of the stream. One stream at a time.

    /// The request was sent; ended by stream_opened(), stream_not_offered() or stream_refused().
    void stream_asked() noexcept { phase_ = phase::asked; }
    void stream_opened(monotonic_time now);
    void stream_not_offered(monotonic_time now);
    /// Also a request that got no response, see unreached().
    void stream_refused(const mapped_refusal& why, monotonic_time now, std::uint64_t random_bits);
    void event_read(const task_event& event, monotonic_time now);
    void comment_read(monotonic_time now) { last_sign_ = now; }
    /// An open stream ended, in whatever way. `asked_retry` is the stream's own retry time, if it set one.
    void stream_ended(std::optional<std::chrono::milliseconds> asked_retry, monotonic_time now,
                      std::uint64_t random_bits);

    // Reports of the GET. One at a time.

    /// The request was sent; ended by task_read() or read_failed().
    void read_asked(monotonic_time now);
    watch_news task_read(const task& seen, monotonic_time now, std::uint64_t random_bits);
    void read_failed(const mapped_refusal& why, monotonic_time now, std::uint64_t random_bits);
    /// A list of tasks showed the task in a state that is not final, while it polls: as good as a GET, whether or not
    /// one was due.
    watch_news task_listed(const task& seen, monotonic_time now, std::uint64_t random_bits);
    /// The task's state is another one than the last: the next GET is due at once.
    void state_left(monotonic_time now) { read_by(now); }

    /// True once the stream was given up for the rest of this task, and if it was not wanted.
    [[nodiscard]] bool polls() const noexcept { return polls_; }

private:
    enum class phase : std::uint8_t { idle, asked, open };

    void read_by(monotonic_time at);
    void poll_from(monotonic_time now);
    [[nodiscard]] std::chrono::milliseconds reconnect_delay(std::uint64_t random_bits) const;

    watch_options options_;
    bool polls_ = false;

    phase phase_ = phase::idle;
    monotonic_time stream_due_;
    bool saw_event_ = false;           // In the stream that is open.
    std::uint32_t empty_streams_ = 0;  // In a row.
    std::uint32_t stream_tries_ = 0;   // Since the last event.
    monotonic_time last_sign_;         // Of life, from the stream.

    bool reading_ = false;
    std::optional<monotonic_time> read_due_;
    monotonic_time read_not_before_;  // After a GET that failed.
    std::uint32_t reads_failed_ = 0;  // In a row.
    monotonic_time last_asked_;
    monotonic_time last_read_;
    bool claimed_end_ = false;  // The stream said that the task has ended, and no GET has shown it yet.

    monotonic_time not_before_;  // Of any request, after a 429 or 503.
    std::chrono::milliseconds poll_interval_;
    std::string last_state_;
    std::uint64_t last_retries_ = 0;
    bool told_unknown_ = false;

    std::optional<task_state> finished_;
    std::optional<error> failure_;
};

}  // namespace vembed::cyberun
