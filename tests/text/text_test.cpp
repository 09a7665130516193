// The small texts that files of a run are made of: JSON lines, row ranges and base64.

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "core/row_ranges.hpp"
#include "text/base64.hpp"
#include "text/json/json_text.hpp"

namespace vembed::text {
namespace {

std::string json_string(std::string_view text) {
    std::string out;
    append_json_string(out, text);
    return out;
}

TEST(json_text, strings_are_escaped) {
    using namespace std::string_view_literals;
    const std::vector<std::pair<std::string_view, std::string_view>> table{
        {"", R"("")"},
        {"plain", R"("plain")"},
        {"a\"b\\c/d", R"("a\"b\\c/d")"},
        {"\n\r\t\b\f\x01\x1f\x7f", R"("\n\r\t\u0008\u000c\u0001\u001f\u007f")"},
        {"\0"sv, R"("\u0000")"},
        {"é€😀", "\"é€😀\""},
        {"\xff", "\"\xef\xbf\xbd\""},
        {"\xc3", "\"\xef\xbf\xbd\""},
        {"\xc3(", "\"\xef\xbf\xbd(\""},
        {"\xe2\x82", "\"\xef\xbf\xbd\""},
        {"\xe2\x82x", "\"\xef\xbf\xbdx\""},
        {"\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
        {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
        {"\xf0\x9f\x98", "\"\xef\xbf\xbd\""},
        {"\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
    };
    for (const auto& [text, expected] : table) {
        EXPECT_EQ(json_string(text), expected);
        EXPECT_TRUE(is_json(json_string(text)));
    }
}

TEST(json_text, any_bytes_make_valid_json) {
    std::uint64_t state = 1;
    for (int round = 0; round < 20'000; ++round) {
        std::string text;
        for (int i = 0; i < 12; ++i) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            text += static_cast<char>(state >> 56);
        }
        ASSERT_TRUE(is_json(json_string(text)));
    }
}

TEST(json_text, documents_stay_as_written_on_one_line) {
    const auto document = [](std::string_view text) {
        std::string out;
        append_json_document(out, text);
        return out;
    };
    EXPECT_EQ(document(""), "null");
    EXPECT_EQ(document("{\"a\" : 1.50,\r\n \"b\":\"\\n\"}"), "{\"a\" : 1.50,   \"b\":\"\\n\"}");
    EXPECT_EQ(document("{\"a\""), "\"{\\\"a\\\"\"");
    EXPECT_EQ(document("1 2"), "\"1 2\"");
    EXPECT_EQ(document("a\nb"), "\"a\\nb\"");
    EXPECT_EQ(document("\xef\xbb\xbf{\"a\":1}"), "{\"a\":1}");
    EXPECT_EQ(document("\xef\xbb\xbf"), "null");
    EXPECT_EQ(document(R"({"a":"b\ud83d","\udc00":[]})"), R"({"a":"b\ud83d","\udc00":[]})") << "readers take it";
}

TEST(row_ranges, are_made_of_indices) {
    EXPECT_EQ(core::ranges_of({}), row_ranges());
    const std::vector<std::uint64_t> indices{0, 1, 2, 5, 7, 8};
    EXPECT_EQ(core::ranges_of(indices), (row_ranges{{0, 3}, {5, 6}, {7, 9}}));
}

TEST(row_ranges, go_through_text) {
    constexpr auto most = std::numeric_limits<std::uint64_t>::max();
    for (const row_ranges& ranges :
         {row_ranges{}, row_ranges{{0, 1}}, row_ranges{{0, 1000}, {2000, 2001}, {5, most}}}) {
        const bool good = core::is_well_formed(ranges);
        const auto back = core::ranges_from_text(core::to_text(ranges));
        EXPECT_EQ(back.has_value(), good);
        if (back) {
            EXPECT_EQ(*back, ranges);
        }
    }
    EXPECT_EQ(core::to_text({{0, 1000}, {2000, 2001}}), "0-1000,2000-2001");
}

TEST(row_ranges, other_texts_are_refused) {
    for (const char* text :
         {"-",       "1",       "1-",   "-1",   "1-1",  "2-1",  "0-1,", ",0-1",  "0-1,1-2",
          "0-2,1-3", "5-6,0-1", "00-1", "0-01", " 0-1", "0-1 ", "+0-1", "0-1-2", "0-99999999999999999999",
          "a-b",     "0-1,,2-3"}) {
        EXPECT_EQ(core::ranges_from_text(text), std::nullopt) << text;
    }
}

TEST(base64, each_value_has_one_text) {
    for (std::size_t size = 0; size < 40; ++size) {
        std::vector<std::byte> bytes(size, std::byte{0xfb});
        EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
    }
    EXPECT_EQ(to_base64(std::vector<std::byte>(2, std::byte{0xff})), "//8=");
    for (const char* bad :
         {"A",    "AA", "AAA",  "AAAAA",    "//9=",  "/x==",  "AA=A",   "====",         "=AAA",  "AA==AAAA", "AA\n=",
          "-_8=", " ",  "    ", "\n\n\n\n", " //8=", "//8= ", "//8=\n", "//8=\n\n\n\n", "//\n8", "AAA\n",    "AAA-"}) {
        EXPECT_FALSE(from_base64(bad)) << bad;
    }
    EXPECT_FALSE(from_base64(std::string_view("AA\0=", 4)));
    EXPECT_EQ(from_base64(std::string_view()), std::vector<std::byte>());
}

}  // namespace
}  // namespace vembed::text
