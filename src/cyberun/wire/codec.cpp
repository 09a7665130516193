#include "cyberun/wire/codec.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "cyberun/wire/assumptions.hpp"
#include "text/json/object_reader.hpp"
#include "text/words.hpp"

namespace vembed::cyberun {
namespace {

using text::object_reader;
using text::read_as;
namespace json = boost::json;

parameter_type parameter_type_of(std::string_view word) noexcept {
    for (const parameter_type type : {parameter_type::string, parameter_type::number, parameter_type::boolean,
                                      parameter_type::select, parameter_type::file}) {
        if (text::same_word(to_string(type), word)) {
            return type;
        }
    }
    return parameter_type::unknown;
}

// An option is its value itself, or an object that has it beside a label.
void fill_options(object_reader& from, std::vector<json::value>& options) {
    const json::array* array = from.array("options", false);
    if (array == nullptr) {
        return;
    }
    for (const json::value& item : *array) {
        const json::object* labelled = item.if_object();
        const json::value* value = labelled != nullptr ? labelled->if_contains("value") : &item;
        if (value != nullptr && !value->is_null()) {
            options.push_back(*value);
        }
    }
}

void fill_parameter(object_reader& from, const json::value& item, workflow_parameter& made) {
    from.required(made.key, "key");
    from.optional(made.type_text, "type");
    made.type = parameter_type_of(made.type_text);
    from.optional(made.label, "label");
    from.optional(made.description, "description");
    from.optional(made.required, "required");
    if (const json::value* value = item.get_object().if_contains("default")) {
        made.default_value = *value;
    }
    from.optional(made.min, "min");
    from.optional(made.max, "max");
    fill_options(from, made.options);
    from.strings(made.accept, "accept");
    from.optional(made.source_key, "source_key");
    made.raw = item;
}

void fill_workflow(object_reader& from, workflow& made) {
    from.optional_id(made.id, "id");
    from.optional(made.slug, "workflow_slug");
    from.optional(made.display_name, "display_name");
    from.optional(made.version, "version");
    from.optional(made.status_text, "workflow_status");
    made.is_disabled = text::same_word(made.status_text, assumed::disabled_status);
    made.parameters_known =
        from.each_object("parameters", false, [&made](object_reader& parameter, const json::value& item) {
            fill_parameter(parameter, item, made.parameters.emplace_back());
        });
    from.strings(made.required_labels, "required_labels");
    from.optional(made.task_timeout_s, "task_timeout");
    from.optional(made.max_retries, "max_retries");
    from.optional(made.tool_type, "tool_type");
    if (made.id.empty() && made.slug.empty()) {
        from.wrong("id", "there, and neither is \"workflow_slug\"");
    }
}

template <class T>
void fill_state(object_reader& from, T& made) {
    from.optional(made.state_text, "status");
    from.optional(made.state_text, "task_status");
    made.state = task_state_of(made.state_text);
    from.optional(made.error_text, "task_error");
    from.optional(made.completed_at, "completed_at");
}

void fill_task(object_reader& from, task& made) {
    from.optional_id(made.id, "id");
    from.optional_id(made.workflow_id, "workflow_id");
    fill_state(from, made);
    from.optional(made.retry_count, "retry_count");
    from.optional(made.created_at, "created_at");
    from.optional(made.started_at, "started_at");
    from.optional(made.agent_id, "agent_id");
    from.optional(made.gpu_type, "gpu_type");
    if (made.state_text.empty()) {
        from.wrong("task_status", "a string");
    }
}

// The service fills either of the two, or both; the one without an id is named if it is not among the others.
void fill_outputs(object_reader& from, std::vector<output_link>& outputs) {
    if (const json::object* urls = from.object("download_urls")) {
        for (const json::key_value_pair& each : *urls) {
            if (each.value().is_string() && !each.value().get_string().empty()) {
                outputs.emplace_back(std::string(each.key()), std::string(each.value().get_string()));
            }
        }
    }
    std::string single;
    from.optional(single, "download_url");
    const auto is_known = [&](const output_link& link) { return link.url == single; };
    if (single.empty() || std::ranges::any_of(outputs, is_known)) {
        return;
    }
    std::string id(assumed::single_output_id);
    const auto is_taken = [&](const output_link& link) { return link.output_id == id; };
    while (std::ranges::any_of(outputs, is_taken)) {
        id += '_';
    }
    outputs.insert(outputs.begin(), output_link(std::move(id), std::move(single)));
}

// Go's encoders write a header's values as a list.
void fill_headers(object_reader& from, std::vector<header_field>& headers) {
    const json::object* object = from.object("upload_headers");
    if (object == nullptr) {
        return;
    }
    for (const json::key_value_pair& each : *object) {
        const json::value* value = &each.value();
        if (const json::array* list = value->if_array(); list != nullptr && list->size() == 1) {
            value = &list->front();
        }
        if (value->is_string()) {
            headers.emplace_back(std::string(each.key()), std::string(value->get_string()));
        } else if (value->is_int64() || value->is_uint64()) {
            headers.emplace_back(std::string(each.key()), value->is_int64() ? std::to_string(value->get_int64())
                                                                            : std::to_string(value->get_uint64()));
        } else {
            from.wrong("upload_headers", "an object of texts");
        }
    }
}

// An empty list may be written as null.
template <class T, class Fill>
void fill_page(object_reader& from, std::string_view name, std::vector<T>& items, page_meta& meta, Fill fill) {
    const json::object* object = from.object("page_meta");
    from.each_object(name, object == nullptr, [&](object_reader& inner, const json::value& item) {
        fill(inner, items.emplace_back());
        items.back().raw = item;
    });
    if (object != nullptr) {
        object_reader inner(*object);
        inner.optional(meta.current_page, "current_page");
        inner.optional(meta.per_page, "per_page");
        inner.optional(meta.total_count, "total_count");
    }
}

// One overload of read() for each type of a response.

result<workflow> read(std::string_view body, std::type_identity<workflow> /*type*/) {
    return read_as<workflow>(body, fill_workflow);
}

result<task> read(std::string_view body, std::type_identity<task> /*type*/) {
    return read_as<task>(body, fill_task);
}

result<workflow_page> read(std::string_view body, std::type_identity<workflow_page> /*type*/) {
    return read_as<workflow_page>(body, [](object_reader& from, workflow_page& page) {
        fill_page(from, "workflow_list", page.workflows, page.meta, fill_workflow);
    });
}

result<task_page> read(std::string_view body, std::type_identity<task_page> /*type*/) {
    return read_as<task_page>(body, [](object_reader& from, task_page& page) {
        fill_page(from, "task_list", page.tasks, page.meta, fill_task);
    });
}

result<task_result> read(std::string_view body, std::type_identity<task_result> /*type*/) {
    return read_as<task_result>(body, [](object_reader& from, task_result& made) {
        from.optional_id(made.id, "id");
        fill_state(from, made);
        fill_outputs(from, made.outputs);
        if (const json::object* output = from.object("task_output")) {
            made.output = *output;
        }
        from.optional(made.expires_at, "expires_at");
    });
}

result<accepted_task> read(std::string_view body, std::type_identity<accepted_task> /*type*/) {
    return read_as<accepted_task>(
        body, [](object_reader& from, accepted_task& made) { from.required_id(made.task_id, "task_id"); });
}

result<presigned_upload> read(std::string_view body, std::type_identity<presigned_upload> /*type*/) {
    return read_as<presigned_upload>(body, [](object_reader& from, presigned_upload& made) {
        from.required(made.file_key, "file_key");
        from.required(made.upload_url, "upload_url");
        fill_headers(from, made.upload_headers);
    });
}

}  // namespace

std::string_view to_string(task_state state) noexcept {
    switch (state) {
        case task_state::pending: return "pending";
        case task_state::waiting: return "waiting";
        case task_state::provisioning: return "provisioning";
        case task_state::queued: return "queued";
        case task_state::running: return "running";
        case task_state::completed: return "completed";
        case task_state::failed: return "failed";
        case task_state::cancelled: return "cancelled";
        case task_state::unknown: return "unknown";
    }
    return "invalid";
}

std::string_view to_string(task_class of) noexcept {
    switch (of) {
        case task_class::waiting: return "waiting";
        case task_class::running: return "running";
        case task_class::done: return "done";
        case task_class::failed: return "failed";
        case task_class::cancelled: return "cancelled";
        case task_class::unknown: return "unknown";
    }
    return "invalid";
}

std::string_view to_string(parameter_type type) noexcept {
    switch (type) {
        case parameter_type::string: return "string";
        case parameter_type::number: return "number";
        case parameter_type::boolean: return "boolean";
        case parameter_type::select: return "select";
        case parameter_type::file: return "file";
        case parameter_type::unknown: return "unknown";
    }
    return "invalid";
}

task_state task_state_of(std::string_view word) noexcept {
    for (const task_state state :
         {task_state::pending, task_state::waiting, task_state::provisioning, task_state::queued, task_state::running,
          task_state::completed, task_state::failed, task_state::cancelled}) {
        if (text::same_word(to_string(state), word)) {
            return state;
        }
    }
    return text::same_word("canceled", word) ? task_state::cancelled : task_state::unknown;
}

std::optional<std::uint64_t> next_page(const page_meta& meta, std::size_t items) noexcept {
    const std::uint64_t per_page = std::max<std::uint64_t>(meta.per_page, 1);
    const bool is_last = meta.total_count ? meta.current_page >= (*meta.total_count / per_page) +
                                                                     (*meta.total_count % per_page == 0 ? 0 : 1)
                                          : items < per_page;
    return items == 0 || is_last ? std::nullopt : std::optional(meta.current_page + 1);
}

template <class T>
result<T> read_response(std::string_view body) {
    return read(body, std::type_identity<T>());
}

template result<workflow> read_response<workflow>(std::string_view body);
template result<workflow_page> read_response<workflow_page>(std::string_view body);
template result<task> read_response<task>(std::string_view body);
template result<task_page> read_response<task_page>(std::string_view body);
template result<task_result> read_response<task_result>(std::string_view body);
template result<accepted_task> read_response<accepted_task>(std::string_view body);
template result<presigned_upload> read_response<presigned_upload>(std::string_view body);

}  // namespace vembed::cyberun
