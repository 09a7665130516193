// The root over texts and rows, against values made with Python's hashlib.

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include <vembed/verify/row_root.hpp>

namespace vembed {
namespace {

TEST(row_root, leaf_is_over_text_hash_then_row_hash) {
    // hashlib.sha256(b"\0" + hashlib.sha256(b"text").digest() + hashlib.sha256(b"row").digest())
    EXPECT_EQ(to_hex(row_leaf(sha256_of("text"), sha256_of("row"))),
              "f2bf6eb6afc74e7d57dcdee2cc851fa333a88088c6c070d731631cf567121e41");
    EXPECT_NE(row_leaf(sha256_of("text"), sha256_of("row")), row_leaf(sha256_of("row"), sha256_of("text")));
}

TEST(row_root, is_the_rfc_6962_root_of_the_leaves) {
    const std::vector<std::pair<std::uint64_t, std::string>> cases{
        {0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {1, "c978b884983ecb31d604920b00c8b2b049c157e5cea411022e3a9fdf7c171714"},
        {2, "8a834e9f806a9544f4004cfc61fb870f9f4a26387882dc45ab58f5ad87f5e876"},
        {3, "31390e307684ed69cf77df6a562406c04aaca1824cb92b0e49dce349edae0525"},
        {7, "c66a7c256b662a628a869f9af311624becebcca231505ac187ed84482f0c7d3d"}};
    for (const auto& [rows, root] : cases) {
        SCOPED_TRACE(rows);
        row_root_builder builder;
        std::vector<digest> leaves;
        for (std::uint64_t i = 0; i < rows; ++i) {
            const digest text = sha256_of("text " + std::to_string(i));
            const digest row = sha256_of("row " + std::to_string(i));
            builder.add(text, row);
            leaves.push_back(row_leaf(text, row));
        }
        EXPECT_EQ(to_hex(builder.root()), root);
        EXPECT_EQ(builder.root(), merkle_root(leaves));
        EXPECT_EQ(builder.rows(), rows);
    }
}

}  // namespace
}  // namespace vembed
