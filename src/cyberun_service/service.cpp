#include <algorithm>
#include <exception>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <vembed/testing/cyberun_service.hpp>

#include "cyberun_service/assumptions.hpp"
#include "cyberun_service/event_stream.hpp"
#include "cyberun_service/store.hpp"
#include "cyberun_service/tasks.hpp"
#include "local_service/guarded.hpp"
#include "local_service/json_reply.hpp"
#include "local_service/target.hpp"
#include "text/iso_time.hpp"
#include "text/words.hpp"

namespace vembed::testing {

namespace json = boost::json;
namespace assumptions = vembed::cyberun_service::assumptions;
using vembed::cyberun_service::purpose;
using vembed::cyberun_service::task;
using vembed::cyberun_service::task_state;
using vembed::cyberun_service::workflow;
using vembed::local_service::json_reply;

namespace {

service_response refused(int status, std::string_view code, std::string_view message) {
    json::object inner{{"code", std::string(code)}, {"message", std::string(message)}};
    return json_reply(status, json::object{{"error", std::move(inner)}});
}

service_response not_found(std::string_view what) {
    return refused(404, "not_found", std::string(what) + " is unknown");
}

json::value time_or_null(bool known, wall_time at) {
    return known ? json::value(text::format_iso_time(at)) : json::value(nullptr);
}

json::object task_view(const task& of, monotonic_time now) {
    const task_state at = of.state_at(now);
    const bool begun = now >= of.started() && (!of.cancelled || *of.cancelled >= of.started());
    json::object view;
    view["id"] = of.id;
    view["workflow_id"] = std::string(of.of->id);
    view["task_status"] = std::string(vembed::cyberun_service::word_of(at));
    view["task_error"] = at == task_state::failed ? "the task failed (a planned fault)" : "";
    view["retry_count"] = of.retries_at(now);
    view["created_at"] = text::format_iso_time(of.created_at);
    view["started_at"] = time_or_null(begun, of.wall_of(of.started()));
    view["completed_at"] = time_or_null(is_terminal(at), of.wall_of(of.ended()));
    view["agent_id"] = begun ? json::value("agent-1") : json::value(nullptr);
    return view;
}

// JSON may write & as an escape, and Go's encoder does.
void escape_ampersands(std::string& body) {
    text::replace_all(body, "&", "\\u0026");
}

}  // namespace

class cyberun_service::impl {
public:
    explicit impl(cyberun_options options)
        : state(std::make_shared<vembed::cyberun_service::state>(std::move(options))),
          store(std::make_shared<vembed::cyberun_service::store>(state)) {}

    service_response handle(std::uint64_t ordinal, const service_request& request, monotonic_time now, wall_time wall);

    std::shared_ptr<vembed::cyberun_service::state> state;
    std::shared_ptr<vembed::cyberun_service::store> store;

private:
    struct asked {
        std::uint64_t ordinal = 0;
        const service_request* request = nullptr;
        std::vector<std::string> path;  // Behind "r".
        vembed::local_service::target_parts target;
        monotonic_time now{};
        wall_time wall{};
    };

