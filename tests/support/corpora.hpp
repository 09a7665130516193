#pragma once
/// Texts that all differ, and what the built-in model makes of them.

#include <string>
#include <vector>

#include <vembed/core/matrix.hpp>

#include "service/jobs/text_embedding.hpp"

namespace vembed::testing {

inline const std::string small_model = "bge-small-v1.5";

inline std::string corpus_text(std::size_t row) {
    return "row " + std::to_string(row) + " of a corpus about water, number " + std::to_string(row * 7919 % 104'729);
}

inline std::vector<std::string> corpus(std::size_t rows) {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < rows; ++i) {
        texts.push_back(corpus_text(i));
    }
    return texts;
}

/// The embeddings of the texts by bge-small-v1.5 (384 dimensions) if nothing goes wrong.
inline matrix embedded(const std::vector<std::string>& texts) {
    vembed::service::text_embedder model(384, 512);
    matrix rows(static_cast<Eigen::Index>(texts.size()), 384);
    for (std::size_t i = 0; i < texts.size(); ++i) {
        model.embed(texts[i], std::span<float>(rows.data() + i * 384, 384));
    }
    return rows;
}

}  // namespace vembed::testing
