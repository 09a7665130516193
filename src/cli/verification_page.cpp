#include "cli/verification_page.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "cli/json_report.hpp"
#include "cli/text_format.hpp"

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

json::object finding_object(const check_finding& finding) {
    json::object out;
    out["message"] = json_string(finding.what);
    if (finding.row) {
        out["row"] = *finding.row;
    }
    if (finding.chunk) {
        out["chunk"] = *finding.chunk;
    }
    for (const auto& [key, value] : {std::pair("id", &finding.row_id), std::pair("job_id", &finding.job_id),
                                     std::pair("receipt_id", &finding.receipt_id)}) {
        if (!value->empty()) {
            out[key] = json_string(*value);
        }
    }
    return out;
}

json::object check_object(const check_tally& check) {
    json::object out;
    out["name"] = check.name;
    out["verdict"] = to_string(check.verdict());
    out["basis"] = json_string(check.basis());
    out["shows"] = json_string(check.shows);
    out["required"] = check.required;
    out["unit"] = check.unit;
    out["verified"] = check.verified;
    out["failed"] = check.failed;
    out["not_checkable"] = check.not_checkable;
    json::array findings;
    for (const check_finding& finding : check.findings) {
        findings.push_back(finding_object(finding));
    }
    out["findings"] = std::move(findings);
    if (!check.reason.empty()) {
        out["reason"] = json_string(check.reason);
    }
    return out;
}

json::object summary_object(const page_context& about, const folder_report& report, const overall_judgement& judgement,
                            exit_code code) {
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
        out["account_id"] = json_string(report.recorded->account_id);
    }
    if (!about.service.empty()) {
        out["service_asked"] = json_string(about.service);
    }
    out["receipts_signed"] = false;
    out["origin"] = origin_line;
    out["exit_code"] = static_cast<int>(code);
    return out;
}

void print_check(console& out, const check_tally& check) {
    const check_verdict verdict = check.verdict();
    const bool none = check.all() == 0 && check.none_is_fine;
    out.print(padded(none ? "none" : to_string(verdict), 13) + "  " + padded(check.name, 24) + "  " +
              printable(check.basis()));
    std::string line = "    " + grouped(check.verified) + " of " + grouped(check.all()) + " " + check.unit + ": " +
                       printable(check.shows);
    out.print(line);
    if ((none || verdict != check_verdict::verified) && !check.reason.empty()) {
        out.print("    " +
                  (check.not_checkable > 0 ? grouped(check.not_checkable) + " not checkable: " : std::string()) +
                  printable(check.reason));
    }
    for (const check_finding& finding : check.findings) {
        out.print("    ! " + printable(finding.what) +
                  (finding.row_id.empty()
                       ? std::string()
                       : " [row " + std::to_string(*finding.row) + " has id " + printable(finding.row_id) + "]"));
    }
    const std::uint64_t shown = check.findings.size();
    if (check.failed > shown && shown == check_tally::findings_max) {
        out.print("    ! … " + grouped(check.failed) + " in all");
    }
}

std::string pins_line(const page_context& about, const folder_report& report) {
    const std::string account = report.recorded ? printable(report.recorded->account_id) : std::string();
    switch (report.pins_from) {
        case pins_origin::known:
            return "Schemes of account " + account + " as known before: " + printable(about.pins_from) + ".";
        case pins_origin::manifest:
            return "Schemes of account " + account + " as the folder's own manifest says; nothing else is known of it.";
        case pins_origin::none: break;
    }
    return "Nothing is known of the account's schemes: its receipts here are compared with each other.";
}

void print_head(console& out, const page_context& about, const folder_report& report) {
    out.print("Folder " + printable(about.folder) + ": " +
              (report.complete ? "a finished run, " : "an unfinished run, ") + counted(report.rows, "row", "rows") +
              " x " + std::to_string(report.dimensions) + " float32, " + counted(report.jobs, "job", "jobs") + ", " +
              counted(report.chunks, "chunk", "chunks") + ".");
    if (report.recorded) {
        const manifest& recorded = *report.recorded;
        out.print("Its manifest says: model " +
                  printable(recorded.model.empty() ? "of a specification" : recorded.model) + ", service " +
                  printable(recorded.service) + ", written by " + printable(recorded.written_by) + ", ended " +
                  printable(recorded.ended_at) + ".");
    }
    if (report.rows_copied + report.rows_cached + report.rows_failed > 0) {
        const std::string of_cached =
            report.rows_copied_from_cached == 0
                ? std::string()
                : " (" + grouped(report.rows_copied_from_cached) + " of them from rows of the cache)";
        out.print("Receipts cover " + grouped(report.rows_in_receipts) + " of " + grouped(report.rows) +
                  " rows. Of the others " + grouped(report.rows_copied) + " were copied from rows with the same text" +
                  of_cached + ", " + grouped(report.rows_cached) + " came from the cache, " +
                  grouped(report.rows_failed) + " failed.");
    }
    if (report.rows_refused > 0) {
        out.print(
            "Of those that failed " + grouped(report.rows_refused) +
            " were refused by the run: a check of what the service sent for them failed; failed.jsonl says which.");
    }
    out.print(pins_line(about, report));
    out.print(about.service.empty() ? "The service was not asked: all of this can be repeated without a network."
                                    : "The service was asked too: " + printable(about.service) + ".");
    out.print("");
    out.print("Each check: what came of it, its name, what it rests on; then how many, and what that shows. Rests on:");
    out.print("  recorded   what vembed noted in this folder when it wrote it");
    out.print("  specified  the service's documentation        implied  follows from that documentation");
    out.print("  assumed:S  scheme S, which gives this folder's own values; the service does not document it");
    out.print(std::string("  pinned:S   scheme S, which the account's receipts followed before") +
              (report.pins_from == pins_origin::manifest ? ", as the folder's own manifest says" : ""));
    out.print("");
}

void print_end(console& out, const page_context& about, const folder_report& report,
               const overall_judgement& judgement) {
    out.print("");
    if (about.unfinished) {
        out.print("The run is unfinished: run the same `vembed embed` again.");
    }
    out.print("Result: " + judgement.text() + ".");
    const std::uint64_t others = report.chunks - report.chunks_sampled;
    out.print("The service says that it re-executed " + grouped(report.chunks_sampled) + " of " +
              counted(report.chunks, "chunk", "chunks") + " (its sample). For the other " + grouped(others) +
              " a matching hash shows that the rows are the committed ones; nothing shows how they were computed.");
    out.print(origin_line);
}

}  // namespace

void print_verification(console& out, const page_context& about, const folder_report& report,
                        const overall_judgement& judgement, exit_code code) {
    if (out.json()) {
        for (const check_tally& check : report.checks) {
            if (check.spoken_of()) {
                out.print_object("check", check_object(check));
            }
        }
        out.print_object("verification", summary_object(about, report, judgement, code));
        return;
    }
    print_head(out, about, report);
    for (const check_tally& check : report.checks) {
        if (check.spoken_of()) {
            print_check(out, check);
        }
    }
    print_end(out, about, report, judgement);
}

}  // namespace vembed::cli
