#include <vembed/verify/tree_proof.hpp>

#include <limits>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <vembed/verify/merkle.hpp>

namespace vembed {
namespace {

std::vector<digest> digests(std::size_t count) {
    std::vector<digest> all;
    for (std::size_t i = 0; i < count; ++i) {
        all.push_back(sha256_of("commitment " + std::to_string(i)));
    }
    return all;
}

std::vector<digest> leaves_of(std::span<const digest> commitments, leaf_encoding encoding) {
    std::vector<digest> leaves;
    for (const digest& commitment : commitments) {
        leaves.push_back(tree_leaf(commitment, encoding));
    }
    return leaves;
}

digest spoiled(digest value) {
    value[31] ^= std::byte{1};
    return value;
}

TEST(tree_proof, every_path_of_every_scheme_leads_to_the_schemes_root) {
    const auto commitments = digests(18);
    for (const tree_scheme& scheme : output_tree_schemes()) {
        for (std::size_t size = 1; size <= commitments.size(); ++size) {
            const auto tree = std::span(commitments).first(size);
            const auto leaves = leaves_of(tree, scheme.leaf);
            const std::string root = outputs_root(tree, scheme);
            for (std::size_t index = 0; index < size; ++index) {
                const auto path = find_tree_path(leaves, index, scheme);
                ASSERT_TRUE(path) << name_of(scheme);
                ASSERT_EQ(to_hex(path->root), root) << name_of(scheme) << ' ' << index << " of " << size;
                const auto folded = fold_tree_path(index, size, leaves[index], path->siblings, scheme);
                ASSERT_EQ(folded, path->root) << name_of(scheme) << ' ' << index << " of " << size;
            }
        }
    }
}

TEST(tree_proof, inputs_have_leaves_of_their_own) {
    std::vector<input_digests> inputs;
    for (int i = 0; i < 11; ++i) {
        inputs.emplace_back("text " + std::to_string(i));
    }
    for (const tree_scheme& scheme : input_tree_schemes()) {
        std::vector<digest> leaves;
        for (const input_digests& input : inputs) {
            leaves.push_back(tree_leaf(input, scheme.leaf));
        }
        const auto path = find_tree_path(leaves, 10, scheme);
        ASSERT_TRUE(path);
        EXPECT_EQ(to_hex(path->root), inputs_root(inputs, scheme)) << name_of(scheme);
        EXPECT_EQ(fold_tree_path(10, 11, leaves[10], path->siblings, scheme), path->root);
    }
}

TEST(tree_proof, default_scheme_is_rfc_6962) {
    const tree_scheme scheme;
    const auto commitments = digests(70);
    const auto all = leaves_of(commitments, scheme.leaf);
    for (std::size_t size = 1; size <= all.size(); ++size) {
        const auto leaves = std::span(all).first(size);
        for (std::size_t index = 0; index < size; ++index) {
            const auto path = find_tree_path(leaves, index, scheme);
            ASSERT_TRUE(path);
            ASSERT_EQ(path->siblings, inclusion_proof(leaves, index).value());
            ASSERT_TRUE(verify_inclusion(index, size, leaves[index], path->siblings, path->root));
        }
    }
}

// Two-sided: whatever the RFC's own check accepts or refuses, folding does too.
TEST(tree_proof, folding_agrees_with_rfc_6962_on_damaged_paths) {
    const tree_scheme scheme;
    const auto commitments = digests(13);
    const auto leaves = leaves_of(commitments, scheme.leaf);
    const auto agrees = [&](std::uint64_t index, std::uint64_t size, std::span<const digest> siblings,
                            const digest& leaf, const digest& root) {
        const bool accepted = fold_tree_path(index, size, leaf, siblings, scheme) == root;
        return accepted == verify_inclusion(index, size, leaf, siblings, root);
    };
    for (std::size_t index = 0; index < leaves.size(); ++index) {
        auto path = find_tree_path(leaves, index, scheme);
        ASSERT_TRUE(path);
        auto& siblings = path->siblings;
        for (std::uint64_t other = 0; other < 16; ++other) {
            for (std::uint64_t size = 0; size < 16; ++size) {
                ASSERT_TRUE(agrees(other, size, siblings, leaves[index], path->root)) << other << ' ' << size;
            }
        }
        for (std::size_t at = 0; at < siblings.size(); ++at) {
            siblings[at] = spoiled(siblings[at]);
            ASSERT_NE(fold_tree_path(index, 13, leaves[index], siblings, scheme), path->root);
            siblings[at] = spoiled(siblings[at]);
            std::swap(siblings[at], siblings[0]);
            ASSERT_EQ(fold_tree_path(index, 13, leaves[index], siblings, scheme) == path->root, at == 0);
            std::swap(siblings[at], siblings[0]);
        }
        siblings.push_back(path->root);
        ASSERT_EQ(fold_tree_path(index, 13, leaves[index], siblings, scheme), std::nullopt);
        siblings.pop_back();
        siblings.pop_back();
        ASSERT_EQ(fold_tree_path(index, 13, leaves[index], siblings, scheme), std::nullopt);
    }
}

TEST(tree_proof, every_damage_is_seen_under_every_scheme) {
    const auto commitments = digests(7);
    for (const tree_scheme& scheme : output_tree_schemes()) {
        const auto leaves = leaves_of(commitments, scheme.leaf);
        for (std::size_t index = 0; index < leaves.size(); ++index) {
            auto path = find_tree_path(leaves, index, scheme);
            ASSERT_TRUE(path);
            EXPECT_NE(fold_tree_path(index, 7, spoiled(leaves[index]), path->siblings, scheme), path->root);
            for (digest& sibling : path->siblings) {
                sibling = spoiled(sibling);
                EXPECT_NE(fold_tree_path(index, 7, leaves[index], path->siblings, scheme), path->root);
                sibling = spoiled(sibling);
            }
            for (std::size_t other = 0; other < leaves.size(); ++other) {
                const auto root = fold_tree_path(other, 7, leaves[index], path->siblings, scheme);
                EXPECT_EQ(root == path->root, other == index) << name_of(scheme);
            }
        }
    }
}

TEST(tree_proof, what_is_not_there_has_no_path) {
    const auto leaves = digests(3);
    EXPECT_FALSE(find_tree_path(leaves, 3, {}));
    EXPECT_FALSE(find_tree_path({}, 0, {}));
    EXPECT_FALSE(fold_tree_path(0, 0, leaves[0], {}, {}));
    EXPECT_FALSE(fold_tree_path(5, 5, leaves[0], {}, {}));
    tree_path_builder builder(std::numeric_limits<std::uint64_t>::max(), {});
    builder.add(leaves[0]);
    EXPECT_EQ(builder.size(), 1U);
    EXPECT_FALSE(builder.finish());
}

TEST(tree_proof, takes_the_largest_sizes) {
    const auto max = std::numeric_limits<std::uint64_t>::max();
    const auto siblings = digests(70);
    for (const tree_scheme& scheme : output_tree_schemes()) {
        std::size_t folded = 0;
        for (std::size_t steps = 0; steps <= siblings.size(); ++steps) {
            const auto path = std::span(siblings).first(steps);
            folded += fold_tree_path(0, max, siblings[0], path, scheme) ? 1 : 0;
            folded += fold_tree_path(max - 1, max, siblings[0], path, scheme) ? 1 : 0;
        }
        EXPECT_EQ(folded, 2U) << "one length fits each of the two leaves";
    }
}

}  // namespace
}  // namespace vembed
