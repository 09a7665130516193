#include "folder/write/output_lines.hpp"

#include <charconv>
#include <utility>

#include "core/redaction.hpp"
#include "core/row_ranges.hpp"
#include "text/json/json_text.hpp"

namespace vembed::folder {
namespace {

constexpr std::string_view batch_prefix = "{\"batch\":";
constexpr std::string_view job_key = ",\"job_id\":";
constexpr std::string_view rows_key = ",\"rows\":[";
constexpr std::string_view original_key = ",\"same_as\":";

// Appends half-open ranges: [[0,1000],[1200,1300]].
void append_ranges(std::string& line, std::span<const std::uint64_t> indices) {
    char before = '[';
    for (const auto& [from, to] : core::ranges_of(indices)) {
        line.append(1, before).append(1, '[').append(std::to_string(from)).append(1, ',');
        line.append(std::to_string(to)).append(1, ']');
        before = ',';
    }
    line += ']';
}

// Reads the ranges at the start of `text`, which begins behind the list's first bracket.
std::optional<row_ranges> leading_ranges(std::string_view text) {
    const std::size_t end = text.find("]]");
    if (end == std::string_view::npos || !text.starts_with('[')) {
        return std::nullopt;
    }
    std::string plain;  // The form is "0-1000,1200-1300".
    for (std::size_t at = 1; at < end; ++at) {
        const bool next_range = text.substr(at).starts_with("],[");
        plain += next_range ? ',' : (text[at] == ',' ? '-' : text[at]);
        at += next_range ? 2 : 0;
    }
    return core::ranges_from_text(plain);
}

}  // namespace

std::optional<std::uint64_t> leading_number(std::string_view line, std::string_view prefix) {
    if (!line.starts_with(prefix) || !line.ends_with('}')) {
        return std::nullopt;
    }
    std::uint64_t number = 0;
    const char* digits = line.data() + prefix.size();
    const auto [end, error] = std::from_chars(digits, line.data() + line.size(), number);
    const bool followed = error == std::errc() && (*end == ',' || *end == '}');
    return followed ? std::optional(number) : std::nullopt;
}

std::optional<std::uint64_t> original_of_copy_line(std::string_view line) {
    const std::size_t comma = line.find(',');
    return comma == std::string_view::npos ? std::nullopt : leading_number(line.substr(comma), original_key);
}

std::optional<std::string> job_of_receipt_line(std::string_view line) {
    if (!leading_number(line, batch_prefix)) {
        return std::nullopt;
    }
    const std::size_t comma = line.find(',');
    if (comma == std::string_view::npos || !line.substr(comma).starts_with(job_key)) {
        return std::nullopt;
    }
    const std::string_view rest = line.substr(comma + job_key.size());
    for (std::size_t i = 1; i < rest.size() && rest.front() == '"'; ++i) {
        if (rest[i] == '\\') {
            ++i;
        } else if (rest[i] == '"') {
            return std::string(rest.substr(0, i + 1));
        }
    }
    return std::nullopt;
}

std::optional<receipt_line> read_receipt_line(std::string_view line) {
    std::optional<std::string> job = job_of_receipt_line(line);
    if (!job) {
        return std::nullopt;
    }
    const std::string_view rest = line.substr(line.find(',') + job_key.size() + job->size());
    std::optional<row_ranges> rows;
    if (rest.starts_with(rows_key)) {
        rows = leading_ranges(rest.substr(rows_key.size()));
    }
    if (!rows) {
        return std::nullopt;
    }
    receipt_line read;
    read.job = std::move(*job);
    read.rows = std::move(*rows);
    return read;
}

void write_id_line(std::string& line, std::uint64_t index, const source_row& row) {
    line.assign(row_prefix).append(std::to_string(index));
    if (!row.id.empty()) {
        line += ",\"id\":";
        text::append_json_string(line, row.id);
    }
    if (row.line > 0) {
        line.append(",\"line\":").append(std::to_string(row.line));
    }
    line += '}';
}

void write_copy_line(std::string& line, std::uint64_t from, std::uint64_t to) {
    line.assign(row_prefix).append(std::to_string(to)).append(original_key).append(std::to_string(from)).append(1, '}');
}

void write_cached_line(std::string& line, std::span<const std::uint64_t> rows) {
    line.assign("{\"rows\":");
    append_ranges(line, rows);
    line += '}';
}

void write_receipt_line(std::string& line, const job_evidence& proof) {
    line.assign(batch_prefix).append(std::to_string(proof.batch)).append(job_key);
    text::append_json_string(line, proof.job_id);
    line += ",\"rows\":";
    append_ranges(line, proof.indices);
    line += ",\"output_sha256\":";
    text::append_json_string(line, proof.output_sha256);
    line += ",\"results\":";
    text::append_json_document(line, masked_json(proof.results_json));
    line += ",\"receipt\":";
    text::append_json_document(line, masked_json(proof.receipt_json));
    line += ",\"verification\":";
    text::append_json_document(line, masked_json(proof.verification_json));
    line += '}';
}

}  // namespace vembed::folder
