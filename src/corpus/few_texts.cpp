#include "corpus/few_texts.hpp"

#include <utility>

#include "corpus/survey.hpp"

namespace vembed::corpus {

result<std::optional<std::vector<std::string>>> read_few_texts(row_source& source, std::size_t most) {
    std::vector<std::string> texts;
    for (;;) {
        auto row = source.next();
        if (!row) {
            return row.error();
        }
        if (!*row) {
            break;
        }
        source_row& found = **row;
        if (const std::string defect = defect_of(found); !defect.empty()) {
            return error(errc::bad_input, found.origin + ": " + defect + "; nothing was sent");
        }
        if (texts.size() == most) {
            return std::optional<std::vector<std::string>>();
        }
        texts.push_back(std::move(found.text));
    }
    if (texts.empty()) {
        return error(errc::invalid_argument, "there is no text");
    }
    return std::optional(std::move(texts));
}

}  // namespace vembed::corpus
