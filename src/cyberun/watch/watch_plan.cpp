#include "cyberun/watch/watch_plan.hpp"

#include <algorithm>
#include <limits>

#include "cyberun/wire/assumptions.hpp"
#include "policy/retry/backoff.hpp"
#include "text/words.hpp"

namespace vembed::cyberun {
stream_answer judge_stream(int status, std::string_view content_type) noexcept {
    if (status == 200) {
        return text::same_word(text::media_type(content_type), "text/event-stream") ? stream_answer::opened
                                                                                    : stream_answer::not_offered;
    }
    const bool is_refusal =
        status == 401 || status == 403 || status == 408 || status == 429 || (status >= 500 && status != 501);
    return is_refusal ? stream_answer::refused : stream_answer::not_offered;
}

watch_plan::watch_plan(const watch_options& options, monotonic_time now)
    : options_(options),
      polls_(!options.use_stream),
      stream_due_(now),
      last_sign_(now),
      read_not_before_(now),
      last_asked_(now - assumed::unreadable_read_distance),
      last_read_(now),
      not_before_(now),
      poll_interval_(assumed::poll_first) {
    if (polls_) {
        read_due_ = now;
    }
}

watch_step watch_plan::next(monotonic_time now) const {
    watch_step step;
    if (finished_) {
        step.what = watch_step::kind::finished;
        step.state = *finished_;
        return step;
    }
    if (failure_) {
        step.what = watch_step::kind::failed;
        step.failure = failure_;
        return step;
    }
    if (now >= options_.deadline) {
        step.what = watch_step::kind::give_up;
        return step;
    }
    step.wake_at = options_.deadline;
    if (!polls_ && phase_ == phase::idle) {
        step.open_at = std::max(stream_due_, not_before_);
        step.wake_at = std::min(step.wake_at, *step.open_at);
    }
    if (!reading_) {
        monotonic_time due = read_due_.value_or(no_deadline);
        if (!polls_) {
            const monotonic_time silent = std::max(last_sign_, last_read_) + assumed::silence_max;
            due = std::min({due, silent, last_read_ + assumed::read_distance_max});
        }
        step.read_at = std::max({due, not_before_, read_not_before_});
        step.wake_at = std::min(step.wake_at, *step.read_at);
    }
    return step;
}

void watch_plan::read_by(monotonic_time at) {
    read_due_ = std::min(read_due_.value_or(at), at);
}

void watch_plan::poll_from(monotonic_time now) {
    polls_ = true;
    phase_ = phase::idle;
    poll_interval_ = assumed::poll_first;
    read_by(now);
}

std::chrono::milliseconds watch_plan::reconnect_delay(std::uint64_t random_bits) const {
    policy::backoff_options pace;
    pace.delay_ms_first = assumed::reconnect_first;
    pace.delay_ms_max = assumed::reconnect_most;
    pace.tries_max = std::numeric_limits<std::uint32_t>::max();
    return policy::backoff_delay(pace, stream_tries_, random_bits).value_or(assumed::reconnect_most);
}

void watch_plan::stream_opened(monotonic_time now) {
    phase_ = phase::open;
    saw_event_ = false;
    last_sign_ = now;
    read_by(now);
}

void watch_plan::stream_not_offered(monotonic_time now) {
    poll_from(now);
}

void watch_plan::stream_refused(const mapped_refusal& why, monotonic_time now, std::uint64_t random_bits) {
    phase_ = phase::idle;
    ++stream_tries_;
    switch (why.what) {
        case refusal::key:
        case refusal::forbidden: failure_ = why.error; return;
        case refusal::unreached:
            if (why.error.lasting) {
                failure_ = why.error;
            }
            stream_due_ = now + reconnect_delay(random_bits);
            return;
        case refusal::rate:
        case refusal::service: break;
        case refusal::request:
        case refusal::unknown:
        case refusal::conflict: poll_from(now); return;
    }
    const auto delay = retry_delay(why, attempts(stream_tries_), random_bits);
    stream_due_ = deadline_after(now, delay.value_or(assumed::backoff_most));
    if (why.what == refusal::rate) {
        not_before_ = std::max(not_before_, stream_due_);
    }
}

void watch_plan::event_read(const task_event& event, monotonic_time now) {
    last_sign_ = now;
    saw_event_ = true;
    stream_tries_ = 0;
    if (claims_end(event)) {
        poll_interval_ = claimed_end_ ? poll_interval_ : assumed::poll_first;
        claimed_end_ = true;
        read_by(now);
    } else if (event.kind == event_kind::unreadable) {
        read_by(std::max(now, last_asked_ + assumed::unreadable_read_distance));
    } else if (event.kind == event_kind::progress || event.kind == event_kind::status) {
        claimed_end_ = false;
    }
}

void watch_plan::stream_ended(std::optional<std::chrono::milliseconds> asked_retry, monotonic_time now,
                              std::uint64_t random_bits) {
    phase_ = phase::idle;
    read_by(now);
    empty_streams_ = saw_event_ ? 0 : empty_streams_ + 1;
    if (empty_streams_ >= assumed::empty_streams_max) {
        poll_from(now);
        return;
    }
    ++stream_tries_;
    const std::chrono::milliseconds asked = std::min<std::chrono::milliseconds>(
        asked_retry.value_or(std::chrono::milliseconds(0)), assumed::reconnect_most);
    stream_due_ = now + std::max(reconnect_delay(random_bits), asked);
}

void watch_plan::read_asked(monotonic_time now) {
    reading_ = true;
    read_due_.reset();
    last_asked_ = now;
}

watch_news watch_plan::task_read(const task& seen, monotonic_time now, std::uint64_t random_bits) {
    reading_ = false;
    last_read_ = now;
    reads_failed_ = 0;
    watch_news news;
    news.changed = seen.state_text != last_state_ || seen.retry_count != last_retries_;
    last_state_ = seen.state_text;
    last_retries_ = seen.retry_count;
    if (is_terminal(seen.state)) {
        finished_ = seen.state;
        return news;
    }
    news.unknown_state = seen.state == task_state::unknown && !told_unknown_;
    told_unknown_ = told_unknown_ || news.unknown_state;
    const std::chrono::milliseconds grown = poll_interval_ + poll_interval_ / 2;
    poll_interval_ = news.changed ? std::chrono::milliseconds(assumed::poll_first)
                                  : std::min<std::chrono::milliseconds>(grown, assumed::poll_most);
    if (polls_ || claimed_end_) {
        read_by(now + policy::with_positive_jitter(poll_interval_, random_bits));
    }
    return news;
}

watch_news watch_plan::task_listed(const task& seen, monotonic_time now, std::uint64_t random_bits) {
    if (is_terminal(seen.state)) {
        state_left(now);
        return {};
    }
    read_due_.reset();
    return task_read(seen, now, random_bits);
}

void watch_plan::read_failed(const mapped_refusal& why, monotonic_time now, std::uint64_t random_bits) {
    reading_ = false;
    attempts so_far(++reads_failed_);
    if (options_.accepted_at) {
        so_far.since_accepted = now - *options_.accepted_at;
    }
    const auto delay = retry_delay(why, so_far, random_bits);
    if (!delay) {
        failure_ = why.error;
        return;
    }
    // What asked for this GET still does; nothing that the stream tells makes the next one earlier.
    read_by(now);
    read_not_before_ = deadline_after(now, *delay);
    if (why.what == refusal::rate) {
        not_before_ = std::max(not_before_, read_not_before_);
    }
}

}  // namespace vembed::cyberun
