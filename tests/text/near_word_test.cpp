#include "text/near_word.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "text/words.hpp"

namespace vembed::text {
namespace {

TEST(near_word, table) {
    constexpr std::array<std::string_view, 5> words{"scale", "steps", "seed", "negative_prompt", "x"};
    using found = std::optional<std::string_view>;
    for (const auto& [word, wanted] : {
             std::pair("scal", found("scale")),
             std::pair("SCALE", found("scale")),
             std::pair("sclae", found()),  // Two exchanges of a word of five.
             std::pair("step", found("steps")),
             std::pair("sead", found("seed")),
             std::pair("seeds", found("seed")),
             std::pair("negativ_promt", found("negative_prompt")),
             std::pair("prompt", found()),
             std::pair("y", found("x")),
             std::pair("", found()),
         }) {
        EXPECT_EQ(nearest_word(word, words), wanted) << word;
    }
    EXPECT_EQ(nearest_word(std::string(65, 'a'), words), std::nullopt);
    EXPECT_EQ(nearest_word("scale", {}), std::nullopt);
}

TEST(words, of_headers) {
    for (const auto& [value, wanted] : {std::pair(" a b\t", "a b"), std::pair("", ""), std::pair(" \t ", "")}) {
        EXPECT_EQ(trimmed(value), wanted);
    }
    EXPECT_EQ(media_type(" Text/HTML ; charset=x"), "Text/HTML");
    EXPECT_EQ(media_type(";x"), "");
    EXPECT_EQ(lowered("AbZ\xc3\x84"), "abz\xc3\x84");
}

}  // namespace
}  // namespace vembed::text
