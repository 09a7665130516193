#pragma once
// What a corpus gives, row by row, until its end or an error.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <vembed/corpus/source.hpp>

#include "corpus/records/reading_rules.hpp"

namespace vembed::testing {

struct reading {
    std::vector<source_row> rows;
    std::optional<vembed::error> error;
};

inline reading read_all(const std::vector<std::string>& paths, const file_source_options& options = {},
                        std::uint32_t rules = corpus::latest_reading_rules) {
    reading out;
    auto source = corpus::open_files_by(rules, paths, options);
    if (!source) {
        out.error = source.error();
        return out;
    }
    for (;;) {
        auto row = (*source)->next();
        if (!row) {
            out.error = row.error();
            return out;
        }
        if (!*row) {
            return out;
        }
        out.rows.push_back(std::move(**row));
    }
}

}  // namespace vembed::testing
