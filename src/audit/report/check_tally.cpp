#include <vembed/audit/check_tally.hpp>

#include <algorithm>
#include <utility>

namespace vembed {
namespace {

// The names of the receipt checks are in offline_check_names.
constexpr std::string_view own_check_names[] = {
    "manifest",    "shape",       "files",       "row_root",     "row_hashes",    "row_values", "failed_rows",
    "copied_rows", "cached_rows", "job_outputs", "row_coverage", "receipts_file", "pins"};
constexpr std::string_view service_check_names[] = {"service_check", online_check};

std::string listed(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) {
        text += (text.empty() ? "" : ", ") + name;
    }
    return text;
}

}  // namespace

check_tally::check_tally(std::string_view check_name, std::string_view check_basis, std::string_view counted_unit,
                         std::string_view what_it_shows)
    : name(check_name), shows(what_it_shows), unit(counted_unit) {
    note_basis(check_basis);
}

void check_tally::fail(check_finding finding) {
    if (failed++ < findings_max) {
        findings.push_back(std::move(finding));
    }
}

void check_tally::leave(std::string_view why, std::uint64_t count) {
    not_checkable += count;
    if (reason.empty()) {
        reason = why;
    }
}

void check_tally::note_basis(std::string_view on) {
    if (!on.empty() && on != "none" && bases_.size() < bases_max && std::ranges::find(bases_, on) == bases_.end()) {
        bases_.emplace_back(on);
    }
}

std::string check_tally::basis() const {
    std::string text;
    for (const std::string& on : bases_) {
        text += (text.empty() ? "" : " and ") + on;
    }
    return text.empty() ? "none" : text;
}

check_verdict check_tally::verdict() const noexcept {
    if (failed > 0) {
        return check_verdict::failed;
    }
    if (all() == 0) {
        return none_is_fine ? check_verdict::verified : check_verdict::not_checkable;
    }
    return not_checkable > 0 ? check_verdict::not_checkable : check_verdict::verified;
}

std::string folder_judgement::text() const {
    switch (verdict) {
        case check_verdict::failed: return "failed: " + listed(failed);
        case check_verdict::not_checkable: return "not everything could be checked: " + listed(missing);
        case check_verdict::verified: break;
    }
    return "verified" + (open.empty() ? std::string() : "; could not be checked: " + listed(open));
}

std::vector<std::string> folder_check_names() {
    std::vector<std::string> names(std::begin(own_check_names), std::end(own_check_names));
    names.insert(names.end(), std::begin(offline_check_names), std::end(offline_check_names));
    names.insert(names.end(), std::begin(service_check_names), std::end(service_check_names));
    return names;
}

}  // namespace vembed
