// The fuzzer's entries over stored seeds and a few thousand changes of each: what a fuzzer found once stays found.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "fuzz/entries.hpp"
#include "support/repetitions.hpp"

namespace vembed::fuzz {
namespace {

constexpr std::uint64_t changes_a_seed = testing::repetitions(2'000, 4);

std::vector<std::string> seeds_of(const entry& which) {
    std::vector<std::filesystem::path> paths;
    for (const auto& file : std::filesystem::directory_iterator(VEMBED_FUZZ_SEEDS "/" + std::string(which.name))) {
        paths.push_back(file.path());
    }
    std::sort(paths.begin(), paths.end());
    std::vector<std::string> seeds;
    for (const auto& path : paths) {
        std::ifstream in(path, std::ios::binary);
        seeds.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    }
    return seeds;
}

std::string changed(std::string text, std::mt19937_64& draw) {
    for (std::uint64_t left = 1 + draw() % 4; left > 0; --left) {
        const std::size_t at = text.empty() ? 0 : draw() % text.size();
        switch (text.empty() ? 1 : draw() % 5) {
            case 0: text[at] = static_cast<char>(draw()); break;
            case 1: text.insert(at, 1, static_cast<char>(draw())); break;
            case 2: text.erase(at, 1 + draw() % 8); break;
            case 3: text.insert(at, text.substr(draw() % text.size(), draw() % 16)); break;
            default: text.resize(at); break;
        }
    }
    return text;
}

class fuzz_seeds : public ::testing::TestWithParam<entry> {};

TEST_P(fuzz_seeds, and_changes_of_them) {
    const std::vector<std::string> seeds = seeds_of(GetParam());
    ASSERT_GE(seeds.size(), 3U);
    std::mt19937_64 draw(1);
    for (const std::string& seed : seeds) {
        ASSERT_NO_THROW(GetParam().read(seed)) << seed;
        for (std::uint64_t i = 0; i < changes_a_seed; ++i) {
            const std::string input = changed(seed, draw);
            ASSERT_NO_THROW(GetParam().read(input)) << ::testing::PrintToString(input);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(of, fuzz_seeds, ::testing::ValuesIn(entries().begin(), entries().end()),
                         [](const auto& from) { return std::string(from.param.name); });

}  // namespace
}  // namespace vembed::fuzz
