#include <vembed/verify/schemes.hpp>

#include <set>

#include <gtest/gtest.h>
#include <vembed/verify/merkle.hpp>
#include <vembed/verify/receipt_hash.hpp>

namespace vembed {
namespace {

// Hashes by Python's json.dumps and hashlib: sort_keys with ensure_ascii, neither, and keys sorted by their UTF-16.
constexpr std::string_view receipt =
    "{\"receipt_id\":\"r-\u00e9\x7f\U0001f600\",\"job_id\":\"j\",\"n\":[1,2.5,-0.0001],"
    "\"a\":{\"z\":1,\"\ufb33\":2,\"\U0001f600\":3},\"receipt_hash\":\"00\"}";

struct hash_case {
    std::string_view scheme;
    std::string_view hash;
};

TEST(schemes, receipt_hashes_are_those_of_another_program) {
    for (const auto& c : {
             hash_case{"jcs/without-receipt_hash", "3b0e02c617b0782d4c8729d4177fe0f03b9d81427a1a5308d8fdf34a90299803"},
             hash_case{"jcs/empty-receipt_hash", "10cb0df48852a0c62a7ad976651529e8c8a2a61d26bdd4ae9040eccf1e2c4082"},
             hash_case{"sorted-ascii/without-receipt_hash",
                       "76eea8d8c32dfbbeb6ae301562f4d2a5f35f2756b1d427b2d43577807c90be99"},
             hash_case{"sorted-ascii/empty-receipt_hash",
                       "8c1310fd2c46ae6b2d9cad25ee2279e69cb86406a89ad4166eabb364fae52d4c"},
             hash_case{"as-sent/without-receipt_hash",
                       "f28ec78b7aa9880df8d521eb6f4fa336d87f20d48786ba5218381b4db019f3cb"},
             hash_case{"as-sent/empty-receipt_hash",
                       "4e2e1c8d1f89992c6aa12d2b60f72d5226511dc599d334473aeaedae5232b73f"},
         }) {
        const auto scheme = hash_scheme_named(c.scheme);
        ASSERT_TRUE(scheme) << c.scheme;
        EXPECT_EQ(receipt_hash(receipt, *scheme).value(), c.hash) << c.scheme;
        EXPECT_EQ(name_of(*scheme), c.scheme);
    }
    EXPECT_EQ(hash_schemes().size(), 6U);
}

TEST(schemes, only_numbers_as_received_keep_their_digits) {
    const std::string_view big = R"({"n":9007199254740993,"f":1.10,"receipt_hash":""})";
    EXPECT_FALSE(receipt_hash(big, hash_schemes()[0]));
    EXPECT_EQ(receipt_hash(big, *hash_scheme_named("sorted-ascii/without-receipt_hash")).value(),
              to_hex(sha256_of(R"({"f":1.10,"n":9007199254740993})")));
}

TEST(schemes, the_default_is_the_local_services) {
    EXPECT_EQ(name_of(receipt_scheme()), "jcs/without-receipt_hash/leaf-00/node-01/rfc6962");
    EXPECT_EQ(hash_schemes().front(), hash_scheme());
    EXPECT_EQ(input_tree_schemes().front(), tree_scheme());
    EXPECT_EQ(output_tree_schemes().front(), tree_scheme());
    EXPECT_EQ(receipt_hash(receipt, hash_scheme()).value(), receipt_hash(receipt).value());
    std::vector<std::string> texts;
    std::vector<input_digests> inputs;
    std::vector<digest> commitments;
    for (int i = 0; i <= 70; ++i) {
        ASSERT_EQ(inputs_root(inputs, tree_scheme()), inputs_root(texts)) << i;
        ASSERT_EQ(outputs_root(commitments, tree_scheme()), outputs_root(commitments)) << i;
        texts.push_back("text " + std::to_string(i));
        inputs.emplace_back(texts.back());
        commitments.push_back(sha256_of(texts.back()));
    }
}

std::string raw(const digest& value) {
    return {reinterpret_cast<const char*>(value.data()), value.size()};
}

// A tree by its words: nodes and leaves as texts.
std::string joined(const std::string& left, const std::string& right, std::string_view node) {
    const auto hex = [](const std::string& hash) {
        digest value;
        std::copy_n(reinterpret_cast<const std::byte*>(hash.data()), value.size(), value.begin());
        return to_hex(value);
    };
    return raw(sha256_of(node == "node-01"      ? "\x01" + left + right
                         : node == "node-plain" ? left + right
                                                : hex(left) + hex(right)));
}

std::string told_root(std::vector<std::string> level, std::string_view node, bool duplicate) {
    while (level.size() > 1) {
        std::vector<std::string> above;
        for (std::size_t i = 0; i < level.size(); i += 2) {
            if (i + 1 < level.size()) {
                above.push_back(joined(level[i], level[i + 1], node));
            } else {
                above.push_back(duplicate ? joined(level[i], level[i], node) : level[i]);
            }
        }
        level = above;
    }
    return level.front();
}

std::string told_leaf(std::string_view leaf, const std::string& bytes, const digest& value) {
    if (leaf == "leaf-00") {
        return raw(sha256_of(std::string(1, '\0') + bytes));
    }
    if (leaf == "leaf-plain") {
        return raw(sha256_of(bytes));
    }
    if (leaf == "leaf-digest") {
        return raw(value);
    }
    if (leaf == "leaf-00-digest") {
        return raw(sha256_of(std::string(1, '\0') + raw(value)));
    }
    return raw(sha256_of(to_hex(value)));
}

class told_parts {
public:
    std::string leaf;
    std::string node;
    bool duplicate = false;

