#include "cyberun/watch/event_buffer.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace vembed::cyberun {
namespace {

namespace json = boost::json;

// The reader of JSON limits the depth.
std::size_t bytes_of(const json::value& value) {  // NOLINT(misc-no-recursion)
    std::size_t sum = sizeof(value);
    if (const json::string* text = value.if_string()) {
        sum += text->size();
    } else if (const json::array* items = value.if_array()) {
        for (const json::value& item : *items) {
            sum += bytes_of(item);
        }
    } else if (const json::object* fields = value.if_object()) {
        for (const auto& field : *fields) {
            sum += sizeof(field) - sizeof(field.value()) + field.key().size() + bytes_of(field.value());
        }
    }
    return sum;
}

std::size_t bytes_of(const task_event& event) {
    const auto size_of = [](const std::optional<std::string>& text) { return text ? text->size() : 0; };
    return sizeof(event) + event.name.size() + event.state_text.size() + event.text.size() + size_of(event.stage) +
           size_of(event.current_node) + size_of(event.timestamp) + bytes_of(event.raw);
}

}  // namespace

void event_buffer::push(task_event event) {
    entry made;
    made.bytes = bytes_of(event);
    made.event = std::move(event);
    bytes_ += made.bytes;
    kept_.push_back(std::move(made));
    while (kept_.size() > events_max || (bytes_ > bytes_max && kept_.size() > 1)) {
        drop_one();
    }
}

// The newest is never dropped, so that there is always one to count it.
void event_buffer::drop_one() {
    const auto newest = std::prev(kept_.end());
    auto dropped =
        std::find_if(kept_.begin(), newest, [](const entry& each) { return each.event.kind == event_kind::progress; });
    if (dropped == newest) {
        dropped = kept_.begin();
    }
    std::next(dropped)->event.missed_before += dropped->event.missed_before + 1;
    bytes_ -= dropped->bytes;
    kept_.erase(dropped);
}

std::optional<task_event> event_buffer::pop() {
    if (kept_.empty()) {
        return std::nullopt;
    }
    std::optional<task_event> oldest = std::move(kept_.front().event);
    bytes_ -= kept_.front().bytes;
    kept_.pop_front();
    return oldest;
}

void event_buffer::put_back(task_event event) {
    entry made;
    made.bytes = bytes_of(event);
    made.event = std::move(event);
    bytes_ += made.bytes;
    kept_.push_front(std::move(made));
}

}  // namespace vembed::cyberun
