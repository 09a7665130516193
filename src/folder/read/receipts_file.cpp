#include "folder/read/receipts_file.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "core/row_ranges.hpp"
#include "cyberian/wire/codec.hpp"
#include "folder/read/folder_lines.hpp"
#include "text/json/json_fields.hpp"
#include "text/json/readable_json.hpp"

namespace vembed::folder {
namespace {

namespace json = boost::json;

/// Walks over JSON text without building it. Positions beyond the end are never read.
class json_walker {
public:
    explicit json_walker(std::string_view text) : text_(text) {}

    [[nodiscard]] std::size_t at() const noexcept { return at_; }

    void skip_space() {
        while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) {
            ++at_;
        }
    }

    bool take(char c) {
        skip_space();
        const bool there = at_ < text_.size() && text_[at_] == c;
        at_ += there ? 1 : 0;
        return there;
    }

    bool skip_string() {
        if (!take('"')) {
            return false;
        }
        for (; at_ < text_.size(); ++at_) {
            if (text_[at_] == '\\') {
                ++at_;
            } else if (text_[at_] == '"') {
                ++at_;
                return true;
            }
        }
        return false;
    }

    /// Skips a value of any kind, up to the comma or bracket that follows it.
    bool skip_value() {
        skip_space();
        std::size_t depth = 0;
        for (const std::size_t begin = at_; at_ < text_.size();) {
            const char c = text_[at_];
            if (c == '"') {
                if (!skip_string()) {
                    return false;
                }
                continue;
            }
            if (c == '{' || c == '[') {
                ++depth;
            } else if (depth == 0 && (c == ',' || c == '}' || c == ']')) {
                return at_ > begin;
            } else if (c == '}' || c == ']') {
                --depth;
            }
            ++at_;
        }
        return false;
    }

private:
    std::string_view text_;
    std::size_t at_ = 0;
};

error damaged(std::uint64_t number, const std::string& what) {
    return {errc::verification_failed, "receipts.jsonl:" + std::to_string(number) + ": " + what};
}

std::optional<std::uint64_t> row_number(const json::value& from) {
    constexpr std::uint64_t rows_max = std::uint64_t{1} << 48;
    const auto number = text::number_of(from);
    return number && *number <= rows_max ? number : std::nullopt;
}

std::optional<row_ranges> read_rows(const json::value* from) {
    if (from == nullptr || !from->is_array()) {
        return std::nullopt;
    }
    row_ranges rows;
    for (const json::value& range : from->get_array()) {
        if (!range.is_array() || range.get_array().size() != 2) {
            return std::nullopt;
        }
        const auto first = row_number(range.get_array()[0]);
        const auto end = row_number(range.get_array()[1]);
        // Ranges must be in the order of the corpus, because a job takes its rows in that order.
        if (!first || !end || *first >= *end || (!rows.empty() && *first < rows.back().second)) {
            return std::nullopt;
        }
        rows.emplace_back(*first, *end);
    }
    return rows.empty() ? std::nullopt : std::optional(std::move(rows));
}

/// Reads one of the service's responses if the line has it.
template <class T>
std::optional<T> stored_response(proven_job& job, std::string_view key, std::string_view text) {
    if (text.empty()) {
        return std::nullopt;
    }
    result<T> value = cyberian::read_response<T>(text);
    if (!value) {
        job.objections.push_back(std::string(key) + ": " + value.error().message);
        return std::nullopt;
    }
    return std::optional<T>(std::move(*value));
}

/// The text of a response; empty if the line has none or null. If it is a string, the response was not JSON for the
/// vembed that wrote the line (for example because of a byte order mark): then the string's content is the response.
std::string response_text(std::string_view line, std::string_view key) {
    const std::string_view text = member_text(line, key).value_or(std::string_view());
    if (text.starts_with('"')) {
        boost::system::error_code error;
        const json::value decoded = json::parse(text, error);
        if (!error && decoded.is_string()) {
            return std::string(decoded.get_string());
        }
    }
    return std::string(text == "null" ? std::string_view() : text);
}

void read_responses(proven_job& job, std::string_view line) {
    job.receipt_text = response_text(line, "receipt");
    job.results = stored_response<job_results>(job, "results", response_text(line, "results"));
    job.receipt = stored_response<receipt>(job, "receipt", job.receipt_text);
    job.verification = stored_response<receipt_verification>(job, "verification", response_text(line, "verification"));
}

}  // namespace

std::uint64_t proven_job::row_count() const noexcept {
    return core::rows_in(rows);
}

row_ranges proven_job::corpus_rows(std::uint64_t first, std::uint64_t end) const {
    row_ranges out;
    std::uint64_t before = 0;  // The number of inputs in the ranges so far.
    for (const auto& [range_first, range_end] : rows) {
        const std::uint64_t size = range_end - range_first;
        const std::uint64_t from = std::max(first, before);
        const std::uint64_t to = std::min(end, before + size);
        if (from < to) {
            out.emplace_back(range_first + (from - before), range_first + (to - before));
        }
        before += size;
    }
    return out;
}

std::optional<std::string_view> member_text(std::string_view object, std::string_view key) {
    json_walker walker(object);
    if (!walker.take('{')) {
        return std::nullopt;
    }
    const std::string quoted = '"' + std::string(key) + '"';
    do {
        walker.skip_space();
        const std::size_t key_begin = walker.at();
        if (!walker.skip_string()) {
            return std::nullopt;
        }
        const bool found = object.substr(key_begin, walker.at() - key_begin) == quoted;
        if (!walker.take(':')) {
            return std::nullopt;
        }
        walker.skip_space();
        const std::size_t begin = walker.at();
        if (!walker.skip_value()) {
            return std::nullopt;
        }
        if (found) {
            std::string_view text = object.substr(begin, walker.at() - begin);
            while (text.ends_with(' ') || text.ends_with('\t')) {
                text.remove_suffix(1);
            }
            return text;
        }
    } while (walker.take(','));
    return std::nullopt;
}

result<proven_job> read_proven_job(std::string_view line, std::uint64_t number) {
    boost::system::error_code error;
    json::parse_options options;
    options.max_depth = text::json_depth_max + 16;  // The service's responses are nested some levels deep in the line.
    // The line has the service's responses unchanged, so it is made readable first.
    const json::value parsed = json::parse(text::readable_json(line), error, {}, options);
    if (error || !parsed.is_object()) {
        return damaged(number, "not a JSON object");
    }
    const json::object& object = parsed.get_object();
    proven_job job;
    job.line = number;
    const json::value* id = object.if_contains("job_id");
    const json::value* hash = object.if_contains("output_sha256");
    auto rows = read_rows(object.if_contains("rows"));
    if (id == nullptr || !id->is_string() || !rows) {
        return damaged(number, "job_id or rows are missing or malformed");
    }
    job.job_id = std::string(id->get_string());
    job.rows = std::move(*rows);
    if (hash != nullptr && hash->is_string()) {
        job.output_sha256 = std::string(hash->get_string());
    }
    if (job.row_count() > job_rows_max) {
        return damaged(number, "more rows than a job can have");
    }
    read_responses(job, line);
    return job;
}

result<void> for_each_proven_job(const std::string& path, const std::function<result<void>(const proven_job&)>& see) {
    return for_each_line(path, [&see](std::string_view line, std::uint64_t number) -> result<void> {
        const auto job = read_proven_job(line, number);
        if (!job) {
            return job.error();
        }
        return job->objections.empty() ? see(*job) : result<void>(damaged(number, job->objections.front()));
    });
}

}  // namespace vembed::folder
