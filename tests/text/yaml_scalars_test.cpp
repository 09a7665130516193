#include "text/yaml_scalars.hpp"

#include <gtest/gtest.h>

namespace vembed::text {
namespace {

TEST(yaml_scalars, are_those_reached_through_mappings) {
    const auto read = read_yaml_scalars("a: 1\nb: {c: 'two', d: {e: }}\nf: [g, {h: 3}]\ni.j: 4\nk.l: {m: 5}\n");
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, (yaml_scalars{{"a", "1"}, {"b.c", "two"}, {"b.d.e", ""}}));
    EXPECT_EQ(read_yaml_scalars("# nothing\n").value(), yaml_scalars());
}

TEST(yaml_scalars, a_long_key_does_not_multiply_the_text) {
    const std::string key(30'000, 'k');
    std::string yaml = "? " + key + "\n:\n";
    for (int i = 0; i < 10'000; ++i) {
        yaml += " " + std::to_string(i) + ": x\n";
    }
    EXPECT_EQ(read_yaml_scalars(yaml).value(), yaml_scalars());
}

TEST(yaml_scalars, a_huge_text_is_refused_unread) {
    const auto read = read_yaml_scalars(std::string((1 << 20) + 1, '\n'));
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().kind, errc::invalid_argument);
    EXPECT_EQ(read.error().message, "is longer than 1048576 bytes");
}

}  // namespace
}  // namespace vembed::text
