#include "policy/input/path_segment.hpp"

#include <gtest/gtest.h>

#include "support/vectors.hpp"

namespace vembed::policy {
namespace {

using testing_support::read_json;
using testing_support::vector_path;

TEST(path_segment, encodes_what_would_end_the_segment) {
    EXPECT_EQ(encode_path_segment("job_01HX-a.b~c").value(), "job_01HX-a.b~c");
    EXPECT_EQ(encode_path_segment("a/b?c#d e%f").value(), "a%2Fb%3Fc%23d%20e%25f");
    EXPECT_EQ(encode_path_segment("!$&'()*+,;=:@").value(), "!$&'()*+,;=:@");
    EXPECT_EQ(encode_path_segment("\"<>[]\\^`{|}").value(), "%22%3C%3E%5B%5D%5C%5E%60%7B%7C%7D");
    EXPECT_EQ(encode_path_segment("\xc3\xa4").value(), "%C3%A4");
    EXPECT_EQ(encode_path_segment("\xff").value(), "%FF");
}

TEST(path_segment, refuses_dot_segments_in_any_spelling) {
    for (const std::string_view id :
         {".", "..", "%2e", "%2E", "%2e.", ".%2E", "%2e%2e", "%2E%2e", "%2e%2E", "%2E%2E"}) {
        const auto encoded = encode_path_segment(id);
        ASSERT_FALSE(encoded) << id;
        EXPECT_EQ(encoded.error().kind, errc::invalid_argument) << id;
    }
    for (const std::string_view id : {"...", "%2e%2e%2e", ".a", "a.", "%2ea", "%252e", "%2", "%"}) {
        EXPECT_TRUE(encode_path_segment(id)) << id;
    }
}

TEST(path_segment, refuses_control_characters) {
    for (unsigned c = 0; c < 256; ++c) {
        const std::string id = std::string("job") + static_cast<char>(c) + "id";
        const bool control = c < 0x20 || c == 0x7f;
        EXPECT_EQ(encode_path_segment(id).has_value(), !control) << c;
    }
}

TEST(path_segment, bounds_the_length) {
    EXPECT_FALSE(encode_path_segment(""));
    EXPECT_EQ(encode_path_segment(std::string(256, '/')).value().size(), 3 * 256U);
    EXPECT_FALSE(encode_path_segment(std::string(257, 'a')));
}

TEST(path_segment, never_quotes_what_it_refuses) {
    const auto refused = encode_path_segment("secret\r\nX-Injected: 1");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message.find("secret"), std::string::npos);
}

TEST(path_segment, agrees_with_the_shared_cases) {
    VEMBED_NEEDS_VECTORS("path-segments");
    const auto cases = read_json(vector_path("path-segments/openai_python_path.json"));
    for (const auto& c : cases.at("accept_as").as_array()) {
        const std::string segment(c.at("segment").as_string());
        const auto encoded = encode_path_segment(segment);
        ASSERT_TRUE(encoded) << segment;
        EXPECT_EQ(*encoded, std::string(c.at("encoded").as_string()));
    }
    for (const auto& segment : cases.at("must_reject").as_array()) {
        EXPECT_FALSE(encode_path_segment(std::string(segment.as_string()))) << segment;
    }
}

}  // namespace
}  // namespace vembed::policy