    service_response serve(asked& call);
    service_response route(const asked& call);
    service_response route_workflows(const asked& call);
    service_response route_tasks(const asked& call);
    service_response run(const asked& call, const workflow& of);
    service_response presign(const asked& call);
    service_response list_workflows(const asked& call);
    service_response list_tasks(const asked& call);
    service_response result(const asked& call, const task& of);
    std::string link_to(const task& of, std::string_view output, wall_time wall);
    template <class Count, class View>
    service_response page(const asked& call, std::string_view name, Count count, View view);
};

service_response cyberun_service::impl::handle(std::uint64_t ordinal, const service_request& request,
                                               monotonic_time now, wall_time wall) {
    ++state->counters.requests;
    asked call;
    call.ordinal = ordinal;
    call.request = &request;
    call.now = now;
    call.wall = wall;
    service_response response = serve(call);
    state->connections.cut(ordinal, response);
    return response;
}

service_response cyberun_service::impl::serve(asked& call) {
    auto target = vembed::local_service::read_target(call.request->target);
    if (!target || target->segments.size() < 4 || target->segments[0] != "api" || target->segments[1] != "v1" ||
        target->segments[2] != "r") {
        return not_found("the path");
    }
    call.path.assign(target->segments.begin() + 3, target->segments.end());
    call.target = *std::move(target);
    if (call.request->authorization != "Bearer " + state->api_key) {
        return refused(401, "unauthorized", "the API key is missing, unknown or revoked");
    }
    const cyberun_faults& rates = state->options.faults;
    if (state->strikes(call.ordinal, purpose::rate_limited, rates.rate_limited)) {
        service_response busy = refused(429, "rate_limited", "too fast (a planned fault)");
        busy.headers.emplace_back("Retry-After", "1");
        return busy;
    }
    const bool gateway = state->strikes(call.ordinal, purpose::bad_gateway, rates.bad_gateway);
    const bool broken = state->strikes(call.ordinal, purpose::internal_error, rates.internal_error);
    if ((gateway || broken) &&
        vembed::local_service::draw(state->options.seed, call.ordinal, purpose::acts_first) % 2 == 0) {
        route(call);
    }
    if (gateway) {
        return vembed::local_service::html_reply(502, "502 Bad Gateway");
    }
    return broken ? refused(500, "internal_error", "a planned fault") : route(call);
}

service_response cyberun_service::impl::route(const asked& call) {
    if (call.path[0] == "workflows") {
        return route_workflows(call);
    }
    if (call.path[0] == "tasks") {
        return route_tasks(call);
    }
    if (call.path.size() == 2 && call.path[0] == "files" && call.path[1] == "presign") {
        return call.request->method == "POST" ? presign(call)
                                              : refused(405, "method_not_allowed", "this path takes POST");
    }
    return not_found("the path");
}

service_response cyberun_service::impl::route_workflows(const asked& call) {
    const std::vector<std::string>& path = call.path;
    const bool runs = path.size() > 1 && path.back() == "run";
    if (call.request->method != (runs ? "POST" : "GET")) {
        return refused(405, "method_not_allowed", runs ? "this path takes POST" : "this path takes GET");
    }
    if (path.size() == 1) {
        return list_workflows(call);
    }
    const bool by_slug = path[1] == "slug";
    if (path.size() != std::size_t{by_slug ? 3u : 2u} + (runs ? 1 : 0)) {
        return not_found("the path");
    }
    std::uint64_t version = 0;
    const workflow* const found = by_slug ? vembed::cyberun_service::workflow_by_slug(path[2], version)
                                          : vembed::cyberun_service::workflow_by_id(path[1]);
    if (found == nullptr) {
        return not_found("the workflow");
    }
    if (runs) {
        return run(call, *found);
    }
    return json_reply(200, vembed::cyberun_service::workflow_view(*found, by_slug ? version : found->version));
}

service_response cyberun_service::impl::run(const asked& call, const workflow& of) {
    if (of.disabled) {
        return refused(assumptions::disabled_status, "workflow_disabled", "the workflow is disabled");
    }
    const std::optional<json::object> body = vembed::local_service::object_of_body(call.request->body);
    const json::value* const given = body ? body->if_contains("parameters") : nullptr;
    if (given == nullptr || !given->is_object()) {
        return refused(assumptions::bad_parameters_status, "invalid_request", "the body has no object `parameters`");
    }
    if (const auto fault = vembed::cyberun_service::parameter_fault(of, given->get_object())) {
        return refused(assumptions::bad_parameters_status, "invalid_parameters", *fault);
    }
    std::string sha256;
    if (of.what == vembed::cyberun_service::makes::digest) {
        const auto* const file = state->uploads.find(std::string(given->get_object().at("file").as_string()));
        if (file == nullptr || !file->sha256) {
            return refused(assumptions::bad_parameters_status, "invalid_parameters", "the file was not uploaded");
        }
        sha256 = *file->sha256;
    }
    const task& made = state->add(of, given->get_object(), std::move(sha256), call.now, call.wall);
    return json_reply(202, json::object{{"task_id", made.id}});
}

service_response cyberun_service::impl::presign(const asked& call) {
    const std::optional<json::object> body = vembed::local_service::object_of_body(call.request->body);
    const json::value* const name = body ? body->if_contains("file_name") : nullptr;
    const json::value* const size = body ? body->if_contains("file_size") : nullptr;
    const json::value* const type = body ? body->if_contains("content_type") : nullptr;
    if (name == nullptr || !name->is_string() || size == nullptr || !size->is_int64() || size->get_int64() < 0) {
        return refused(400, "invalid_request", "file_name must be a text and file_size a whole number");
    }
    vembed::cyberun_service::upload made;
    made.size = static_cast<std::uint64_t>(size->get_int64());
    if (made.size > state->options.upload_bytes_max) {
        return refused(413, "file_too_large", "the file is larger than this deployment takes");
    }
    made.signed_headers.emplace_back("Content-Length", std::to_string(made.size));
    if (type != nullptr && type->is_string()) {
        made.signed_headers.emplace_back("Content-Type", std::string(type->get_string()));
    }
    made.signed_headers.emplace_back("If-None-Match", "*");
    const std::uint64_t seed = state->options.seed;
    const std::string key = "inputs/" + vembed::local_service::draw_uuid(seed, ++state->files_made, purpose::file_key);
    json::object headers;
    for (const header_field& field : made.signed_headers) {
        headers[field.name] = field.value;
    }
    state->uploads.add(key, std::move(made));
    json::object reply{{"file_key", key}};
    reply["upload_url"] = state->options.store_url + vembed::cyberun_service::presigned_target(
                                                         seed, "PUT", key, call.wall, state->options.link_ttl_s);
    reply["upload_headers"] = std::move(headers);
    service_response response = json_reply(200, reply);
    escape_ampersands(response.text);
    return response;
}

service_response cyberun_service::impl::route_tasks(const asked& call) {
    const std::vector<std::string>& path = call.path;
    const std::string name = path.size() == 3 ? path[2] : "";
    if (call.request->method != (name == "cancel" ? "POST" : "GET")) {
        return refused(405, "method_not_allowed", name == "cancel" ? "this path takes POST" : "this path takes GET");
    }
    if (path.size() == 1) {
        return list_tasks(call);
    }
    const bool known = path.size() == 2 || name == "result" || name == "cancel" || name == "events";
    std::shared_ptr<task> of = known && path.size() <= 3 ? state->find(path[1]) : nullptr;
    if (!of) {
        return not_found(known ? "the task" : "the path");
    }
    if (name == "events") {
        const double rate = state->options.faults.sse_refused;
        return state->strikes(call.ordinal, purpose::sse_refused, rate)
                   ? not_found("the path")
                   : vembed::cyberun_service::event_stream(state, std::move(of), call.ordinal, call.now);
    }
    if (name == "cancel") {
        if (!is_terminal(of->state_at(call.now))) {
            of->cancelled = call.now;
        }
        return json_reply(200, json::object{{"message", "cancel requested"}});
    }
    if (name == "result") {
        return result(call, *of);
    }
    ++state->counters.task_reads;
    return json_reply(200, task_view(*of, call.now));
}

std::string cyberun_service::impl::link_to(const task& of, std::string_view output, wall_time wall) {
    const std::string key = "outputs/" + of.id + "/" + std::string(output);
    return state->options.store_url +
           vembed::cyberun_service::presigned_target(state->options.seed, "GET", key, wall, state->options.link_ttl_s);
}

service_response cyberun_service::impl::result(const asked& call, const task& of) {
    const task_state at = of.state_at(call.now);
    json::object view;
    view["id"] = of.id;
    view["task_status"] = std::string(vembed::cyberun_service::word_of(at));
    view["task_error"] = at == task_state::failed ? "the task failed (a planned fault)" : "";
    view["task_output"] = nullptr;
    view["download_url"] = nullptr;
    view["download_urls"] = nullptr;
    view["expires_at"] = nullptr;
    view["completed_at"] = time_or_null(is_terminal(at), of.wall_of(of.ended()));
    const auto outputs = vembed::cyberun_service::outputs_of(of, state->options.seed);
    if (at == task_state::completed && !outputs.empty()) {
        view["expires_at"] = text::format_iso_time(call.wall + std::chrono::seconds(state->options.link_ttl_s));
        view["download_url"] = link_to(of, outputs.front().first, call.wall);
        view["task_output"] = json::object{{"storage_key", "outputs/" + of.id + "/" + outputs.front().first}};
        if (outputs.size() > 1) {  // A cloud task has both fields.
            json::object urls;
            json::object keys;
            for (const auto& [id, content] : outputs) {
                urls[id] = link_to(of, id, call.wall);
                keys[id] = json::object{{"s3_key", "outputs/" + of.id + "/" + id}};
            }
            view["download_urls"] = std::move(urls);
            view["task_output"] = std::move(keys);
        }
    }
    service_response response = json_reply(200, view);
    escape_ampersands(response.text);
    return response;
}

// One page of a list of `count` items, of which `view(i)` is the JSON.
template <class Count, class View>
service_response cyberun_service::impl::page(const asked& call, std::string_view name, Count count, View view) {
    const auto current = call.target.number("current_page", 1, 1, 1'000'000'000);
    const auto each = call.target.number("per_page", 20, 1, 100);
    if (!current || !each) {
        return refused(400, "invalid_request", "current_page and per_page must be whole numbers of 1 or more");
    }
    json::array items;
    for (std::uint64_t i = (*current - 1) * *each; i < count && items.size() < *each; ++i) {
        items.push_back(view(static_cast<std::size_t>(i)));
    }
    json::object reply;
    reply[std::string(name)] = std::move(items);
    reply["page_meta"] = json::object{{"current_page", *current}, {"per_page", *each}, {"total_count", count}};
    return json_reply(200, reply);
}

service_response cyberun_service::impl::list_workflows(const asked& call) {
    const auto all = vembed::cyberun_service::workflows();
    return page(call, "workflow_list", all.size(), [&all](std::size_t i) {
        return json::value(vembed::cyberun_service::workflow_view(all[i], all[i].version));
    });
}

service_response cyberun_service::impl::list_tasks(const asked& call) {
    ++state->counters.task_lists;
    const std::string_view wanted = call.target.find("status").value_or("");
    std::vector<const task*> found;
    for (auto each = state->tasks.rbegin(); each != state->tasks.rend(); ++each) {
        const std::string_view word = vembed::cyberun_service::word_of((*each)->state_at(call.now));
        if (wanted.empty() || text::same_word(wanted, word)) {
            found.push_back(each->get());
        }
    }
    return page(call, "task_list", found.size(),
                [&](std::size_t i) { return json::value(task_view(*found[i], call.now)); });
}

cyberun_service::cyberun_service(cyberun_options options) : impl_(std::make_unique<impl>(std::move(options))) {}
cyberun_service::~cyberun_service() = default;

service_arrival cyberun_service::arrive(std::uint64_t expected_size) {
    return impl_->state->connections.arrive(impl_->state->next_ordinal++, expected_size);
}

service_response cyberun_service::handle(std::uint64_t ordinal, const service_request& request, monotonic_time now,
                                         wall_time wall) {
    return vembed::local_service::guarded([&] { return impl_->handle(ordinal, request, now, wall); });
}

const std::string& cyberun_service::api_key() const noexcept {
    return impl_->state->api_key;
}

std::shared_ptr<local_service> cyberun_service::store() {
    return impl_->store;
}

void cyberun_service::set_store_url(std::string url) {
    impl_->state->options.store_url = std::move(url);
}

cyberun_counters cyberun_service::counters() const {
    return impl_->state->counters;
}

}  // namespace vembed::testing