    explicit told_parts(const std::string& name)
        : leaf(name.substr(0, name.find('/'))),
          node(name.substr(leaf.size() + 1, name.rfind('/') - leaf.size() - 1)),
          duplicate(name.ends_with("/duplicate")) {}
};

TEST(schemes, every_tree_is_what_its_name_says) {
    std::vector<input_digests> inputs;
    std::vector<digest> commitments;
    std::vector<std::string> texts;
    for (int size = 1; size <= 19; ++size) {
        texts.push_back(std::string(static_cast<std::size_t>(size), 'x'));
        inputs.emplace_back(texts.back());
        commitments.push_back(sha256_of("chunk " + texts.back()));
        for (const tree_scheme& scheme : input_tree_schemes()) {
            const told_parts parts(name_of(scheme));
            std::vector<std::string> leaves;
            for (const std::string& text : texts) {
                leaves.push_back(told_leaf(parts.leaf, text, sha256_of(text)));
            }
            ASSERT_EQ(raw(*digest_from_hex(inputs_root(inputs, scheme))),
                      told_root(leaves, parts.node, parts.duplicate))
                << name_of(scheme) << " of " << size;
        }
        for (const tree_scheme& scheme : output_tree_schemes()) {
            const told_parts parts(name_of(scheme));
            std::vector<std::string> leaves;
            for (const digest& commitment : commitments) {
                leaves.push_back(told_leaf(parts.leaf, raw(commitment), commitment));
            }
            ASSERT_EQ(raw(*digest_from_hex(outputs_root(commitments, scheme))),
                      told_root(leaves, parts.node, parts.duplicate))
                << name_of(scheme) << " of " << size;
        }
    }
}

// Moving the lone last node up, level by level, is the RFC's split at the largest power of two.
TEST(schemes, a_promoted_odd_node_is_the_rfcs_shape) {
    std::vector<std::string> leaves;
    merkle_builder builder;
    for (int size = 1; size <= 130; ++size) {
        const digest leaf = leaf_hash(sha256_of(std::to_string(size)));
        leaves.push_back(raw(leaf));
        builder.add(leaf);
        ASSERT_EQ(raw(builder.root()), told_root(leaves, "node-01", false)) << size;
    }
}

TEST(schemes, no_two_of_a_list_are_the_same) {
    std::vector<input_digests> inputs;
    std::vector<digest> commitments;
    for (const char* text : {"a", "b", "c"}) {
        inputs.emplace_back(text);
        commitments.push_back(sha256_of(text));
    }
    std::set<std::string> roots;
    for (const tree_scheme& scheme : input_tree_schemes()) {
        EXPECT_TRUE(roots.insert(inputs_root(inputs, scheme)).second) << name_of(scheme);
    }
    EXPECT_EQ(roots.size(), 24U);
    roots.clear();
    for (const tree_scheme& scheme : output_tree_schemes()) {
        EXPECT_TRUE(roots.insert(outputs_root(commitments, scheme)).second) << name_of(scheme);
    }
    EXPECT_EQ(roots.size(), 24U);
}

TEST(schemes, names_lead_back) {
    for (const hash_scheme& hash : hash_schemes()) {
        for (const tree_scheme& tree : output_tree_schemes()) {
            const receipt_scheme whole(hash, tree);
            EXPECT_EQ(receipt_scheme_named(name_of(whole)), whole);
            EXPECT_EQ(tree_scheme_named(name_of(tree)), tree);
        }
        EXPECT_EQ(hash_scheme_named(name_of(hash)), hash);
    }
    for (const commitment_encoding encoding : commitment_encodings()) {
        EXPECT_EQ(commitment_encoding_named(name_of(encoding)), encoding);
    }
    for (const std::string_view name :
         {"", "/", "jcs", "jcs/", "/without-receipt_hash", "JCS/without-receipt_hash", "jcs/without-receipt_hash/",
          "leaf-00/node-01", "leaf-00/node-01/rfc6962/", "leaf-00//rfc6962", "node-01/leaf-00/rfc6962",
          "leaf-00/node-01/promoted", "jcs/without-receipt_hash/leaf-00/node-01", "sha-256", "sha256 "}) {
        EXPECT_FALSE(hash_scheme_named(name)) << name;
        EXPECT_FALSE(tree_scheme_named(name)) << name;
        EXPECT_FALSE(receipt_scheme_named(name)) << name;
        EXPECT_FALSE(commitment_encoding_named(name)) << name;
    }
}

TEST(schemes, commitments) {
    const digest of_bytes = sha256_of("bytes");
    EXPECT_EQ(chunk_commitment(of_bytes, commitment_encoding::sha256), to_hex(of_bytes));
    EXPECT_EQ(chunk_commitment(of_bytes, commitment_encoding::sha256_twice), to_hex(sha256_of(raw(of_bytes))));
}

}  // namespace
}  // namespace vembed
