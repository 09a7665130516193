#include "aitbc/wire/routes.hpp"

#include <algorithm>

#include "aitbc/wire/assumptions.hpp"
#include "aitbc/wire/codec.hpp"
#include "policy/input/base_url.hpp"
#include "policy/input/path_segment.hpp"
#include "text/iso_time.hpp"
#include "text/words.hpp"

namespace vembed::aitbc {
namespace {

constexpr std::string_view jobs_path = "/jobs";

task task_of(form which) noexcept {
    switch (which) {
        case form::cancel_by_delete:
        case form::cancel_by_post: return task::cancel;
        case form::output_by_download:
        case form::output_by_result: return task::output;
        case form::history_by_route:
        case form::history_by_list: break;
    }
    return task::history;
}

form form_of(task what, dialect which) noexcept {
    const bool docs = which == dialect::docs;
    switch (what) {
        case task::cancel: return docs ? form::cancel_by_delete : form::cancel_by_post;
        case task::output: return docs ? form::output_by_download : form::output_by_result;
        case task::history: break;
    }
    return docs ? form::history_by_route : form::history_by_list;
}

form other_form(form which) noexcept {
    const task what = task_of(which);
    const form docs = form_of(what, dialect::docs);
    return which == docs ? form_of(what, dialect::coordinator) : docs;
}

std::uint8_t bit_of(form which) noexcept {
    return static_cast<std::uint8_t>(1u << static_cast<unsigned>(which));
}

// Whether the refusal says that the service lacks this form.
bool tells_absent(form used, refusal why) noexcept {
    // The route of one job takes "history" for an id.
    const bool is_shadowed = used == form::history_by_route && why == refusal::job_unknown;
    return why == refusal::route_absent || why == refusal::method_absent || is_shadowed;
}

route_step step(route_step::kind what, std::optional<form> next = std::nullopt) {
    route_step made;
    made.what = what;
    made.next = next;
    return made;
}

}  // namespace

result<std::string> normal_base_url(std::string_view given) {
    const auto checked =
        policy::base_url_without_slash(given, "it is everything before /jobs, for example https://host/api/v1");
    if (!checked) {
        return checked.error();
    }
    std::string_view url = *checked;
    policy::drop_url_end(url, jobs_path);
    std::string base(url);
    if (!url.ends_with(assumed::version_segment)) {
        base += assumed::version_segment;
    }
    return base;
}

bool route_plan::is_absent(form which) const noexcept {
    return (absent_ & bit_of(which)) != 0;
}

form route_plan::first(task what) const noexcept {
    const form own = form_of(what, dialect_);
    return is_absent(own) && !is_absent(other_form(own)) ? other_form(own) : own;
}

route_step route_plan::after(form used, std::optional<refusal> refused, job_state last_known, bool tried_before) {
    using kind = route_step::kind;
    const bool cancels = task_of(used) == task::cancel;
    if (!refused) {
        absent_ &= static_cast<std::uint8_t>(~bit_of(used));
        return step(cancels ? kind::ask_job : kind::done);
    }
    if (tells_absent(used, *refused)) {
        // The list is no form that can be absent: if it is refused, the base URL is wrong.
        if (used != form::history_by_list) {
            absent_ |= bit_of(used);
        }
        return tried_before || used == form::history_by_list ? step(kind::failed)
                                                             : step(kind::try_next, other_form(used));
    }
    if (cancels && *refused == refusal::conflict) {
        return step(kind::ask_job);
    }
    if (task_of(used) == task::output && *refused == refusal::not_ready) {
        return step(waits_on_not_ready(last_known) ? kind::wait : kind::no_output);
    }
    return step(kind::failed);
}

result<std::string> job_target(std::string_view id, std::string_view below) {
    if (text::same_word(id, "history")) {
        return error(errc::invalid_argument, "\"history\" is the name of a route and no job's id");
    }
    auto segment = policy::encode_path_segment(id);
    if (!segment) {
        return segment.error();
    }
    return std::string(jobs_path) + "/" + *segment + std::string(below);
}

std::string list_target(const list_query& query) {
    std::string target(jobs_path);
    target += "?limit=" + std::to_string(query.limit == 0 ? assumed::page_length : query.limit);
    if (query.offset > 0) {
        target += "&" + std::string(assumed::offset_parameter) + "=" + std::to_string(query.offset);
    }
    // Words of states are letters; anything else is filtered by the client alone.
    const bool is_word =
        std::ranges::all_of(query.status, [](char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; });
    if (!query.status.empty() && is_word) {
        target += "&status=" + query.status;
    }
    return target;
}

result<std::string> form_target(form which, std::string_view id) {
    switch (which) {
        case form::cancel_by_delete: return job_target(id);
        case form::cancel_by_post: return job_target(id, "/cancel");
        case form::output_by_download: return job_target(id, "/download");
        case form::output_by_result: return job_target(id, "/result");
        case form::history_by_route: return history_target(std::nullopt, std::nullopt);
        case form::history_by_list: break;
    }
    return list_target({});
}

std::string history_target(std::optional<wall_time> from, std::optional<wall_time> to) {
    constexpr std::size_t date_size = 10;
    std::string target = std::string(jobs_path) + "/history";
    if (from) {
        target += "?from=" + text::format_iso_time(*from).substr(0, date_size);
    }
    if (to) {
        target += (from ? "&to=" : "?to=") + text::format_iso_time(*to).substr(0, date_size);
    }
    return target;
}

bool is_within(const job& one, std::optional<wall_time> from, std::optional<wall_time> to) noexcept {
    const bool early = one.created_at && from && *one.created_at < *from;
    const bool late = one.created_at && to && *one.created_at > *to;
    return !early && !late;
}

bool has_status(const job& one, std::string_view status) noexcept {
    const job_state wanted = state_of(status);
    return status.empty() || text::same_word(one.state_text, status) ||
           (wanted == job_state::cancelled && one.state == wanted);
}

}  // namespace vembed::aitbc
