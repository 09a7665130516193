#include <algorithm>
#include <iterator>
#include <utility>

#include <vembed/verify/offline_check.hpp>

namespace vembed {
namespace {

constexpr std::size_t runs_shown_max = 20;

using name_parts = std::vector<std::string>;

name_parts parts_of(std::string_view name) {
    name_parts parts(1);
    for (const char c : name) {
        if (c == '/') {
            parts.emplace_back();
        } else {
            parts.back() += c;
        }
    }
    return parts;
}

// Joins the names into one that lists the alternatives of each part.
std::string joined(const std::vector<std::string>& names) {
    std::vector<std::vector<std::string>> alternatives;
    for (const std::string& name : names) {
        const name_parts parts = parts_of(name);
        alternatives.resize(std::max(alternatives.size(), parts.size()));
        for (std::size_t i = 0; i < parts.size(); ++i) {
            if (std::ranges::find(alternatives[i], parts[i]) == alternatives[i].end()) {
                alternatives[i].push_back(parts[i]);
            }
        }
    }
    std::string text;
    for (const auto& part : alternatives) {
        text += text.empty() ? "" : "/";
        for (std::size_t i = 0; i < part.size(); ++i) {
            text += (i == 0 ? "" : "|") + part[i];
        }
    }
    return text;
}

// Writes consecutive numbers as runs: "0-3, 7".
std::string runs_of(const std::vector<std::uint64_t>& numbers) {
    std::string text;
    std::size_t runs = 0;
    for (std::size_t i = 0; i < numbers.size(); ++runs) {
        std::size_t end = i + 1;
        while (end < numbers.size() && numbers[end] == numbers[end - 1] + 1) {
            ++end;
        }
        if (runs == runs_shown_max) {
            return text + " and " + std::to_string(numbers.size() - i) + " more";
        }
        text += (i == 0 ? "" : ", ") + std::to_string(numbers[i]);
        text += end - i > 1 ? "-" + std::to_string(numbers[end - 1]) : "";
        i = end;
    }
    return text.empty() ? "none" : text;
}

std::string padded(std::string text, std::size_t width) {
    text.resize(std::max(width, text.size()), ' ');
    return text;
}

}  // namespace

std::string_view to_string(check_verdict verdict) noexcept {
    switch (verdict) {
        case check_verdict::verified: return "verified";
        case check_verdict::failed: return "failed";
        case check_verdict::not_checkable: break;
    }
    return "not_checkable";
}

offline_check::offline_check(std::string_view check_name, check_verdict found, check_basis on, std::string why)
    : name(check_name), verdict(found), basis(on), reason(std::move(why)) {}

std::string offline_check::basis_text() const {
    switch (basis) {
        case check_basis::none: return "none";
        case check_basis::specified: return "specified";
        case check_basis::implied: return "implied";
        case check_basis::assumed: return "assumed:" + joined(schemes);
        case check_basis::pinned: return "pinned:" + joined(schemes);
    }
    return "none";
}

const offline_check* offline_report::first_failed() const {
    const auto found = std::ranges::find(checks, check_verdict::failed, &offline_check::verdict);
    return found == checks.end() ? nullptr : &*found;
}

const offline_check* offline_report::find(std::string_view name) const {
    const auto found = std::ranges::find(checks, name, &offline_check::name);
    return found == checks.end() ? nullptr : &*found;
}

std::vector<std::string> offline_report::not_verified(std::span<const std::string> required) const {
    std::vector<std::string> missing;
    std::ranges::copy_if(required, std::back_inserter(missing), [this](const std::string& name) {
        const offline_check* check = find(name);
        return check == nullptr || check->verdict != check_verdict::verified;
    });
    return missing;
}

std::string offline_report::text() const {
    std::string page;
    for (const offline_check& check : checks) {
        page += padded(std::string(to_string(check.verdict)), 13) + "  " + padded(check.name, 24) + "  " +
                check.basis_text() + "\n    " + check.reason + "\n";
    }
    page += "chunks that the service says it re-executed: " + runs_of(chunks_reexecuted) + "\n";
    page += "chunks that it did not re-execute: " + runs_of(chunks_not_reexecuted) + "\n";
    return page + std::string(origin_line) + "\n";
}

}  // namespace vembed
