#include <vembed/verify/sha256_pair.hpp>

#include <algorithm>
#include <random>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace vembed {
namespace {

using bytes_view = std::span<const std::byte>;

std::vector<std::byte> random_bytes(std::mt19937_64& random, std::size_t count) {
    std::vector<std::byte> bytes(count);
    std::ranges::generate(bytes, [&random] { return static_cast<std::byte>(random()); });
    return bytes;
}

/// Both ways of hashing; side by side only where the processor can.
class sha256_pair_test : public ::testing::TestWithParam<bool> {
protected:
    void SetUp() override {
        if (GetParam() && !sha256_pair::supported()) {
            GTEST_SKIP() << "this processor has no SHA instructions that vembed knows";
        }
    }
};

INSTANTIATE_TEST_SUITE_P(ways, sha256_pair_test, ::testing::Values(true, false),
                         [](const auto& given) { return given.param ? "side_by_side" : "apart"; });

TEST_P(sha256_pair_test, hashes_as_the_crypto_library_does_at_every_pair_of_lengths) {
    std::mt19937_64 random(1);
    const auto first = random_bytes(random, 200);
    const auto second = random_bytes(random, 200);
    std::vector<digest> firsts;
    std::vector<digest> seconds;
    for (std::size_t length = 0; length <= first.size(); ++length) {
        firsts.push_back(sha256_of(bytes_view(first).first(length)));
        seconds.push_back(sha256_of(bytes_view(second).first(length)));
    }
    sha256_pair pair(GetParam());
    for (std::size_t a = 0; a <= first.size(); ++a) {
        for (std::size_t b = 0; b <= second.size(); ++b) {
            pair.update(bytes_view(first).first(a), bytes_view(second).first(b));
            ASSERT_EQ(pair.finish(), (std::array{firsts[a], seconds[b]})) << a << " and " << b << " bytes";
        }
    }
}

TEST_P(sha256_pair_test, any_pieces_give_the_same_hashes) {
    std::mt19937_64 random(2);
    for (int round = 0; round < 300; ++round) {
        const auto first = random_bytes(random, random() % 3000);
        const auto second = random_bytes(random, random() % 3000);
        sha256_pair pair(GetParam());
        bytes_view rest_of_first(first);
        bytes_view rest_of_second(second);
        const std::size_t longest = 2 + random() % 400;
        while (!rest_of_first.empty() || !rest_of_second.empty()) {
            const auto a = rest_of_first.first(std::min<std::size_t>(rest_of_first.size(), random() % longest));
            const auto b = rest_of_second.first(std::min<std::size_t>(rest_of_second.size(), random() % (2 * longest)));
            pair.update(a, b);
            rest_of_first = rest_of_first.subspan(a.size());
            rest_of_second = rest_of_second.subspan(b.size());
        }
        ASSERT_EQ(pair.finish(), (std::array{sha256_of(first), sha256_of(second)})) << "round " << round;
    }
}

TEST_P(sha256_pair_test, one_message_ends_while_the_other_goes_on) {
    std::mt19937_64 random(3);
    const auto bytes = random_bytes(random, 10'000);
    constexpr std::size_t row = 100;  // No whole number of blocks: the two are never at the same place in theirs.
    sha256_pair pair(GetParam());
    for (bytes_view rest(bytes); !rest.empty(); rest = rest.subspan(row)) {
        pair.update(rest.first(row), rest.first(row));
        ASSERT_EQ(pair.finish(0), sha256_of(rest.first(row)));
    }
    EXPECT_EQ(pair.finish(1), sha256_of(bytes));
    EXPECT_EQ(pair.finish(1), sha256_of(bytes_view()));
}

TEST_P(sha256_pair_test, moves_with_its_messages) {
    const std::vector<std::byte> message(70, std::byte{7});
    sha256_pair from(GetParam());
    from.update(message, bytes_view(message).first(1));
    sha256_pair to = std::move(from);
    to.update({}, bytes_view(message).subspan(1));
    EXPECT_EQ(to.finish(), (std::array{sha256_of(message), sha256_of(message)}));
}

TEST(sha256_of_both, gives_each_its_own) {
    const std::vector<std::byte> first(1000, std::byte{1});
    const std::vector<std::byte> second(64, std::byte{2});
    EXPECT_EQ(sha256_of_both(first, second), (std::array{sha256_of(first), sha256_of(second)}));
    EXPECT_EQ(sha256_of_both({}, first), (std::array{sha256_of(bytes_view()), sha256_of(first)}));
}

// The length at the end of a message is in bits: 64 of them.
TEST_P(sha256_pair_test, a_message_may_be_longer_than_32_bits_of_length) {
    const std::vector<std::byte> piece(std::size_t{1} << 20, std::byte{'a'});
    constexpr int pieces = 513;  // 512 of them are 2^32 bits.
    sha256 expected;
    sha256_pair pair(GetParam());
    for (int i = 0; i < pieces; ++i) {
        expected.update(piece);
        pair.update(piece, piece);
    }
    const digest whole = expected.finish();
    EXPECT_EQ(pair.finish(), (std::array{whole, whole}));
}

}  // namespace
}  // namespace vembed
