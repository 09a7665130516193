#include "cli/report/verification_page.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "cli/report/json_report.hpp"
#include "text/json_value.hpp"
#include "text/text_format.hpp"

namespace vembed::cli {
namespace {

namespace json = boost::json;

std::string padded(std::string_view text, std::size_t width) {
    std::string out(text);
    out.resize(std::max(width, out.size()), ' ');
    return out;
}

json::array names_array(const std::vector<std::string>& names) {
    json::array out;
    for (const std::string& name : names) {
        out.emplace_back(name);
    }
    return out;
}

json::object finding_object(const audit::check_finding& finding) {
    json::object out;
    out["message"] = text::json_string(finding.what);
    if (finding.row) {
        out["row"] = *finding.row;
    }
    if (finding.chunk) {
        out["chunk"] = *finding.chunk;
    }
    for (const auto& [key, value] : {std::pair("id", &finding.row_id), std::pair("job_id", &finding.job_id),
                                     std::pair("receipt_id", &finding.receipt_id)}) {
        if (!value->empty()) {
            out[key] = text::json_string(*value);
        }
    }
    return out;
}

json::object check_object(const audit::check_tally& check) {
    json::object out;
    out["name"] = check.name;
    out["verdict"] = to_string(check.verdict());
    out["basis"] = text::json_string(check.basis());
    out["shows"] = text::json_string(check.shows);
    out["required"] = check.required;
    out["unit"] = check.unit;
    out["verified"] = check.verified;
    out["failed"] = check.failed;
    out["not_checkable"] = check.not_checkable;
    json::array findings;
    for (const audit::check_finding& finding : check.findings) {
        findings.push_back(finding_object(finding));
    }
    out["findings"] = std::move(findings);
    if (!check.reason.empty()) {
        out["reason"] = text::json_string(check.reason);
    }
    return out;
}

json::object summary_object(const page_context& about, const audit::folder_report& report,
                            const audit::overall_judgement& judgement, exit_code code) {
    json::object out;
    out["outcome"] = judgement.text();
    out["failed"] = names_array(judgement.failed);
    out["required_not_checkable"] = names_array(judgement.missing);
    out["not_checkable"] = names_array(judgement.open);
    out["complete"] = report.complete;
    out["rows"] = report.rows;
    out["dimensions"] = report.dimensions;
    out["jobs"] = report.jobs;
    out["chunks"] = report.chunks;
    out["chunks_reexecuted"] = report.chunks_sampled;
    out["chunks_not_reexecuted"] = report.chunks - report.chunks_sampled;
    out["rows_in_receipts"] = report.rows_in_receipts;
    out["rows_failed"] = report.rows_failed;
    out["rows_refused"] = report.rows_refused;
    out["rows_copied"] = report.rows_copied;
    out["rows_cached"] = report.rows_cached;
    out["pins"] = to_string(report.pins_from);
    if (report.recorded && !report.recorded->account_id.empty()) {
        out["account_id"] = text::json_string(report.recorded->account_id);
    }
    if (!about.service.empty()) {
        out["service_asked"] = text::json_string(about.service);
    }
    out["receipts_signed"] = false;
    out["origin"] = origin_line;
    out["exit_code"] = static_cast<int>(code);
    return out;
}

void print_check(console& out, const audit::check_tally& check) {
    const check_verdict verdict = check.verdict();
    const bool none = check.all() == 0 && check.none_is_fine;
    out.print(padded(none ? "none" : to_string(verdict), 13) + "  " + padded(check.name, 24) + "  " +
              text::printable(check.basis()));
    std::string line = "    " + text::grouped(check.verified) + " of " + text::grouped(check.all()) + " " + check.unit +
                       ": " + text::printable(check.shows);
    out.print(line);
    if ((none || verdict != check_verdict::verified) && !check.reason.empty()) {
        out.print("    " +
                  (check.not_checkable > 0 ? text::grouped(check.not_checkable) + " not checkable: " : std::string()) +
                  text::printable(check.reason));
    }
    for (const audit::check_finding& finding : check.findings) {
        out.print("    ! " + text::printable(finding.what) +
                  (finding.row_id.empty()
                       ? std::string()
                       : " [row " + std::to_string(*finding.row) + " has id " + text::printable(finding.row_id) + "]"));
    }
    const std::uint64_t shown = check.findings.size();
    if (check.failed > shown && shown == audit::check_tally::findings_max) {
        out.print("    ! … " + text::grouped(check.failed) + " in all");
    }
}

std::string pins_line(const page_context& about, const audit::folder_report& report) {
    const std::string account = report.recorded ? text::printable(report.recorded->account_id) : std::string();
    switch (report.pins_from) {
        case audit::pins_origin::known:
            return "Schemes of account " + account + " as known before: " + text::printable(about.pins_from) + ".";
        case audit::pins_origin::manifest:
            return "Schemes of account " + account + " as the folder's own manifest says; nothing else is known of it.";
        case audit::pins_origin::none: break;
    }
    return "Nothing is known of the account's schemes: its receipts here are compared with each other.";
}

void print_head(console& out, const page_context& about, const audit::folder_report& report) {
    out.print("Folder " + text::printable(about.folder) + ": " +
              (report.complete ? "a finished run, " : "an unfinished run, ") +
              text::counted(report.rows, "row", "rows") + " x " + std::to_string(report.dimensions) + " float32, " +
              text::counted(report.jobs, "job", "jobs") + ", " + text::counted(report.chunks, "chunk", "chunks") + ".");
    if (report.recorded) {
        const folder::manifest& recorded = *report.recorded;
        out.print("Its manifest says: model " +
                  text::printable(recorded.model.empty() ? "of a specification" : recorded.model) + ", service " +
                  text::printable(recorded.service) + ", written by " + text::printable(recorded.written_by) +
                  ", ended " + text::printable(recorded.ended_at) + ".");
    }
    if (report.rows_copied + report.rows_cached + report.rows_failed > 0) {
        const std::string of_cached =
            report.rows_copied_from_cached == 0
                ? std::string()
                : " (" + text::grouped(report.rows_copied_from_cached) + " of them from rows of the cache)";
        out.print("Receipts cover " + text::grouped(report.rows_in_receipts) + " of " + text::grouped(report.rows) +
                  " rows. Of the others " + text::grouped(report.rows_copied) +
                  " were copied from rows with the same text" + of_cached + ", " + text::grouped(report.rows_cached) +
                  " came from the cache, " + text::grouped(report.rows_failed) + " failed.");
    }
    if (report.rows_refused > 0) {
        out.print(
            "Of those that failed " + text::grouped(report.rows_refused) +
            " were refused by the run: a check of what the service sent for them failed; failed.jsonl says which.");
    }
    out.print(pins_line(about, report));
    out.print(about.service.empty() ? "The service was not asked: all of this can be repeated without a network."
                                    : "The service was asked too: " + text::printable(about.service) + ".");
    out.print("");
    out.print("Each check: what came of it, its name, what it rests on; then how many, and what that shows. Rests on:");
    out.print("  recorded   what vembed noted in this folder when it wrote it");
    out.print("  specified  the service's documentation        implied  follows from that documentation");
    out.print("  assumed:S  scheme S, which gives this folder's own values; the service does not document it");
    out.print(std::string("  pinned:S   scheme S, which the account's receipts followed before") +
              (report.pins_from == audit::pins_origin::manifest ? ", as the folder's own manifest says" : ""));
    out.print("");
}

void print_end(console& out, const page_context& about, const audit::folder_report& report,
               const audit::overall_judgement& judgement) {
    out.print("");
    if (about.unfinished) {
        out.print("The run is unfinished: run the same `vembed embed` again.");
    }
    out.print("Result: " + judgement.text() + ".");
    const std::uint64_t others = report.chunks - report.chunks_sampled;
    out.print("The service says that it re-executed " + text::grouped(report.chunks_sampled) + " of " +
              text::counted(report.chunks, "chunk", "chunks") + " (its sample). For the other " +
              text::grouped(others) +
              " a matching hash shows that the rows are the committed ones; nothing shows how they were computed.");
    out.print(origin_line);
}

}  // namespace

void print_verification(console& out, const page_context& about, const audit::folder_report& report,
                        const audit::overall_judgement& judgement, exit_code code) {
    if (out.json()) {
        for (const audit::check_tally& check : report.checks) {
            if (check.spoken_of()) {
                out.print_object("check", check_object(check));
            }
        }
        out.print_object("verification", summary_object(about, report, judgement, code));
        return;
    }
    print_head(out, about, report);
    for (const audit::check_tally& check : report.checks) {
        if (check.spoken_of()) {
            print_check(out, check);
        }
    }
    print_end(out, about, report, judgement);
}

}  // namespace vembed::cli
