#include "corpus/survey.hpp"

#include <algorithm>
#include <utility>

#include "policy/input/input_rules.hpp"

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

result<corpus_survey> survey(row_source& source, const survey_options& options) {
    corpus_survey seen;
    for (;; ++seen.rows) {
        if (options.stop.stop_requested()) {
            return error(errc::cancelled, "interrupted while the corpus was read; nothing was submitted");
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

}  // namespace vembed::corpus
