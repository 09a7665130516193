#include "cli/options/few_texts.hpp"

#include <utility>

#include <vembed/corpus/source.hpp>

#include "cli/terminal/input_interrupt.hpp"
#include "corpus/few_texts.hpp"
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
    auto texts = corpus::read_few_texts(**source, few_texts_max);
    if (!texts) {
        return texts.error();
    }
    if (!*texts) {
        return error(errc::invalid_argument, "there are more than " + std::to_string(few_texts_max) +
                                                 " texts, which do not go into one request: `vembed embed` makes as "
                                                 "many as it takes");
    }
    return std::move(**texts);
}

}  // namespace vembed::cli
