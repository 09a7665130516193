#include "corpus/survey.hpp"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <system_error>
#include <utility>

#include "corpus/records/reading_rules.hpp"
#include "corpus/records/record_reader.hpp"
#include "policy/input/input_rules.hpp"
#include "text/utf8.hpp"

namespace vembed::corpus {
namespace {

constexpr std::uint64_t rows_between_progress = 1024;

}  // namespace

std::string defect_of(const source_row& row) {
    if (!row.defect.empty()) {
        return row.defect;
    }
    const std::optional<std::string> refused = policy::why_refused(row.text);
    return refused ? "the text " + *refused : std::string();
}

std::string place_of(const defective_row& row) {
    return row.id.empty() ? row.origin : row.origin + ", id \"" + row.id + "\"";
}

error reading_cancelled() {
    return {errc::cancelled, "interrupted while the corpus was read; nothing was submitted"};
}

result<corpus_survey> survey(row_source& source, const survey_options& options) {
    corpus_survey seen;
    for (;; ++seen.rows) {
        if (options.stop.stop_requested()) {
            return reading_cancelled();
        }
        if (options.on_progress && seen.rows % rows_between_progress == 0) {
            options.on_progress(seen.rows);
        }
        auto row = source.next();
        if (!row) {
            return row.error();
        }
        if (!*row) {
            return seen;
        }
        const source_row& found = **row;
        if (found.blank) {
            ++seen.blank;
            continue;
        }
        if (std::string defect = defect_of(found); !defect.empty()) {
            if (seen.defective++ < options.shown_max) {
                defective_row& shown = seen.defects.emplace_back();
                shown.row = seen.rows;
                shown.origin = found.origin;
                shown.id = found.id;
                shown.defect = std::move(defect);
            }
            continue;
        }
        seen.text_bytes += found.text.size();
        seen.longest_text = std::max<std::uint64_t>(seen.longest_text, found.text.size());
        if (options.see) {
            if (auto taken = options.see(seen.rows, found); !taken) {
                return taken.error();
            }
        }
    }
}

result<corpus_input> look_at_input(const std::string& file, const file_source_options& format, std::uint32_t rules) {
    auto records = open_records(file, format, rules);
    if (!records) {
        return records.error();
    }
    corpus_input seen;
    seen.file = file;
    seen.format = resolve_format(format.format, file);
    seen.reading_rules = rules;
    seen.older_rules = rules != latest_reading_rules;
    source_row row;
    for (std::uint32_t i = 0; i < corpus_input::rows_looked_at_max && !seen.first_text; ++i) {
        auto more = (*records)->next(row);
        if (!more) {
            return more.error();
        }
        if (!*more) {
            break;
        }
        seen.empty = false;
        if (defect_of(row).empty()) {
            seen.first_text = std::move(row.text);
        } else {
            seen.not_utf8 = seen.not_utf8 || text::first_invalid_utf8(row.text).has_value();
        }
    }
    return seen;
}

result<void> look_at_inputs(const std::vector<std::string>& files, const file_source_options& format,
                            std::uint32_t rules, const reading_callbacks& on) {
    for (const std::string& file : files) {
        const auto seen = look_at_input(file, format, rules);
        if (!seen) {
            return seen.error();
        }
        if (on.on_input) {
            on.on_input(*seen);
        }
    }
    return {};
}

survey_options watched_survey(const std::vector<std::string>& files, file_source_options& format,
                              const reading_callbacks& on) {
    survey_options options;
    if (!on.on_progress) {
        return options;
    }
    if (!format.bytes_read) {
        format.bytes_read = std::make_shared<std::atomic<std::uint64_t>>(0);
    }
    std::uint64_t total = 0;
    for (const std::string& file : files) {
        std::error_code unknown;
        const auto size = std::filesystem::file_size(file, unknown);
        total += unknown ? 0 : size;
    }
    options.on_progress = [on, total, read = format.bytes_read](std::uint64_t rows) {
        corpus_progress now;
        now.rows = rows;
        now.bytes = *read;
        now.bytes_total = total;
        on.on_progress(now);
    };
    return options;
}

}  // namespace vembed::corpus
