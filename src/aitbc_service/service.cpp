#include <algorithm>
#include <exception>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <vembed/testing/aitbc_service.hpp>

#include "aitbc_service/assumptions.hpp"
#include "aitbc_service/call_windows.hpp"
#include "aitbc_service/job_views.hpp"
#include "aitbc_service/jobs.hpp"
#include "aitbc_service/refusals.hpp"
#include "aitbc_service/submission.hpp"
#include "local_service/connection_faults.hpp"
#include "local_service/draw.hpp"
#include "local_service/guarded.hpp"
#include "local_service/json_reply.hpp"
#include "local_service/target.hpp"
#include "text/iso_time.hpp"
#include "text/words.hpp"

namespace vembed::testing {

namespace json = boost::json;
using vembed::aitbc_service::detail;
using vembed::aitbc_service::job;
using vembed::aitbc_service::job_state;
using vembed::aitbc_service::purpose;
using vembed::local_service::draw;
using vembed::local_service::draw_strikes;
using vembed::local_service::json_reply;
namespace assumptions = vembed::aitbc_service::assumptions;

class aitbc_service::impl {
public:
    explicit impl(aitbc_options options);

    std::string add_client();
    service_arrival arrive(std::uint64_t expected_size) { return connections_.arrive(next_ordinal_++, expected_size); }
    service_response handle(std::uint64_t ordinal, const service_request& request, monotonic_time now, wall_time wall);
    [[nodiscard]] const std::string& first_key() const { return keys_.front(); }
    [[nodiscard]] aitbc_counters counters() const;

private:
    // A request while it is processed.
    struct asked {
        std::uint64_t ordinal = 0;
        const service_request* request = nullptr;
        std::vector<std::string> path;  // Behind "jobs".
        vembed::local_service::target_parts target;
        std::size_t client = 0;
        monotonic_time now{};
        wall_time wall{};
    };

    service_response serve(asked& call);
    service_response route(const asked& call);
    service_response route_job(const asked& call, job& of);
    [[nodiscard]] std::optional<std::size_t> client_of(const service_request& request) const;
    service_response submit(const asked& call);
    service_response list(const asked& call);
    service_response history(const asked& call);
    service_response show(const asked& call, job& of);
    service_response cancel(const asked& call, job& of);
    service_response download(const asked& call, const job& of) const;
    service_response show_result(const asked& call, const job& of) const;
    service_response receipt(const asked& call, const job& of) const;
    service_response receipts(const asked& call, const job& of) const;
    std::vector<job*> listed(const asked& call);
    std::optional<service_response> instead_of(asked& call);
    [[nodiscard]] bool strikes(std::uint64_t about, purpose what, double rate) const {
        return draw_strikes(options_.seed, about, what, rate);
    }
    [[nodiscard]] bool is_docs() const { return options_.dialect == aitbc_dialect::docs; }

