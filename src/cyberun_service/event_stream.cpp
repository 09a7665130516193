#include "cyberun_service/event_stream.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <boost/json/serialize.hpp>

#include "cyberun_service/assumptions.hpp"
#include "text/iso_time.hpp"

namespace vembed::cyberun_service {
namespace {

namespace json = boost::json;
using then = testing::body_piece::then;

constexpr std::size_t split_bytes = 3;

// What is wrong with one stream.
class stream_faults {
public:
    stream_faults(const state& from, std::uint64_t ordinal) {
        const testing::cyberun_faults& rates = from.options.faults;
        const auto strikes = [&](purpose what, double rate) { return from.strikes(ordinal, what, rate); };
        silent = strikes(purpose::sse_silent, rates.sse_silent);
        buffered = strikes(purpose::sse_buffered, rates.sse_buffered);
        errors = strikes(purpose::sse_errors, rates.sse_errors);
        comments = strikes(purpose::sse_comments, rates.sse_comments);
        split = strikes(purpose::sse_split, rates.sse_split);
        no_terminal = strikes(purpose::sse_no_terminal, rates.sse_no_terminal);
        line_end = strikes(purpose::sse_cr, rates.sse_cr) ? "\r" : "\n";
        if (strikes(purpose::sse_cut, rates.sse_cut)) {
            cut_after = rates.sse_cut_bytes;
        }
    }

    bool silent = false;
    bool buffered = false;
    bool errors = false;
    bool comments = false;
    bool split = false;
    bool no_terminal = false;
    std::string_view line_end;
    std::optional<std::uint64_t> cut_after;
};

class task_events final : public testing::continuing_body {
public:
    task_events(std::shared_ptr<task> of, stream_faults faults, monotonic_time begun)
        : task_(std::move(of)), faults_(faults), begun_(begun) {}

    testing::body_piece next(monotonic_time now, wall_time wall) override;

private:
    void look(monotonic_time now, wall_time wall);
    void write(std::string_view name, const json::object& data);
    void write_state(task_state at, wall_time wall);
    testing::body_piece give(monotonic_time now);

    std::shared_ptr<task> task_;
    stream_faults faults_;
    monotonic_time begun_;
    std::optional<task_state> told_state_;
    std::uint32_t told_step_ = 0;
    bool over_ = false;
    std::string unsent_;
    std::uint64_t sent_ = 0;
};

void task_events::write(std::string_view name, const json::object& data) {
    if (faults_.errors && name != "error") {
        write("error", json::object{{"error", "the status could not be read just now"}});
    }
    if (faults_.comments) {
        unsent_.append(": keep-alive").append(faults_.line_end);
    }
    unsent_.append("event: ").append(name).append(faults_.line_end);
    unsent_.append("data: ").append(json::serialize(data)).append(faults_.line_end).append(faults_.line_end);
}

void task_events::write_state(task_state at, wall_time wall) {
    const std::string word(word_of(at));
    json::object data{{"task_id", task_->id}, {"status", word}, {"timestamp", text::format_iso_time(wall)}};
    if (!is_terminal(at)) {
        write("status", data);
        return;
    }
    if (at == task_state::failed) {
        data["error"] = "the task failed (a planned fault)";
    } else if (at == task_state::completed) {
        data["output"] = json::object{{"message", "fertig – 完成"}};
    }
    if (!faults_.no_terminal) {
        write(word, data);
    }
    over_ = true;
}

// Writes what is new since the last look.
void task_events::look(monotonic_time now, wall_time wall) {
    const task_state at = task_->state_at(now);
    const std::uint32_t step = task_->step_at(now);
    if (told_state_ != at && !is_terminal(at)) {
        write_state(at, wall);
    }
    if (step != told_step_ && at != task_state::cancelled && at != task_state::failed) {
        told_step_ = step;
        write("progress", json::object{{"task_id", task_->id},
                                       {"progress", static_cast<double>(step) / task_->steps},
                                       {"step_current", step},
                                       {"step_total", task_->steps},
                                       {"current_node", "9"},
                                       {"timestamp", text::format_iso_time(wall)},
                                       {"message", "Schritt läuft – 進行中"}});
    }
    if (told_state_ != at && is_terminal(at)) {
        write_state(at, wall);
    }
    told_state_ = at;
}

// Takes the next bytes to send off those that are written.
testing::body_piece task_events::give(monotonic_time now) {
    testing::body_piece piece;
    std::size_t size = faults_.split ? std::min(unsent_.size(), split_bytes) : unsent_.size();
    if (faults_.cut_after) {
        size = static_cast<std::size_t>(std::min<std::uint64_t>(size, *faults_.cut_after - sent_));
    }
    piece.bytes = unsent_.substr(0, size);
    unsent_.erase(0, size);
    sent_ += size;
    const bool cut = faults_.cut_after && sent_ >= *faults_.cut_after;
    const bool more = !over_ || !unsent_.empty();
    piece.after = cut ? then::cut : more ? then::more : then::end;
    const monotonic_time look_at = deadline_after(now, assumptions::stream_look);
    piece.next_at = !unsent_.empty()            ? now
                    : is_terminal(*told_state_) ? look_at
                                                : std::min(task_->next_change(now), look_at);
    return piece;
}

testing::body_piece task_events::next(monotonic_time now, wall_time wall) {
    testing::body_piece piece;
    piece.next_at = deadline_after(now, assumptions::stream_look);
    piece.after = then::more;
    if (faults_.silent) {
        piece.after = now - begun_ >= assumptions::silent_for ? then::end : then::more;
        return piece;
    }
    if (faults_.buffered && !is_terminal(task_->state_at(now))) {
        return piece;
    }
    if (!unsent_.empty()) {
        return give(now);
    }
    look(now, wall);
    if (faults_.comments && unsent_.empty()) {
        unsent_.append(":").append(faults_.line_end);
    }
    return give(now);
}

}  // namespace

testing::service_response event_stream(const std::shared_ptr<state>& from, std::shared_ptr<task> of,
                                       std::uint64_t ordinal, monotonic_time now) {
    testing::service_response response;
    response.headers.emplace_back("Content-Type", "text/event-stream; charset=utf-8");
    response.headers.emplace_back("Cache-Control", "no-cache");
    response.rest = std::make_shared<task_events>(std::move(of), stream_faults(*from, ordinal), now);
    ++from->counters.streams_opened;
    return response;
}

}  // namespace vembed::cyberun_service
