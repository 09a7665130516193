#include <vembed/verify/merkle.hpp>

#include <algorithm>
#include <cstring>
#include <limits>
#include <random>

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "support/vectors.hpp"

namespace vembed {
namespace {

namespace fs = std::filesystem;
using testing_support::read_json;
using testing_support::vector_path;

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

std::vector<digest> leaves_of(std::size_t count) {
    std::vector<digest> leaves;
    for (std::size_t i = 0; i < count; ++i) {
        leaves.push_back(leaf_hash(bytes_of("leaf " + std::to_string(i))));
    }
    return leaves;
}

// The definition, word for word: MTH(D[n]) = H(1, MTH(D[0:k]), MTH(D[k:n])).
digest defined_root(std::span<const digest> leaves) {
    if (leaves.empty()) {
        return sha256_of("");
    }
    if (leaves.size() == 1) {
        return leaves.front();
    }
    std::size_t k = 1;
    while (2 * k < leaves.size()) {
        k *= 2;
    }
    return node_hash(defined_root(leaves.first(k)), defined_root(leaves.subspan(k)));
}

digest spoiled(digest value) {
    value[7] ^= std::byte{0x10};
    return value;
}

TEST(merkle, roots_are_as_defined) {
    const auto leaves = leaves_of(200);
    merkle_builder builder;
    for (std::size_t size = 0; size <= leaves.size(); ++size) {
        const auto tree = std::span(leaves).first(size);
        ASSERT_EQ(merkle_root(tree), defined_root(tree)) << size;
        ASSERT_EQ(builder.root(), defined_root(tree)) << size;
        ASSERT_EQ(builder.size(), size);
        if (size < leaves.size()) {
            builder.add(leaves[size]);
        }
    }
}

TEST(merkle, a_leaf_is_not_a_node) {
    const digest a = leaf_hash(bytes_of("a"));
    const digest b = leaf_hash(bytes_of("b"));
    std::string both(64, '\0');
    std::memcpy(both.data(), a.data(), 32);
    std::memcpy(both.data() + 32, b.data(), 32);
    EXPECT_NE(leaf_hash(bytes_of(both)), node_hash(a, b));
    EXPECT_EQ(node_hash(a, b), sha256_of("\x01" + both));
    EXPECT_EQ(leaf_hash(bytes_of("abc")), sha256_of(std::string_view("\0abc", 4)));
}

TEST(merkle, every_inclusion_proof_up_to_40_leaves) {
    const auto leaves = leaves_of(40);
    for (std::size_t size = 1; size <= leaves.size(); ++size) {
        const auto tree = std::span(leaves).first(size);
        const digest root = defined_root(tree);
        for (std::size_t index = 0; index < size; ++index) {
            auto proof = inclusion_proof(tree, index).value();
            ASSERT_TRUE(verify_inclusion(index, size, leaves[index], proof, root)) << index << " of " << size;
            ASSERT_FALSE(verify_inclusion(index, size, spoiled(leaves[index]), proof, root));
            ASSERT_FALSE(verify_inclusion(index, size, leaves[index], proof, spoiled(root)));
            ASSERT_FALSE(verify_inclusion(size, size, leaves[index], proof, root));
            for (std::size_t other = 0; other < size; ++other) {
                ASSERT_EQ(verify_inclusion(other, size, leaves[index], proof, root), other == index);
            }
            for (auto& step : proof) {
                step = spoiled(step);
                ASSERT_FALSE(verify_inclusion(index, size, leaves[index], proof, root));
                step = spoiled(step);
            }
            proof.push_back(root);
            ASSERT_FALSE(verify_inclusion(index, size, leaves[index], proof, root));
            proof.pop_back();
            if (!proof.empty()) {
                proof.pop_back();
                ASSERT_FALSE(verify_inclusion(index, size, leaves[index], proof, root));
            }
        }
    }
}

TEST(merkle, every_consistency_proof_up_to_40_leaves) {
    const auto leaves = leaves_of(40);
    for (std::size_t size2 = 1; size2 <= leaves.size(); ++size2) {
        const auto tree = std::span(leaves).first(size2);
        const digest root2 = defined_root(tree);
        for (std::size_t size1 = 1; size1 <= size2; ++size1) {
            const digest root1 = defined_root(tree.first(size1));
            auto proof = consistency_proof(tree, size1).value();
            ASSERT_EQ(proof.empty(), size1 == size2);
            ASSERT_TRUE(verify_consistency(size1, size2, root1, root2, proof)) << size1 << " in " << size2;
            ASSERT_FALSE(verify_consistency(size1, size2, spoiled(root1), root2, proof));
            ASSERT_FALSE(verify_consistency(size1, size2, root1, spoiled(root2), proof));
            ASSERT_FALSE(verify_consistency(0, size2, root1, root2, proof));
            for (auto& step : proof) {
                step = spoiled(step);
                ASSERT_FALSE(verify_consistency(size1, size2, root1, root2, proof));
                step = spoiled(step);
            }
            proof.push_back(root1);
            ASSERT_FALSE(verify_consistency(size1, size2, root1, root2, proof));
            proof.pop_back();
            if (!proof.empty()) {
                proof.pop_back();
                ASSERT_FALSE(verify_consistency(size1, size2, root1, root2, proof));
            }
        }
    }
}

TEST(merkle, refuses_proofs_of_what_is_not_there) {
    const auto leaves = leaves_of(5);
    EXPECT_EQ(inclusion_proof(leaves, 5).error().kind, errc::invalid_argument);
    EXPECT_EQ(inclusion_proof({}, 0).error().kind, errc::invalid_argument);
    EXPECT_EQ(consistency_proof(leaves, 0).error().kind, errc::invalid_argument);
    EXPECT_EQ(consistency_proof(leaves, 6).error().kind, errc::invalid_argument);
}

TEST(merkle, takes_the_largest_sizes) {
    const auto max = std::numeric_limits<std::uint64_t>::max();
    const auto leaves = leaves_of(70);
    for (std::size_t steps = 0; steps <= leaves.size(); ++steps) {
        const auto proof = std::span(leaves).first(steps);
        EXPECT_FALSE(verify_inclusion(max - 1, max, leaves[0], proof, leaves[1]));
        EXPECT_FALSE(verify_inclusion(0, max, leaves[0], proof, leaves[1]));
        EXPECT_FALSE(verify_consistency(max - 1, max, leaves[0], leaves[1], proof));
        EXPECT_FALSE(verify_consistency(1, max, leaves[0], leaves[1], proof));
    }
}

std::string decoded(const std::string& base64) {
    std::string out(base64.size(), '\0');
    const int size =
        EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                        reinterpret_cast<const unsigned char*>(base64.data()), static_cast<int>(base64.size()));
    if (size < 0) {
        throw std::runtime_error("not base64: " + base64);
    }
    // The padding is decoded as zeros.
    out.resize(static_cast<std::size_t>(size - std::ranges::count(base64, '=')));
    return out;
}

// Some cases hold values that are no hashes; each is given a hash of its own, so that equal ones stay equal.
digest digest_of(const boost::json::value& base64) {
    const std::string raw = decoded(std::string(base64.as_string()));
    digest value;
    if (raw.size() != value.size()) {
        return sha256_of("not a hash: " + raw);
    }
    std::memcpy(value.data(), raw.data(), raw.size());
    return value;
}

std::vector<digest> proof_of(const boost::json::value& list) {
    std::vector<digest> proof;
    if (list.is_array()) {
        for (const auto& step : list.as_array()) {
            proof.push_back(digest_of(step));
        }
    }
    return proof;
}

std::uint64_t number(const boost::json::value& v) {
    return v.to_number<std::uint64_t>();
}

bool passes(const boost::json::value& c) {
    const auto proof = proof_of(c.at("proof"));
    if (c.as_object().contains("leafIdx")) {
        // A leaf that is no hash cannot even be asked about.
        if (decoded(std::string(c.at("leafHash").as_string())).size() != std::tuple_size_v<digest>) {
            return false;
        }
        return verify_inclusion(number(c.at("leafIdx")), number(c.at("treeSize")), digest_of(c.at("leafHash")), proof,
                                digest_of(c.at("root")));
    }
    return verify_consistency(number(c.at("size1")), number(c.at("size2")), digest_of(c.at("root1")),
                              digest_of(c.at("root2")), proof);
}

TEST(merkle, agrees_with_the_shared_proofs) {
    VEMBED_NEEDS_VECTORS("merkle/testdata");
    int cases = 0;
    for (const auto& entry : fs::recursive_directory_iterator(vector_path("merkle/testdata"))) {
        if (entry.path().extension() == ".json") {
            const auto c = read_json(entry.path());
            EXPECT_EQ(passes(c), !c.at("wantErr").as_bool()) << entry.path();
            ++cases;
        }
    }
    EXPECT_GT(cases, 100);
}

std::string from_hex(std::string_view hex) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
        bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
    }
    return bytes;
}

TEST(merkle, agrees_with_the_shared_roots) {
    VEMBED_NEEDS_VECTORS("merkle/rfc6962_roots.json");
    const auto cases = read_json(vector_path("merkle/rfc6962_roots.json"));
    const auto& inputs = cases.at("leaf_inputs_hex").as_array();
    const auto& roots = cases.at("root_by_size_hex").as_array();
    ASSERT_EQ(roots.size(), inputs.size() + 1);
    merkle_builder builder;
    for (std::size_t size = 0; size < roots.size(); ++size) {
        EXPECT_EQ(to_hex(builder.root()), std::string(roots[size].as_string())) << size;
        if (size < inputs.size()) {
            builder.add(leaf_hash(bytes_of(from_hex(std::string(inputs[size].as_string())))));
        }
    }
}

}  // namespace
}  // namespace vembed
