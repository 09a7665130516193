#include <exception>
#include <utility>

#include <vembed/corpus/source.hpp>

#include "core/thrown.hpp"

namespace vembed {

vector_source::vector_source(std::vector<std::string> texts) : texts_(std::move(texts)) {}

result<std::optional<source_row>> vector_source::next() {
    if (next_ == texts_.size()) {
        return std::optional<source_row>();
    }
    source_row row;
    row.text = std::move(texts_[next_++]);
    return std::optional<source_row>(std::move(row));
}

std::optional<std::uint64_t> vector_source::size_hint() const {
    return texts_.size();
}

generator_source::generator_source(std::function<std::optional<std::string>()> next_text)
    : next_text_(std::move(next_text)) {}

result<std::optional<source_row>> generator_source::next() {
    if (!next_text_) {
        return error(errc::invalid_argument, "the generator_source was made without a function");
    }
    std::optional<std::string> text;
    try {
        if (!ended_) {
            text = next_text_();
        }
    } catch (...) {
        return thrown_failure("the generator of texts");
    }
    if (!text) {
        ended_ = true;
        return std::optional<source_row>();
    }
    source_row row;
    row.text = std::move(*text);
    return std::optional<source_row>(std::move(row));
}

}  // namespace vembed
