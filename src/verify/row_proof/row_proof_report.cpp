#include <algorithm>

#include <vembed/verify/row_proof.hpp>

namespace vembed {
namespace {

std::string padded_cell(std::string text, std::size_t width) {
    text.resize(std::max(width, text.size()), ' ');
    return text;
}

void append(std::string& page, const row_proof_check& check) {
    page += padded_cell(std::string(to_string(check.verdict)), 13) + "  " + padded_cell(check.name, 24) + "  " +
            check.basis + "\n    " + check.reason + "\n";
}

}  // namespace

check_verdict row_proof_report::verdict() const {
    if (first_failed() != nullptr) {
        return check_verdict::failed;
    }
    const bool open = checks.empty() || std::ranges::any_of(checks, [](const row_proof_check& check) {
                          return check.required && check.verdict == check_verdict::not_checkable;
                      });
    return open ? check_verdict::not_checkable : check_verdict::verified;
}

const row_proof_check* row_proof_report::first_failed() const {
    const auto found = std::ranges::find(checks, check_verdict::failed, &row_proof_check::verdict);
    return found == checks.end() ? nullptr : &*found;
}

const row_proof_check* row_proof_report::find(std::string_view name) const {
    const auto found = std::ranges::find(checks, name, &row_proof_check::name);
    return found == checks.end() ? nullptr : &*found;
}

std::string row_proof_report::text() const {
    std::string page = subject.empty() ? "" : subject + "\n";
    const bool has_platform = find("receipt_form") != nullptr;
    for (const row_proof_check& check : checks) {
        if (check.name == "row_bytes") {
            page += "Part one, under the word of whoever published the row root: this text has this row.\n";
        }
        if (check.name == "receipt_form") {
            page += "Part two, under the word of the service's receipt: it commits to the chunk that holds the row.\n";
        }
        if (check.name != "origin") {
            append(page, check);
        }
    }
    if (!subject.empty() && !has_platform) {
        page += "Part two is not in this proof: nothing here shows that the row came from the service.\n";
    }
    page += sample.empty() ? "" : sample + "\n";
    page += "In all: ";
    if (const row_proof_check* bad = first_failed()) {
        page += "failed, " + bad->name + "\n";
    } else if (!verified()) {
        page += "not everything could be checked\n";
    } else {
        const row_proof_check* root = find("expected_root");
        const bool published = root != nullptr && root->verdict == check_verdict::verified;
        page += published ? "verified\n" : "verified, if its row root is the published one\n";
    }
    return page + std::string(origin_line) + "\n";
}

}  // namespace vembed
