#pragma once
/// The built-in embedding model: signed feature hashing of words and of the character 3- to 5-grams within them, scaled
/// to length 1. It knows no meaning, but texts that share words or word stems are near each other.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vembed::service {

/// Embeds texts into rows of a fixed number of dimensions. The same text always gives the same bytes: sums are of
/// integers, and the one square root and the division per value are exact by IEEE 754.
///
/// It keeps scratch space, so only one thread may use it at a time.
class text_embedder {
public:
    /// `dimensions` > 0; words beyond the first `words_max` are not read, as with a model's token limit.
    text_embedder(std::uint32_t dimensions, std::uint32_t words_max);

    /// Writes the embedding of `text` (any bytes) into `row`, whose size is dimensions(). Never all zero.
    void embed(std::string_view text, std::span<float> row);

    [[nodiscard]] std::uint32_t dimensions() const noexcept { return static_cast<std::uint32_t>(sums_.size()); }

private:
    void add_feature(std::uint64_t hash, std::int32_t weight) noexcept;
    void read_word(std::string_view& text);
    void add_word(std::string_view word) noexcept;
    void add_grams(std::string_view word, std::int32_t weight) noexcept;

    std::vector<std::int32_t> sums_;
    std::string word_;  // The word being read, in lower case.
    std::string stem_;
    std::uint32_t words_max_;
};

/// The weight of a word by how much it says about a text: 0 if it says nothing.
std::int32_t word_weight(std::string_view lower_case_word) noexcept;

/// The word without a common English suffix ("bodies" → "body", "flowing" → "flow"); the rules are kept simple. The
/// result refers to `scratch` or to `word`.
std::string_view word_stem(std::string_view word, std::string& scratch);

}  // namespace vembed::service
