#include <vembed/verify/sha256.hpp>

#include <random>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace vembed {
namespace {

// FIPS 180-4 examples.
constexpr std::string_view of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr std::string_view of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr std::string_view of_a_million_a = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

TEST(sha256, known_answers) {
    EXPECT_EQ(to_hex(sha256_of("")), of_nothing);
    EXPECT_EQ(to_hex(sha256_of(std::span<const std::byte>())), of_nothing);
    EXPECT_EQ(to_hex(sha256_of("abc")), of_abc);
    EXPECT_EQ(to_hex(sha256_of(std::string(1'000'000, 'a'))), of_a_million_a);
}

TEST(sha256, serves_one_message_after_another) {
    sha256 hash;
    EXPECT_EQ(to_hex(hash.finish()), of_nothing);
    hash.update(bytes_of("a"));
    hash.update({});
    hash.update(bytes_of("bc"));
    EXPECT_EQ(to_hex(hash.finish()), of_abc);
    EXPECT_EQ(to_hex(hash.finish()), of_nothing);
}

TEST(sha256, moves_with_its_message) {
    sha256 first;
    first.update(bytes_of("ab"));
    sha256 second = std::move(first);
    second.update(bytes_of("c"));
    EXPECT_EQ(to_hex(second.finish()), of_abc);
    first = sha256();
    EXPECT_EQ(to_hex(first.finish()), of_nothing);
}

TEST(sha256, any_pieces_give_the_same_hash) {
    std::mt19937 random(1);
    std::vector<std::byte> message(10'000);
    for (auto& b : message) {
        b = static_cast<std::byte>(random());
    }
    const digest expected = sha256_of(message);
    for (int round = 0; round < 50; ++round) {
        sha256 hash;
        std::span<const std::byte> rest(message);
        while (!rest.empty()) {
            const auto piece = rest.first(std::min<std::size_t>(rest.size(), random() % 300));
            hash.update(piece);
            rest = rest.subspan(piece.size());
        }
        ASSERT_EQ(hash.finish(), expected);
    }
}

TEST(sha256, hex_reads_back) {
    const digest value = sha256_of("abc");
    EXPECT_EQ(digest_from_hex(of_abc), value);
    EXPECT_EQ(digest_from_hex("BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"), value);
    const std::string text(of_abc);
    EXPECT_FALSE(digest_from_hex(""));
    EXPECT_FALSE(digest_from_hex(text.substr(1)));
    EXPECT_FALSE(digest_from_hex(text + "0"));
    for (const char bad : {' ', 'g', 'G', 'x', '-', '/', ':', '@', '`', '\0', '\xff'}) {
        for (std::size_t at = 0; at < text.size(); ++at) {
            std::string spoiled = text;
            spoiled[at] = bad;
            EXPECT_FALSE(digest_from_hex(spoiled)) << spoiled;
        }
    }
}

}  // namespace
}  // namespace vembed
