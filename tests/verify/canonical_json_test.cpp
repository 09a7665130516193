#include <vembed/verify/canonical_json.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <map>
#include <random>
#include <sstream>

#include <gtest/gtest.h>
#include <vembed/verify/sha256.hpp>

#include "support/vectors.hpp"
#include "verify/json/ecma_number.hpp"

namespace vembed {
namespace {

namespace fs = std::filesystem;
using testing_support::read_file;
using testing_support::vector_path;

struct accepted_case {
    std::string_view text;
    std::string_view canonical;
};

TEST(canonical_json, table) {
    for (const auto& c : {
             accepted_case{" { } ", "{}"},
             accepted_case{"[ ]\n", "[]"},
             accepted_case{"null", "null"},
             accepted_case{"[true , false,null]", "[true,false,null]"},
             accepted_case{R"({"b":1,"a":2})", R"({"a":2,"b":1})"},
             accepted_case{R"({"b":{"d":[{"z":1,"y":2}],"c":3},"a":[]})",
                           R"({"a":[],"b":{"c":3,"d":[{"y":2,"z":1}]}})"},
             accepted_case{R"({"aa":1,"a":2,"":3})", R"({"":3,"a":2,"aa":1})"},
             accepted_case{R"("\u0041\/\u000f\u007f\b\f\n\r\t\"\\")", "\"A/\\u000f\x7f\\b\\f\\n\\r\\t\\\"\\\\\""},
             accepted_case{R"("\ud83d\ude00\u20ac")", "\"\xf0\x9f\x98\x80\xe2\x82\xac\""},
             // U+1F600 is D83D DE00 in UTF-16, so it comes before U+FB33, and U+E000 after it.
             accepted_case{R"({"\ufb33":1,"\ud83d\ude00":2,"\ue000":3,"\ud7ff":4})",
                           "{\"\xed\x9f\xbf\":4,\"\xf0\x9f\x98\x80\":2,\"\xee\x80\x80\":3,\"\xef\xac\xb3\":1}"},
             accepted_case{R"({"a\u0000b":1,"a":2})", R"({"a":2,"a\u0000b":1})"},
             accepted_case{"[0,-0,0.0,-0e10,1.0,10e-1]", "[0,0,0,0,1,1]"},
             accepted_case{"[1e21,1e20,123456789012345678901,1E400e]", ""},
             accepted_case{"[1e21,1e20,999999999999999900000]", "[1e+21,100000000000000000000,999999999999999900000]"},
             accepted_case{"[0.000001,0.0000001,-1.5e-9]", "[0.000001,1e-7,-1.5e-9]"},
             accepted_case{"[9007199254740992,18446744073709551616,18446744073709552000,-9223372036854775808,-0]",
                           "[9007199254740992,18446744073709552000,18446744073709552000,-9223372036854776000,0]"},
             accepted_case{"[1000000000000000000000,-12000000000000000000000]", "[1e+21,-1.2e+22]"},
             accepted_case{"[333333333.33333329,9007199254740993.0]", "[333333333.3333333,9007199254740992]"},
             accepted_case{"[5e-324,1.7976931348623157e308,2.2250738585072014e-308]",
                           "[5e-324,1.7976931348623157e+308,2.2250738585072014e-308]"},
         }) {
        const auto canonical = canonical_json(c.text);
        if (c.canonical.empty()) {
            EXPECT_FALSE(canonical) << c.text;
            continue;
        }
        ASSERT_TRUE(canonical) << c.text << ": " << canonical.error().message;
        EXPECT_EQ(*canonical, c.canonical);
        EXPECT_EQ(canonical_json(*canonical).value(), c.canonical);
    }
}

constexpr std::string_view no_canonical_form[] = {
    "",
    " ",
    "{",
    "[1,",
    "[1]]",
    "{} {}",
    "null x",
    "nul",
    "'a'",
    "{a:1}",
    "[1,]",
    "{\"a\":1,}",
    "// c\n1",
    "/* c */1",
    "\xef\xbb\xbf{}",  // Not JSON.
    "01",
    "1.",
    ".5",
    "+1",
    "-",
    "1e",
    "0x10",
    "NaN",
    "Infinity",
    "-Infinity",
    "1e309",
    "-1e309",
    "1e400",
    "1e99999999999999999999",
    "1e-400",
    "1e-99999999999999999999",
    "-2e-324",
    "9007199254740993",  // Integers that would hash like another one.
    "-9007199254740993",
    "18446744073709551615",
    "9223372036854775807",
    "1000000000000000000001",
    "9999999999999999999999",
    R"({"a":1,"a":1})",
    R"({"a":1,"b":2,"\u0061":3})",
    R"([{"x":{"k":1,"j":2,"k":3}}])",
    R"("\ud800")",
    R"("\udc00")",
    R"("\ud800\u0041")",
    R"("\ud83d\ud83d")",
    R"({"\udfff":1})",
    R"("\u12g4")",
    R"("\x41")",
    "\"a\nb\"",
    "\"\x01\"",
    "\"abc",
    "\"\x80\"",
    "\"\xc0\x80\"",
    "\"\xe0\x80\x80\"",
    "\"\xed\xa0\x80\"",
    "\"\xf4\x90\x80\x80\"",
    "\"\xff\"",
    "\"\xe2\x82\"",
    "{\"\xed\xbf\xbf\":1}",
};

TEST(canonical_json, refuses_what_has_no_canonical_form) {
    for (const std::string_view text : no_canonical_form) {
        const auto canonical = canonical_json(text);
        ASSERT_FALSE(canonical) << text << " gave " << *canonical;
        EXPECT_EQ(canonical.error().kind, errc::protocol) << text;
        EXPECT_FALSE(canonical.error().message.empty());
    }
    EXPECT_FALSE(canonical_json(std::string_view("1\0", 2)));
}

TEST(canonical_json, says_what_is_wrong) {
    const auto message = [](std::string_view text) { return canonical_json(text).error().message; };
    EXPECT_NE(message(R"({"a":1,"a":2})").find("same key twice"), std::string::npos);
    EXPECT_NE(message("[1e999]").find("range of a double"), std::string::npos);
    EXPECT_NE(message("[] []").find("follows"), std::string::npos);
}

TEST(canonical_json, bounds_the_depth) {
    const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
    EXPECT_EQ(canonical_json(nested(canonical_json_depth_max)).value(), nested(canonical_json_depth_max));
    EXPECT_FALSE(canonical_json(nested(canonical_json_depth_max + 1)));
    EXPECT_FALSE(canonical_json(std::string(1'000'000, '[')));
    std::string objects;
    for (std::size_t i = 0; i <= canonical_json_depth_max; ++i) {
        objects += "{\"a\":";
    }
    EXPECT_FALSE(canonical_json(objects));
}

TEST(canonical_json, leaves_out_one_member_of_the_top_level) {
    const auto without = [](std::string_view text) { return canonical_json_without(text, "h"); };
    EXPECT_EQ(without(R"({"h":"x","b":{"h":1},"a":2})").value(), R"({"a":2,"b":{"h":1}})");
    EXPECT_EQ(without(R"({"a":1,"h":[1,{"h":2}],"z":3})").value(), R"({"a":1,"z":3})");
    EXPECT_EQ(without(R"({"a":1,"\u0068":0})").value(), R"({"a":1})");
    EXPECT_EQ(without(R"({"h":1})").value(), "{}");
    EXPECT_EQ(without(R"({"b":1,"a":2})").value(), R"({"a":2,"b":1})");
    EXPECT_EQ(without("{}").value(), "{}");
    EXPECT_EQ(canonical_json_without(R"({"":1,"a":2})", "").value(), R"({"a":2})");
    for (const std::string_view text : {R"(["h"])", "1", "null", R"("h")", R"({"h":1,"h":2})", R"({"h":1e999})"}) {
        EXPECT_FALSE(without(text)) << text;
    }
}

TEST(canonical_json, order_of_members_does_not_matter) {
    std::mt19937 random(1);
    std::vector<std::string> members;
    for (int i = 0; i < 300; ++i) {
        members.push_back("\"k" + std::to_string(i) + "\":{\"b\":" + std::to_string(i) + ",\"a\":\"x\"}");
    }
    std::string first;
    for (int round = 0; round < 20; ++round) {
        std::shuffle(members.begin(), members.end(), random);
        std::string text = "{";
        for (const auto& m : members) {
            text += (text.size() > 1 ? "," : "") + m;
        }
        const std::string canonical = canonical_json(text + "}").value();
        if (first.empty()) {
            first = canonical;
        }
        ASSERT_EQ(canonical, first);
    }
}

std::string ecma(double value) {
    std::string text;
    verify::append_ecma_number(text, value);
    return text;
}

TEST(canonical_json, numbers_of_17_digits_are_rounded_correctly) {
    std::mt19937_64 random(1);
    for (int i = 0; i < 100'000; ++i) {
        const auto value = std::bit_cast<double>(random());
        if (!std::isfinite(value)) {
            continue;
        }
        std::array<char, 64> text{};
        std::snprintf(text.data(), text.size(), "%.17g", value);
        ASSERT_EQ(canonical_json(text.data()).value(), ecma(value)) << text.data();
        ASSERT_EQ(canonical_json(ecma(value)).value(), ecma(value));
    }
}

TEST(canonical_json, agrees_with_the_shared_texts) {
    VEMBED_NEEDS_VECTORS("jcs/testdata");
    int cases = 0;
    for (const auto& entry : fs::directory_iterator(vector_path("jcs/testdata/input"))) {
        const auto name = entry.path().stem().string();
        const auto canonical = canonical_json(read_file(entry.path()));
        ASSERT_TRUE(canonical) << name << ": " << canonical.error().message;
        EXPECT_EQ(*canonical, read_file(vector_path("jcs/testdata/output/" + name + ".json")));
        std::istringstream hex(read_file(vector_path("jcs/testdata/outhex/" + name + ".txt")));
        std::string expected;
        for (std::string byte; hex >> byte;) {
            expected += static_cast<char>(std::stoi(byte, nullptr, 16));
        }
        EXPECT_EQ(*canonical, expected) << name;
        ++cases;
    }
    EXPECT_GE(cases, 6);
}

// The number sequence of RFC 8785, appendix B.
class number_sequence {
public:
    explicit number_sequence(const std::string& readme) {
        const auto list_end = readme.find("])");
        for (auto at = readme.find("0x", readme.find("staticU64s")); at < list_end; at = readme.find("0x", at + 1)) {
            fixed_.push_back(std::stoull(readme.substr(at, 18), nullptr, 16));
        }
        for (std::uint64_t i = 0; i < 2000; ++i) {
            fixed_.push_back(0x0010'0000'0000'0000 + i);
        }
    }

    std::uint64_t next() {
        if (index_ < fixed_.size()) {
            return fixed_[index_++];
        }
        while (true) {
            if (used_ == block_.size()) {
                block_ = sha256_of(block_);
                used_ = 0;
            }
            std::uint64_t bits = 0;
            std::memcpy(&bits, block_.data() + used_, sizeof bits);
            used_ += sizeof bits;
            const auto value = std::bit_cast<double>(bits);
            if (value != 0 && std::isfinite(value)) {
                return bits;
            }
        }
    }

private:
    std::vector<std::uint64_t> fixed_;
    std::size_t index_ = 0;
    digest block_{};
    std::size_t used_ = block_.size();
};

// By number of lines: the rows "| <hash> | <lines> | <bytes> |" of the table.
std::map<std::size_t, std::string> expected_hashes(const std::string& readme) {
    std::map<std::size_t, std::string> hashes;
    std::istringstream lines(readme);
    for (std::string line; std::getline(lines, line);) {
        std::istringstream row(line);
        std::string bar;
        std::string hash;
        std::size_t count = 0;
        if (row >> bar >> hash >> bar >> count && digest_from_hex(hash)) {
            hashes[count] = hash;
        }
    }
    return hashes;
}

TEST(canonical_json, agrees_with_the_shared_number_sequence) {
    VEMBED_NEEDS_VECTORS("jcs/testdata/README.md");
    constexpr std::size_t lines_max = 1'000'000;
    const std::string readme = read_file(vector_path("jcs/testdata/README.md"));
    const auto hashes = expected_hashes(readme);
    ASSERT_TRUE(hashes.contains(lines_max));
    number_sequence sequence(readme);
    std::string text;
    for (std::size_t line = 1; line <= lines_max; ++line) {
        const std::uint64_t bits = sequence.next();
        std::array<char, 16> hex{};
        text.append(hex.data(), std::to_chars(hex.data(), hex.data() + hex.size(), bits, 16).ptr);
        text += ',';
        verify::append_ecma_number(text, std::bit_cast<double>(bits));
        text += '\n';
        if (hashes.contains(line)) {
            ASSERT_EQ(to_hex(sha256_of(text)), hashes.at(line)) << "the first " << line << " numbers";
        }
    }
}

}  // namespace
}  // namespace vembed