    aitbc_options options_;
    vembed::local_service::connection_faults connections_;
    vembed::aitbc_service::call_windows windows_;
    vembed::aitbc_service::job_store jobs_;
    std::vector<std::string> keys_;
    std::uint64_t next_ordinal_ = 1;
    aitbc_counters counters_;
};

namespace {

service_response method_not_allowed() {
    return detail(405, "Method Not Allowed");
}

service_response no_such_route() {
    return detail(404, "Not Found");
}

service_response no_such_job() {
    return detail(404, "job not found");
}

}  // namespace

aitbc_service::impl::impl(aitbc_options options)
    : options_(std::move(options)),
      connections_(options_.faults.drop, options_.seed),
      windows_(options_.requests_per_minute, options_.requests_per_hour),
      jobs_(options_) {
    add_client();
}

std::string aitbc_service::impl::add_client() {
    const bool given = keys_.empty() && !options_.api_key.empty();
    keys_.push_back(given ? options_.api_key
                          : "aitbc_" +
                                vembed::local_service::draw_hex(options_.seed, keys_.size(), purpose::api_key, 32));
    return keys_.back();
}

std::optional<std::size_t> aitbc_service::impl::client_of(const service_request& request) const {
    static constexpr std::string_view scheme = "Bearer ";
    std::string_view key;
    if (text::same_word(std::string_view(request.authorization).substr(0, scheme.size()), scheme)) {
        key = std::string_view(request.authorization).substr(scheme.size());
    } else if (!options_.bearer_only) {
        key = request.find("X-Api-Key").value_or("");
    }
    const auto found = std::find(keys_.begin(), keys_.end(), key);
    return found == keys_.end() ? std::nullopt : std::optional<std::size_t>(found - keys_.begin());
}

// What a request gets before or in place of its own answer.
std::optional<service_response> aitbc_service::impl::instead_of(asked& call) {
    const std::uint64_t ordinal = call.ordinal;
    const bool full = !windows_.admit(call.now);
    counters_.refused_by_window += full ? 1 : 0;
    if (full || strikes(ordinal, purpose::rate_limited, options_.faults.rate_limited)) {
        const std::uint64_t form = draw(options_.seed, ordinal, purpose::refusal_form);
        return vembed::aitbc_service::too_many(options_.retry_after_s, form, call.wall);
    }
    const std::optional<std::size_t> client = client_of(*call.request);
    if (!client) {
        service_response refused = detail(401, "invalid api key");
        refused.headers.emplace_back("WWW-Authenticate", "Bearer");
        return refused;
    }
    call.client = *client;
    if (call.request->body.size() > options_.body_bytes_max) {
        return vembed::aitbc_service::http_error(413, "http_error", "Request body too large", call.request->target);
    }
    return std::nullopt;
}

service_response aitbc_service::impl::serve(asked& call) {
    if (std::optional<service_response> refused = instead_of(call)) {
        return *std::move(refused);
    }
    const bool gateway = strikes(call.ordinal, purpose::bad_gateway, options_.faults.bad_gateway);
    const bool broken = strikes(call.ordinal, purpose::internal_error, options_.faults.internal_error);
    const std::uint64_t accepted_before = counters_.jobs_accepted;
    const bool acts = (!gateway && !broken) || draw(options_.seed, call.ordinal, purpose::acts_first) % 2 == 0;
    service_response response = acts ? route(call) : service_response();
    if (gateway) {
        response = vembed::local_service::html_reply(502, "502 Bad Gateway");
    } else if (broken) {
        response =
            vembed::aitbc_service::http_error(500, "internal_error", "Internal server error", call.request->target);
    }
    connections_.cut(call.ordinal, response);
    const bool accepted = counters_.jobs_accepted > accepted_before;
    if (accepted && strikes(call.ordinal, purpose::lost_reply, options_.faults.lost_reply)) {
        response.cut_after = 0;
    }
    counters_.replies_lost += accepted && (gateway || broken || response.cut_after) ? 1 : 0;
    return response;
}

service_response aitbc_service::impl::handle(std::uint64_t ordinal, const service_request& request, monotonic_time now,
                                             wall_time wall) {
    ++counters_.requests;
    asked call;
    call.ordinal = ordinal;
    call.request = &request;
    call.now = now;
    call.wall = wall;
    service_response response = serve(call);
    if (options_.older_envelope && (response.status == 422 || response.status == 429)) {
        response = vembed::aitbc_service::http_error(500, "internal_error", "Internal server error", request.target);
    }
    if (const std::optional<std::string_view> id = request.find("X-Request-ID")) {
        response.headers.emplace_back("X-Request-ID", text::cut_text(*id, 128));
    }
    return response;
}

service_response aitbc_service::impl::route(const asked& call) {
    std::optional<vembed::local_service::target_parts> target =
        vembed::local_service::read_target(call.request->target);
    if (!target) {
        return no_such_route();
    }
    asked routed = call;
    std::vector<std::string>& path = target->segments;
    if (!path.empty() && path.front() == "api") {
        path.erase(path.begin());
    }
    if (path.size() < 2 || path[0] != "v1" || path[1] != "jobs" || path.size() > 4) {
        return no_such_route();
    }
    if (path.size() > 2 && path.back().empty()) {  // As FastAPI answers a slash at the end.
        service_response moved;
        moved.status = 307;
        std::string to = call.request->target.substr(0, call.request->target.find('?'));
        to.pop_back();
        moved.headers.emplace_back("Location", std::move(to));
        return moved;
    }
    routed.path.assign(path.begin() + 2, path.end());
    routed.target = *std::move(target);
    if (routed.path.empty()) {
        const std::string& method = call.request->method;
        return method == "POST" ? submit(routed) : method == "GET" ? list(routed) : method_not_allowed();
    }
    if (is_docs() && routed.path.size() == 1 && routed.path[0] == "history") {
        return call.request->method == "GET" ? history(routed) : method_not_allowed();
    }
    job* const of = jobs_.find(routed.path[0], routed.client);
    if (routed.path.size() == 2) {  // An absent route is told before an unknown job.
        static constexpr std::string_view docs[] = {"download", "receipt", "receipts"};
        static constexpr std::string_view coordinator[] = {"cancel", "result", "receipt", "receipts"};
        const std::string& name = routed.path[1];
        const bool known =
            is_docs() ? std::find(std::begin(docs), std::end(docs), name) != std::end(docs)
                      : std::find(std::begin(coordinator), std::end(coordinator), name) != std::end(coordinator);
        if (!known) {
            return no_such_route();
        }
        if (call.request->method != (name == "cancel" ? "POST" : "GET")) {
            return method_not_allowed();
        }
    } else if (call.request->method != "GET" && (call.request->method != "DELETE" || !is_docs())) {
        return method_not_allowed();
    }
    return of == nullptr ? no_such_job() : route_job(routed, *of);
}

service_response aitbc_service::impl::route_job(const asked& call, job& of) {
    if (call.path.size() == 1) {
        return call.request->method == "DELETE" ? cancel(call, of) : show(call, of);
    }
    const std::string& name = call.path[1];
    if (name == "cancel") {
        return cancel(call, of);
    }
    if (name == "download") {
        return download(call, of);
    }
    if (name == "result") {
        return show_result(call, of);
    }
    return name == "receipt" ? receipt(call, of) : receipts(call, of);
}

service_response aitbc_service::impl::submit(const asked& call) {
    auto read = vembed::aitbc_service::read_submission(options_.dialect, call.request->body, call.wall);
    if (auto* const refused = std::get_if<service_response>(&read)) {
        return std::move(*refused);
    }
    const job& made =
        jobs_.add(std::get<vembed::aitbc_service::submission>(std::move(read)), call.client, call.now, call.wall);
    ++counters_.jobs_accepted;
    if (is_docs()) {
        return json_reply(200, vembed::aitbc_service::accepted_view(made));
    }
    return json_reply(201,
                      vembed::aitbc_service::coordinator_view(made, call.now, options_.seed, options_.shows_payload));
}

// The client's jobs, newest first; those of one state if the query names one that exists.
std::vector<job*> aitbc_service::impl::listed(const asked& call) {
    const std::string_view wanted = call.target.find("status").value_or("");
    bool known = false;
    for (const job_state state : {job_state::queued, job_state::running, job_state::completed, job_state::failed,
                                  job_state::canceled, job_state::expired}) {
        known = known || text::same_word(wanted, vembed::aitbc_service::word_of(state));
    }
    std::vector<job*> found;
    const auto& all = jobs_.all();
    for (auto each = all.rbegin(); each != all.rend(); ++each) {
        job& of = **each;
        if (of.client != call.client) {
            continue;
        }
        const job_state state = of.state_at(jobs_.shown_as_of(of, call.now));
        if (!known || text::same_word(wanted, vembed::aitbc_service::word_of(state))) {
            found.push_back(&of);
        }
    }
    return found;
}

service_response aitbc_service::impl::list(const asked& call) {
    const auto limit = call.target.number("limit", 20, 1, assumptions::page_max);
    const auto offset = call.target.number("offset", 0, 0, options_.jobs_max);
    if (!limit || !offset) {
        return vembed::aitbc_service::validation_list(limit ? "offset" : "limit", "Input should be a valid integer");
    }
    const std::vector<job*> found = listed(call);
    const std::size_t begin = std::min<std::size_t>(*offset, found.size());
    const std::size_t end = std::min<std::size_t>(begin + *limit, found.size());
    json::array page;
    for (std::size_t i = begin; i < end; ++i) {
        const monotonic_time as_of = jobs_.shown_as_of(*found[i], call.now);
        page.emplace_back(is_docs() ? vembed::aitbc_service::docs_entry(*found[i], as_of)
                                    : vembed::aitbc_service::coordinator_view(*found[i], as_of, options_.seed,
                                                                              options_.shows_payload));
    }
    const std::size_t count = page.size();
    if (is_docs()) {
        return json_reply(200,
                          json::object{{"jobs", std::move(page)}, {"total", count}, {"has_more", end < found.size()}});
    }
    return json_reply(
        200, json::object{{"items", std::move(page)}, {"total", count}, {"limit", *limit}, {"offset", *offset}});
}

service_response aitbc_service::impl::history(const asked& call) {
    const std::string_view from = call.target.find("from").value_or("");
    const std::string_view to = call.target.find("to").value_or("");
    json::array page;
    for (job* const of : listed(call)) {
        const std::string day = text::format_iso_time(of->created_at).substr(0, 10);
        if ((from.empty() || day >= from.substr(0, 10)) && (to.empty() || day <= to.substr(0, 10)) &&
            page.size() < assumptions::page_max) {
            page.emplace_back(vembed::aitbc_service::docs_view(*of, call.now, options_.seed));
        }
    }
    const std::size_t count = page.size();
    return json_reply(200, json::object{{"jobs", std::move(page)}, {"total", count}, {"has_more", false}});
}

service_response aitbc_service::impl::show(const asked& call, job& of) {
    const monotonic_time as_of = jobs_.shown_as_of(of, call.now);
    if (is_docs()) {
        return json_reply(200, vembed::aitbc_service::docs_view(of, as_of, options_.seed));
    }
    return json_reply(200, vembed::aitbc_service::coordinator_view(of, as_of, options_.seed, options_.shows_payload));
}

service_response aitbc_service::impl::cancel(const asked& call, job& of) {
    if (is_terminal(of.state_at(call.now))) {
        return detail(409, "job is not cancelable");
    }
    of.canceled = call.now;
    of.seen.reset();
    return show(call, of);
}

service_response aitbc_service::impl::download(const asked& call, const job& of) const {
    const json::value result = of.result_at(call.now);
    if (result.is_null()) {
        const bool over = is_terminal(of.state_at(call.now));
        return over ? detail(assumptions::no_output_status, "the job has no output") : detail(425, "result not ready");
    }
    service_response response = json_reply(200, result);
    if (of.asked.output_format == "text") {
        response.headers.front().value = "text/plain; charset=utf-8";
        response.text += '\n';
    }
    return response;
}

service_response aitbc_service::impl::show_result(const asked& call, const job& of) const {
    json::value result = of.result_at(call.now);
    if (result.is_null()) {
        return detail(425, "result not ready");
    }
    return json_reply(
        200, json::object{{"result", std::move(result)},
                          {"receipt", vembed::aitbc_service::receipt_view(of, keys_[of.client], options_.seed)}});
}

service_response aitbc_service::impl::receipt(const asked& call, const job& of) const {
    if (of.result_at(call.now).is_null()) {
        return detail(404, "receipt not found");
    }
    return json_reply(200, vembed::aitbc_service::receipt_view(of, keys_[of.client], options_.seed));
}

service_response aitbc_service::impl::receipts(const asked& call, const job& of) const {
    json::array items;
    if (!of.result_at(call.now).is_null()) {
        items.emplace_back(vembed::aitbc_service::receipt_view(of, keys_[of.client], options_.seed));
    }
    return json_reply(200, json::object{{"items", std::move(items)}});
}

aitbc_counters aitbc_service::impl::counters() const {
    aitbc_counters counted = counters_;
    counted.requests_in_a_minute_max = windows_.in_a_minute_max();
    counted.requests_in_an_hour_max = windows_.in_an_hour_max();
    return counted;
}

aitbc_service::aitbc_service(aitbc_options options) : impl_(std::make_unique<impl>(std::move(options))) {}
aitbc_service::~aitbc_service() = default;

service_arrival aitbc_service::arrive(std::uint64_t expected_size) {
    return impl_->arrive(expected_size);
}

service_response aitbc_service::handle(std::uint64_t ordinal, const service_request& request, monotonic_time now,
                                       wall_time wall) {
    return vembed::local_service::guarded([&] { return impl_->handle(ordinal, request, now, wall); });
}

const std::string& aitbc_service::api_key() const noexcept {
    return impl_->first_key();
}

std::string aitbc_service::add_client() {
    return impl_->add_client();
}

aitbc_counters aitbc_service::counters() const {
    return impl_->counters();
}

}  // namespace vembed::testing
