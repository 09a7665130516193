#include "cyberun/watch/events.hpp"

#include <array>
#include <utility>

#include "cyberun/wire/assumptions.hpp"
#include "text/json/object_reader.hpp"
#include "text/words.hpp"

namespace vembed::cyberun {
namespace {

namespace json = boost::json;

constexpr std::array<std::pair<std::string_view, event_kind>, 7> event_names{{
    {"progress", event_kind::progress},
    {"status", event_kind::status},
    {assumed::unnamed_event, event_kind::status},
    {"completed", event_kind::completed},
    {"failed", event_kind::failed},
    {"cancelled", event_kind::cancelled},
    {"canceled", event_kind::cancelled},
}};

event_kind event_kind_of(std::string_view name) noexcept {
    for (const auto& [word, kind] : event_names) {
        if (text::same_word(word, name)) {
            return kind;
        }
    }
    return text::same_word("error", name) ? event_kind::stream_error : event_kind::ignored;
}

task_state state_of(event_kind kind) noexcept {
    switch (kind) {
        case event_kind::completed: return task_state::completed;
        case event_kind::failed: return task_state::failed;
        case event_kind::cancelled: return task_state::cancelled;
        default: return task_state::unknown;
    }
}

// The text of `error`, which may be an object, else of `message`.
std::string text_in(text::object_reader& from) {
    std::string told;
    from.optional(told, "message");
    if (const json::object* nested = from.object("error")) {
        text::object_reader(*nested).optional(told, "message");
    }
    from.optional(told, "error");
    return text::cut_text(told, assumed::error_text_bytes_max);
}

void fill_event(text::object_reader& from, task_event& made) {
    from.optional(made.progress, "progress");
    if (made.progress && !(*made.progress >= 0 && *made.progress <= 1)) {
        made.progress.reset();
    }
    from.optional(made.step_current, "step_current");
    from.optional(made.step_total, "step_total");
    from.optional(made.state_text, "task_status");
    from.optional(made.state_text, "status");
    made.text = text_in(from);
    from.optional(made.stage, "stage");
    from.optional(made.current_node, "current_node");
    from.optional(made.timestamp, "timestamp");
}

}  // namespace

std::string_view to_string(event_kind kind) noexcept {
    switch (kind) {
        case event_kind::progress: return "progress";
        case event_kind::status: return "status";
        case event_kind::completed: return "completed";
        case event_kind::failed: return "failed";
        case event_kind::cancelled: return "cancelled";
        case event_kind::stream_error: return "stream_error";
        case event_kind::ignored: return "ignored";
        case event_kind::unreadable: return "unreadable";
        case event_kind::task_changed: return "task_changed";
    }
    return "invalid";
}

task_event read_event(const sse::event& from) {
    task_event made;
    made.name = text::cut_text(from.type, assumed::event_name_bytes_max);
    made.kind = event_kind_of(from.type);
    if (made.kind == event_kind::ignored) {
        return made;
    }
    auto parsed = text::parse_object(from.data);
    if (!parsed) {
        // The service's error text needs no form.
        if (made.kind == event_kind::stream_error) {
            made.text = text::cut_text(from.data, assumed::error_text_bytes_max);
        } else {
            made.kind = event_kind::unreadable;
        }
        return made;
    }
    text::object_reader reader(parsed->get_object());
    fill_event(reader, made);
    made.state = state_of(made.kind);
    if (made.kind == event_kind::status) {
        made.state = task_state_of(made.state_text);
        if (made.state_text.empty()) {
            made.kind =
                text::same_word(from.type, assumed::unnamed_event) ? event_kind::ignored : event_kind::unreadable;
        }
    }
    made.raw = std::move(*parsed);
    return made;
}

}  // namespace vembed::cyberun
