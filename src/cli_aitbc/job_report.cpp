#include "cli_aitbc/job_report.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>

#include <vembed/core/time.hpp>

#include "cli_parts/command/listing.hpp"
#include "text/iso_time.hpp"
#include "text/json/json_value.hpp"

namespace vembed::cli {
namespace {

namespace json = boost::json;

void set_time(json::object& to, std::string_view name, const std::optional<wall_time>& at) {
    if (at) {
        to[name] = text::format_iso_time(*at);
    }
}

std::string time_or_dash(const std::optional<wall_time>& at) {
    return at ? text::format_iso_time(*at) : "-";
}

// The service's own word, or ours if the response had none.
std::string word_of_state(const aitbc::job& of) {
    return std::string(of.state_text.empty() ? to_string(of.state) : std::string_view(of.state_text));
}

}  // namespace

json::object job_object(const aitbc::job& of) {
    json::object out;
    out["id"] = text::json_string(of.id);
    out["state"] = to_string(of.state);
    out["status"] = text::json_string(of.state_text);
    if (of.failed_by_result) {
        out["failed_by_result"] = true;
    }
    if (of.progress) {
        out["progress"] = *of.progress;
    }
    text::set(out, "model", of.model);
    text::set(out, "miner_id", of.miner_id);
    set_time(out, "created_at", of.created_at);
    set_time(out, "started_at", of.started_at);
    set_time(out, "completed_at", of.completed_at);
    set_time(out, "expires_at", of.expires_at);
    text::set(out, "error", of.error);
    text::set(out, "payment_id", of.payment_id);
    text::set(out, "payment_status", of.payment_status);
    return out;
}

json::object submitted_object(const aitbc::submitted_job& of) {
    json::object out = job_object(of.job);
    if (of.job.state_text.empty()) {  // The response has no state: docs dialect.
        out.erase("state");
        out.erase("status");
    }
    if (of.estimated_cost) {
        out["estimated_cost"] = *of.estimated_cost;
    }
    if (of.estimated_time_seconds) {
        out["estimated_time_s"] = *of.estimated_time_seconds;
    }
    return out;
}

std::vector<std::string> job_lines(const aitbc::job& of) {
    value_lines lines(11);
    lines.add("job", of.id);
    lines.add("status", word_of_state(of));
    if (of.failed_by_result) {
        lines.append(", and its result says that it failed");
    }
    if (of.progress) {
        lines.add("progress", std::to_string(static_cast<int>(std::clamp(*of.progress, 0.0, 100.0))) + " %");
    }
    for (const auto& [name, value] : {std::pair("model", &of.model),
                                      {"miner", &of.miner_id},
                                      {"payment", &of.payment_status},
                                      {"error", &of.error}}) {
        if (*value) {
            lines.add(name, **value);
        }
    }
    for (const auto& [name, at] : {std::pair("created", &of.created_at),
                                   {"started", &of.started_at},
                                   {"completed", &of.completed_at},
                                   {"expires", &of.expires_at}}) {
        if (*at) {
            lines.add(name, text::format_iso_time(**at));
        }
    }
    return lines.lines();
}

void print_job(console& out, const aitbc::job& of) {
    print_item(out, "job", of, job_object, job_lines);
}

std::vector<std::string> job_table(const std::vector<aitbc::job>& jobs) {
    std::vector<std::string> lines = {"job\tstatus\tmodel\tcreated"};
    for (const aitbc::job& one : jobs) {
        lines.push_back(
            table_line({one.id, word_of_state(one), one.model.value_or("-"), time_or_dash(one.created_at)}));
    }
    return lines;
}

}  // namespace vembed::cli
