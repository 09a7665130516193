#include "audit/receipt_comparison.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace vembed::audit {
namespace {

receipt issued() {
    receipt made;
    made.receipt_id = "r";
    made.job_id = "j";
    made.spec_hash = "s";
    made.inputs_root = "i";
    made.outputs_root = "o";
    made.verification_attestation = "v";
    made.verification_level = "l";
    made.executor_attestation_ids = {"a", "b"};
    made.issued_at = "t";
    made.receipt_hash = "h";
    return made;
}

TEST(differing_fields, names_every_documented_field) {
    struct row {
        const char* name;
        std::function<void(receipt&)> change;
    };
    const row rows[] = {
        {"receipt_id", [](receipt& of) { of.receipt_id += "x"; }},
        {"job_id", [](receipt& of) { of.job_id += "x"; }},
        {"spec_hash", [](receipt& of) { of.spec_hash += "x"; }},
        {"inputs_root", [](receipt& of) { of.inputs_root += "x"; }},
        {"outputs_root", [](receipt& of) { of.outputs_root += "x"; }},
        {"verification_attestation", [](receipt& of) { of.verification_attestation.clear(); }},
        {"verification_level", [](receipt& of) { of.verification_level += "x"; }},
        {"executor_attestation_ids", [](receipt& of) { of.executor_attestation_ids.pop_back(); }},
        {"issued_at", [](receipt& of) { of.issued_at += "x"; }},
        {"receipt_hash", [](receipt& of) { of.receipt_hash += "x"; }},
    };
    for (const row& expected : rows) {
        receipt other = issued();
        expected.change(other);
        EXPECT_EQ(differing_fields(issued(), other), std::vector<std::string_view>{expected.name});
    }
}

TEST(differing_fields, leaves_out_how_it_was_written) {
    receipt other = issued();
    other.raw_text = "{ }";
    other.raw = 7;
    EXPECT_TRUE(differing_fields(issued(), other).empty());
}

}  // namespace
}  // namespace vembed::audit
