#include <vembed/verify/receipt_hash.hpp>

#include <vector>

#include <gtest/gtest.h>
#include <vembed/verify/merkle.hpp>

namespace vembed {
namespace {

TEST(receipt_hash, is_over_everything_but_itself) {
    const std::string expected = to_hex(sha256_of(R"({"job_id":"j","new_field":[1],"receipt_id":"r"})"));
    EXPECT_EQ(receipt_hash(R"({"receipt_id":"r","job_id":"j","new_field":[1.0],"receipt_hash":"00"})").value(),
              expected);
    EXPECT_EQ(receipt_hash(R"({ "receipt_hash":null, "new_field":[1], "job_id":"\u006a", "receipt_id":"r"})").value(),
              expected);
    EXPECT_NE(receipt_hash(R"({"receipt_id":"r","job_id":"k","new_field":[1],"receipt_hash":"00"})").value(), expected);
}

TEST(receipt_hash, refuses_what_is_no_receipt) {
    for (const std::string_view text : {"", "[]", "<html>", R"({"receipt_hash":1,"receipt_hash":2})"}) {
        const auto hash = receipt_hash(text);
        ASSERT_FALSE(hash) << text;
        EXPECT_EQ(hash.error().kind, errc::protocol);
    }
}

TEST(receipt_hash, roots_are_rfc_6962_trees) {
    const std::vector<std::string> texts = {"", "b", "ccc"};
    const auto leaf = [](std::string_view text) { return leaf_hash(std::as_bytes(std::span(text))); };
    EXPECT_EQ(inputs_root(texts), to_hex(node_hash(node_hash(leaf(""), leaf("b")), leaf("ccc"))));
    EXPECT_EQ(inputs_root({}), to_hex(sha256_of("")));

    const std::vector<digest> commitments = {sha256_of("x"), sha256_of("y")};
    EXPECT_EQ(outputs_root(commitments), to_hex(node_hash(leaf_hash(commitments[0]), leaf_hash(commitments[1]))));
    EXPECT_EQ(outputs_root({}), to_hex(sha256_of("")));
}

}  // namespace
}  // namespace vembed
