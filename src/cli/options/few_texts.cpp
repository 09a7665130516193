#include "cli/options/few_texts.hpp"

#include <utility>

#include <vembed/corpus/source.hpp>

#include "cli/terminal/interrupts.hpp"
#include "corpus/survey.hpp"
#include "folder/spool.hpp"

namespace vembed::cli {

result<std::vector<std::string>> read_few_texts(const corpus_arguments& corpus) {
    const auto inputs = folder::resolve_inputs(corpus.inputs, input_interrupt());
    if (!inputs) {
        return inputs.error();
    }
    const auto source = open_files(inputs->files, corpus.format);
    if (!source) {
        return source.error();
    }
    std::vector<std::string> texts;
    for (;;) {
        auto row = (*source)->next();
        if (!row) {
            return row.error();
        }
        if (!*row) {
            break;
        }
        source_row& found = **row;
        if (const std::string defect = corpus::defect_of(found); !defect.empty()) {
            return error(errc::bad_input, found.origin + ": " + defect + "; nothing was sent");
        }
        if (texts.size() == few_texts_max) {
            return error(errc::invalid_argument, "there are more than " + std::to_string(few_texts_max) +
                                                     " texts, which do not go into one request: `vembed embed` "
                                                     "makes as many as it takes");
        }
        texts.push_back(std::move(found.text));
    }
    if (texts.empty()) {
        return error(errc::invalid_argument, "there is no text");
    }
    return texts;
}

}  // namespace vembed::cli
