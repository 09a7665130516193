#include <vembed/audit/verify_folder.hpp>

#include <algorithm>
#include <string_view>
#include <utility>

#include "text/text_format.hpp"

namespace vembed {
namespace {

void add_line(std::string& out, std::string_view line) {
    out.append(line).append(1, '\n');
}

std::string padded(std::string_view text, std::size_t width) {
    std::string out(text);
    out.resize(std::max(width, out.size()), ' ');
    return out;
}

void add_check(std::string& out, const check_tally& check) {
    const check_verdict verdict = check.verdict();
    const bool none = check.all() == 0 && check.none_is_fine;
    add_line(out, padded(none ? "none" : to_string(verdict), 13) + "  " + padded(check.name, 24) + "  " +
                      text::printable(check.basis()));
    std::string line = "    " + text::grouped(check.verified) + " of " + text::grouped(check.all()) + " " + check.unit +
                       ": " + text::printable(check.shows);
    add_line(out, line);
    if ((none || verdict != check_verdict::verified) && !check.reason.empty()) {
        add_line(out, "    " +
                          (check.not_checkable > 0 ? text::grouped(check.not_checkable) + " not checkable: "
                                                   : std::string()) +
                          text::printable(check.reason));
    }
    for (const check_finding& finding : check.findings) {
        add_line(out, "    ! " + text::printable(finding.what) +
                          (finding.row_id.empty() ? std::string()
                                                  : " [row " + std::to_string(*finding.row) + " has id " +
                                                        text::printable(finding.row_id) + "]"));
    }
    const std::uint64_t shown = check.findings.size();
    if (check.failed > shown && shown == check_tally::findings_max) {
        add_line(out, "    ! … " + text::grouped(check.failed) + " in all");
    }
}

std::string pins_line(const folder_report& report) {
    const std::string account = report.recorded ? text::printable(report.recorded->account_id) : std::string();
    switch (report.pins_from) {
        case pins_origin::known:
            return "Schemes of account " + account + " as known before: " + text::printable(report.known_from) + ".";
        case pins_origin::manifest:
            return "Schemes of account " + account + " as the folder's own manifest says; nothing else is known of it.";
        case pins_origin::none: break;
    }
    return "Nothing is known of the account's schemes: its receipts here are compared with each other.";
}

void add_head(std::string& out, const folder_report& report) {
    add_line(out, "Folder " + text::printable(report.folder) + ": " +
                      (report.complete ? "a finished run, " : "an unfinished run, ") +
                      text::counted(report.rows, "row", "rows") + " x " + std::to_string(report.dimensions) +
                      " float32, " + text::counted(report.jobs, "job", "jobs") + ", " +
                      text::counted(report.chunks, "chunk", "chunks") + ".");
    if (report.recorded) {
        const recorded_run& recorded = *report.recorded;
        add_line(out, "Its manifest says: model " +
                          text::printable(recorded.model.empty() ? "of a specification" : recorded.model) +
                          ", service " + text::printable(recorded.service) + ", written by " +
                          text::printable(recorded.written_by) + ", ended " + text::printable(recorded.ended_at) + ".");
    }
    if (report.rows_copied + report.rows_cached + report.rows_failed > 0) {
        const std::string of_cached =
            report.rows_copied_from_cached == 0
                ? std::string()
                : " (" + text::grouped(report.rows_copied_from_cached) + " of them from rows of the cache)";
        add_line(out, "Receipts cover " + text::grouped(report.rows_in_receipts) + " of " + text::grouped(report.rows) +
                          " rows. Of the others " + text::grouped(report.rows_copied) +
                          " were copied from rows with the same text" + of_cached + ", " +
                          text::grouped(report.rows_cached) + " came from the cache, " +
                          text::grouped(report.rows_failed) + " failed.");
    }
    if (report.rows_refused > 0) {
        add_line(
            out,
            "Of those that failed " + text::grouped(report.rows_refused) +
                " were refused by the run: a check of what the service sent for them failed; failed.jsonl says which.");
    }
    add_line(out, pins_line(report));
    add_line(out, report.service_asked.empty()
                      ? "The service was not asked: all of this can be repeated without a network."
                      : "The service was asked too: " + text::printable(report.service_asked) + ".");
    add_line(out, "");
    add_line(out,
             "Each check: what came of it, its name, what it rests on; then how many, and what that shows. Rests on:");
    add_line(out, "  recorded   what vembed noted in this folder when it wrote it");
    add_line(out, "  specified  the service's documentation        implied  follows from that documentation");
    add_line(out, "  assumed:S  scheme S, which gives this folder's own values; the service does not document it");
    add_line(out, std::string("  pinned:S   scheme S, which the account's receipts followed before") +
                      (report.pins_from == pins_origin::manifest ? ", as the folder's own manifest says" : ""));
    add_line(out, "");
}

void add_end(std::string& out, const folder_report& report) {
    add_line(out, "");
    if (!report.complete) {
        add_line(out, "The run is unfinished: run the same `vembed embed` again.");
    }
    add_line(out, "Result: " + report.judgement.text() + ".");
    const std::uint64_t others = report.chunks - report.chunks_sampled;
    add_line(out,
             "The service says that it re-executed " + text::grouped(report.chunks_sampled) + " of " +
                 text::counted(report.chunks, "chunk", "chunks") + " (its sample). For the other " +
                 text::grouped(others) +
                 " a matching hash shows that the rows are the committed ones; nothing shows how they were computed.");
    add_line(out, origin_line);
}

}  // namespace

std::string_view to_string(pins_origin origin) noexcept {
    switch (origin) {
        case pins_origin::none: return "none";
        case pins_origin::manifest: return "manifest";
        case pins_origin::known: return "known";
    }
    return "none";
}

const check_tally* folder_report::find(std::string_view name) const {
    const auto found = std::ranges::find(checks, name, &check_tally::name);
    return found == checks.end() ? nullptr : &*found;
}

result<std::string> folder_report::learnable_account() const {
    if (judgement.verdict == check_verdict::failed) {
        return error(errc::verification_failed, "something failed");
    }
    if (!recorded || recorded->account_id.empty()) {
        return error(errc::bad_input, "the folder does not say which account its receipts are of");
    }
    return pins_key(recorded->service, recorded->account_id);
}

std::string folder_report::text() const {
    std::string out;
    add_head(out, *this);
    for (const check_tally& check : checks) {
        if (check.spoken_of()) {
            add_check(out, check);
        }
    }
    add_end(out, *this);
    return out;
}

}  // namespace vembed
