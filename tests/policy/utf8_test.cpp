#include "text/utf8.hpp"

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace vembed::policy {
namespace {

constexpr std::size_t all = std::string::npos;

std::size_t valid_prefix(std::string_view text) {
    return text::first_invalid_utf8(text).value_or(all);
}

// The shortest encoding, also of surrogates and of values above U+10FFFF.
std::string encode(std::uint32_t c) {
    const auto tail = [c](int shift) { return static_cast<char>(0x80 | ((c >> shift) & 0x3f)); };
    if (c < 0x80) {
        return {static_cast<char>(c)};
    }
    if (c < 0x800) {
        return {static_cast<char>(0xc0 | (c >> 6)), tail(0)};
    }
    if (c < 0x10000) {
        return {static_cast<char>(0xe0 | (c >> 12)), tail(6), tail(0)};
    }
    return {static_cast<char>(0xf0 | (c >> 18)), tail(12), tail(6), tail(0)};
}

TEST(utf8, takes_every_scalar_value_and_no_other) {
    for (std::uint32_t c = 0; c < 0x200000; ++c) {
        const bool scalar = c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
        ASSERT_EQ(valid_prefix(encode(c)), scalar ? all : 0U) << std::hex << c;
    }
}

TEST(utf8, refuses_overlong_forms) {
    for (const std::string_view text : {"\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xf0\x80\x80\x80",
                                        "\xf0\x8f\xbf\xbf", "\xf8\x88\x80\x80\x80", "\xfe", "\xff"}) {
        EXPECT_EQ(valid_prefix(text), 0U);
    }
}

TEST(utf8, every_pair_of_bytes) {
    for (unsigned first = 0; first < 256; ++first) {
        for (unsigned second = 0; second < 256; ++second) {
            const std::string text{static_cast<char>(first), static_cast<char>(second)};
            std::size_t expected = all;
            if (first >= 0x80) {
                const bool sequence = first >= 0xc2 && first <= 0xdf && second >= 0x80 && second <= 0xbf;
                expected = sequence ? all : 0;
            } else if (second >= 0x80) {
                expected = 1;
            }
            ASSERT_EQ(valid_prefix(text), expected) << first << ' ' << second;
        }
    }
}

TEST(utf8, refuses_sequences_cut_off_anywhere) {
    for (const std::string_view whole : {"\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"}) {
        for (std::size_t size = 1; size < whole.size(); ++size) {
            const std::string cut(whole.substr(0, size));
            EXPECT_EQ(valid_prefix(cut), 0U);
            EXPECT_EQ(valid_prefix("ab" + cut), 2U);
            EXPECT_EQ(valid_prefix(cut + "abcdefghij"), 0U);
            EXPECT_EQ(valid_prefix(cut + std::string(whole)), 0U);
        }
    }
}

TEST(utf8, names_the_place_at_any_alignment) {
    for (std::size_t before = 0; before < 40; ++before) {
        for (std::size_t after = 0; after < 20; ++after) {
            const std::string ascii(before, 'x');
            const std::string rest(after, 'y');
            EXPECT_EQ(valid_prefix(ascii + "\xe2\x82\xac" + rest), all);
            EXPECT_EQ(valid_prefix(ascii + "\x80" + rest), before);
            EXPECT_EQ(valid_prefix(ascii + "\xc3\xa4\xed\xa0\x80" + rest), before + 2);
        }
    }
    EXPECT_EQ(valid_prefix(""), all);
    EXPECT_EQ(valid_prefix(std::string(100, '\0')), all);
}

}  // namespace
}  // namespace vembed::policy
