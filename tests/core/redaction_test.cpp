#include "core/redaction.hpp"

#include <gtest/gtest.h>

namespace vembed {
namespace {

struct redaction_case {
    std::string_view text;
    std::string_view masked;
};

constexpr std::string_view id = "cyb_live_abc";  // 12 characters.
static_assert(id.size() == key_id_length);

TEST(redaction, keys_are_masked_in_texts) {
    for (const auto& [text, masked] : {
             redaction_case{"", ""},
             {"nothing to hide, cy_b, cyb", "nothing to hide, cy_b, cyb"},
             {"cyb_live_abcdefgh0123", "cyb_…"},
             {"the key cyb_live_abcdefgh0123 is unknown", "the key cyb_… is unknown"},
             {"(cyb_live_abcdefgh0123), 'cyb_short'", "(cyb_…), 'cyb_…'"},
             {"cyb_live_abcdefgh0123.", "cyb_…"},
             {"Xcyb_live_abcdefgh0123", "Xcyb_…"},
             {"one cyb_a two cyb_b", "one cyb_… two cyb_…"},
             {"cyb_", "cyb_…"},
             {R"(\u0063yb_live_abcdefgh0123)", "cyb_…"},
         }) {
        EXPECT_EQ(masked_keys(text), masked) << text;
    }
}

TEST(redaction, ids_of_keys_stay) {
    for (const std::string_view text :
         {"cyb_live_abc", "revoke cyb_live_abc now", "cyb_live_abc.", "cyb_live_abc: gone", "is it cyb_live_abc?",
          "cyb_live_abc!", "cyb_live_abc; no", "(cyb_live_abc)", "'cyb_live_abc'", "\"cyb_live_abc\"",
          "cyb_live_abc,cyb_live_abd"}) {
        EXPECT_EQ(masked_keys(text), text);
        EXPECT_EQ(masked_json(text), text);
    }
    for (const std::string_view text :
         {"cyb_live_ab", "cyb_live_abcd", "cyb_live_abc..", "cyb_live_abc.x", "cyb_live_abc/"}) {
        EXPECT_EQ(masked_keys(text), "cyb_…") << text << " has another length than an id";
    }
}

TEST(redaction, keys_are_masked_in_json_however_they_are_written) {
    for (const auto& [text, masked] : {
             redaction_case{R"({"m":"cyb_live_abcdefgh0123"})", R"({"m":"cyb_…"})"},
             {R"({"m":"\u0063yb_live_abcdefgh0123"})", R"({"m":"cyb_…"})"},
             {R"({"m":"\u0063\u0079\u0062\u005flive_abcdefgh0123"})", R"({"m":"cyb_…"})"},
             {R"({"m":"cyb_live\/abcdefgh0123 x"})", R"({"m":"cyb_… x"})"},
             {R"({"m":"cyb_live_abcdefgh\u0030123"})", R"({"m":"cyb_…"})"},
             {R"({"m":"the key \"cyb_live_abcdefgh0123\" is unknown"})", R"({"m":"the key \"cyb_…\" is unknown"})"},
             {R"({"m":"cyb_live_abcdefgh0123\nnext"})", R"({"m":"cyb_…\nnext"})"},
             {R"({"m":"cyb_live_abc\nnext"})", R"({"m":"cyb_live_abc\nnext"})"},
             {R"({"m":"\u0063yb_live_abc"})", R"({"m":"\u0063yb_live_abc"})"},
         }) {
        EXPECT_EQ(masked_json(text), masked) << text;
    }
}

TEST(redaction, what_was_masked_stays_as_it_is) {
    for (const std::string_view text : {"the key cyb_live_abcdefgh0123.", "cyb_", R"("\u0063yb_x")"}) {
        const std::string once = masked_keys(text);
        EXPECT_EQ(masked_keys(once), once);
        EXPECT_EQ(masked_json(once), once);
    }
}

TEST(redaction, only_the_length_tells_a_key_from_an_id) {
    EXPECT_FALSE(looks_like_key(id));
    EXPECT_TRUE(looks_like_key("cyb_live_abcd"));
    EXPECT_TRUE(looks_like_key("cyb_"));
    EXPECT_FALSE(looks_like_key("cyb"));
    EXPECT_FALSE(looks_like_key(""));
}

}  // namespace
}  // namespace vembed
