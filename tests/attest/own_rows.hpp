#pragma once
/// A caller's own texts and rows, as files.

#include <string>
#include <string_view>
#include <vector>

#include <vembed/attest/attest_corpus.hpp>
#include <vembed/core/matrix.hpp>

#include "support/corpora.hpp"
#include "support/scratch.hpp"

namespace vembed::testing {

inline std::string lines_of(const std::vector<std::string>& texts) {
    std::string lines;
    for (const std::string& text : texts) {
        lines += text + "\n";
    }
    return lines;
}

/// A file as numpy writes it.
inline std::string npy_of(const matrix& rows) {
    std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::to_string(rows.rows()) + ", " +
                         std::to_string(rows.cols()) + "), }";
    header.append(127 - 10 - header.size(), ' ').append("\n");
    std::string file = "\x93NUMPY";
    file.append({'\1', '\0', static_cast<char>(header.size()), '\0'}).append(header);
    return file.append(reinterpret_cast<const char*>(rows.data()),
                       static_cast<std::size_t>(rows.size()) * sizeof(float));
}

/// A folder with texts, rows that are true of them, and the options that name both.
class own_rows {
public:
    explicit own_rows(std::size_t rows = 25) : texts(corpus(rows)), values(embedded(texts)) { write(); }

    void write() const {
        static_cast<void>(folder.write("corpus.txt", lines_of(texts)));
        static_cast<void>(folder.write("mine.npy", npy_of(values)));
    }

    [[nodiscard]] attest_options options(std::uint64_t rows_per_chunk = 10) const {
        attest_options made;
        made.inputs = {folder.file("corpus.txt")};
        made.npy_file = folder.file("mine.npy");
        made.output_file = folder.file("receipts.jsonl");
        made.model = small_model;
        made.rows_per_chunk = rows_per_chunk;
        made.requests_in_flight = 1;
        return made;
    }

    scratch_folder folder;
    std::vector<std::string> texts;
    matrix values;
};

}  // namespace vembed::testing
