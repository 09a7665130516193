#include "cyberian/wire/json_text.hpp"

#include <random>

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace vembed::cyberian {
namespace {

std::string written(std::string_view text) {
    std::string out = "before";
    append_json_string(out, text);
    EXPECT_TRUE(out.starts_with("before\""));
    return out.substr(6);
}

std::string read_back(const std::string& json) {
    return std::string(boost::json::parse(json).as_string());
}

TEST(json_text, escapes_what_rfc_8259_asks_for_and_nothing_else) {
    for (int c = 0; c < 0x80; ++c) {
        const std::string text(1, static_cast<char>(c));
        std::string wanted;
        switch (c) {
            case '"': wanted = "\\\""; break;
            case '\\': wanted = "\\\\"; break;
            case '\b': wanted = "\\b"; break;
            case '\f': wanted = "\\f"; break;
            case '\n': wanted = "\\n"; break;
            case '\r': wanted = "\\r"; break;
            case '\t': wanted = "\\t"; break;
            default: {
                char escaped[8];
                std::snprintf(escaped, sizeof escaped, "\\u%04x", c);
                wanted = c < 0x20 ? escaped : text;
            }
        }
        EXPECT_EQ(written(text), '"' + wanted + '"') << c;
        EXPECT_EQ(read_back(written(text)), text) << c;
    }
    EXPECT_EQ(written("/\x7f"), "\"/\x7f\"") << "neither the slash nor DEL";
}

TEST(json_text, bytes_of_utf_8_pass_as_they_are) {
    for (int c = 0x80; c < 0x100; ++c) {
        const std::string text(1, static_cast<char>(c));
        EXPECT_EQ(written(text), '"' + text + '"') << c;
    }
    for (const char* text : {"é", "日本語", "\xf0\x9f\x98\x80", "\xe2\x80\xa8", "\xef\xbb\xbf"}) {
        EXPECT_EQ(written(text), '"' + std::string(text) + '"');
        EXPECT_EQ(read_back(written(text)), text);
    }
}

TEST(json_text, an_empty_text) {
    EXPECT_EQ(written(""), "\"\"");
}

// One special byte, everywhere around the borders of the blocks that are looked at together.
TEST(json_text, at_every_place_of_every_length) {
    for (const char special : {'"', '\\', '\0', '\x1f', '\n', '\x20', '\x21', '\x23', '\x5b', '\x5d', '\x7f'}) {
        for (std::size_t size = 1; size <= 50; ++size) {
            for (std::size_t at = 0; at < size; ++at) {
                std::string text(size, 'a');
                text[at] = special;
                const std::string json = written(text);
                ASSERT_EQ(read_back(json), text) << size << ' ' << at;
                ASSERT_EQ(json, boost::json::serialize(boost::json::value(text))) << size << ' ' << at;
            }
        }
    }
}

TEST(json_text, random_texts_come_back) {
    std::mt19937_64 random(3);
    for (int round = 0; round < 20'000; ++round) {
        std::string text(random() % 100, ' ');
        const std::uint64_t range = round % 2 == 0 ? 0x80 : 0x30;
        for (char& c : text) {
            c = static_cast<char>(random() % range);
        }
        if (round % 3 == 0) {
            text += "日本";
        }
        const std::string json = written(text);
        ASSERT_EQ(read_back(json), text);
        ASSERT_EQ(json.substr(1, json.size() - 2).find_first_of(std::string("\n\0", 2)), std::string::npos);
    }
}

TEST(json_text, a_text_next_to_the_end_of_its_memory_is_read_no_further) {
    for (std::size_t size = 0; size < 70; ++size) {
        const std::vector<char> exact(size, 'a');  // Sanitizers watch its end.
        ASSERT_EQ(written({exact.data(), exact.size()}).size(), size + 2);
    }
}

}  // namespace
}  // namespace vembed::cyberian
