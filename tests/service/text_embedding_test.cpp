#include "service/jobs/text_embedding.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <random>

#include <gtest/gtest.h>

namespace vembed::service {
namespace {

std::vector<float> embed(std::string_view text, std::uint32_t dimensions = 1024) {
    text_embedder embedder(dimensions, 512);
    std::vector<float> row(dimensions);
    embedder.embed(text, row);
    return row;
}

float dot(std::span<const float> a, std::span<const float> b) {
    float sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        sum += a[i] * b[i];
    }
    return sum;
}

TEST(text_embedding, has_length_one_for_any_bytes) {
    std::mt19937 random(1);
    text_embedder embedder(384, 512);
    std::vector<float> row(384);
    std::vector<std::string> texts{"",
                                   " ",
                                   "...",
                                   "a",
                                   "the",
                                   std::string(1, '\0'),
                                   std::string(70'000, 'x'),
                                   std::string(10'000, '-'),
                                   "\xc3\xa9t\xc3\xa9",
                                   "\xff\xfe"};
    for (int i = 0; i < 2000; ++i) {
        std::string text(random() % 40, ' ');
        std::generate(text.begin(), text.end(), [&] { return static_cast<char>(random()); });
        texts.push_back(std::move(text));
    }
    for (const std::string& text : texts) {
        embedder.embed(text, row);
        EXPECT_NEAR(dot(row, row), 1.0, 1e-4);
    }
}

TEST(text_embedding, depends_on_the_text_only) {
    text_embedder embedder(1024, 512);
    std::vector<float> first(1024);
    std::vector<float> again(1024);
    embedder.embed("a large body of salt water", first);
    embedder.embed("something else", again);
    embedder.embed("a large body of salt water", again);
    EXPECT_EQ(first, again);
    EXPECT_EQ(first, embed("A LARGE body of salt water!"));
    EXPECT_NE(first, embed("a large body of fresh water"));
}

TEST(text_embedding, finds_related_words_nearer_than_others) {
    EXPECT_GT(dot(embed("swimming in bodies of water"), embed("a body of water to swim in")), 0.6);
    EXPECT_LT(dot(embed("swimming in bodies of water"), embed("the theory of numbers")), 0.25);
}

TEST(text_embedding, reads_no_more_words_than_its_limit) {
    std::string text;
    for (int i = 0; i < 512; ++i) {
        text += "word" + std::to_string(i) + ' ';
    }
    EXPECT_EQ(embed(text), embed(text + "one more"));
}

TEST(word_stem, takes_common_suffixes_off) {
    std::string scratch;
    const std::pair<const char*, const char*> cases[] = {
        {"bodies", "body"}, {"flowing", "flow"},  {"running", "run"}, {"waters", "water"},
        {"boxed", "box"},   {"classes", "class"}, {"glass", "glass"}, {"is", "is"},
        {"bus", "bus"},     {"sea", "sea"},       {"sing", "sing"},
    };
    for (const auto& [word, stem] : cases) {
        EXPECT_EQ(word_stem(word, scratch), stem) << word;
    }
}

std::vector<std::string> wordnet_glosses() {
    std::vector<std::string> glosses;
    for (const char* part : {"noun", "verb", "adj", "adv"}) {
        std::ifstream in(std::string("/usr/share/wordnet/data.") + part);
        for (std::string line; std::getline(in, line);) {
            const std::size_t mark = line.find("| ");
            if (!line.starts_with("  ") && mark != std::string::npos) {
                glosses.push_back(line.substr(mark + 2));
            }
        }
    }
    return glosses;
}

TEST(text_embedding, finds_water_for_salt_water_among_all_of_wordnet) {
    const std::vector<std::string> glosses = wordnet_glosses();
    if (glosses.empty()) {
        GTEST_SKIP() << "wordnet-base is not installed";
    }
    ASSERT_EQ(glosses.size(), 117'659u);
    const std::vector<float> query = embed("a large body of salt water");
    text_embedder embedder(1024, 512);
    std::vector<float> row(1024);
    std::vector<std::pair<float, std::size_t>> nearest;
    for (std::size_t i = 0; i < glosses.size(); ++i) {
        embedder.embed(glosses[i], row);
        nearest.emplace_back(-dot(query, row), i);
    }
    std::partial_sort(nearest.begin(), nearest.begin() + 5, nearest.end());
    int about_water = 0;
    for (std::size_t i = 0; i < 5; ++i) {
        const std::string& gloss = glosses[nearest[i].second];
        const bool water = gloss.find("water") != std::string::npos || gloss.find("sea") != std::string::npos ||
                           gloss.find("ocean") != std::string::npos;
        about_water += water ? 1 : 0;
    }
    EXPECT_GE(about_water, 3);
}

}  // namespace
}  // namespace vembed::service
