#include <vembed/audit/row_proofs.hpp>

#include <gtest/gtest.h>

#include <stdexcept>

#include "audit/kept_folder.hpp"

namespace vembed::test {
namespace {

proof_error error_of(const row_proof_result& proof) {
    return proof ? throw std::runtime_error("there is a proof") : proof.error();
}

prove_row_options with_platform() {
    prove_row_options options;
    options.platform = true;
    return options;
}

TEST(prove_row, makes_a_proof_that_can_be_checked_from_a_file) {
    const kept_folder folder;
    const row_proof proof = prove_row(folder.path(), 3).value();
    EXPECT_EQ(proof.row.number, 3U);
    EXPECT_EQ(proof.row.id, "4");
    EXPECT_EQ(proof.row.rows, 9U);
    EXPECT_FALSE(proof.platform);
    row_proof_expectations expected;
    expected.root = proof.row.root;
    expected.rows = 9;
    expected.text = "last of the first half";
    const auto report = check_row_proof_file(folder.write("row.json", proof.to_json()), expected).value();
    EXPECT_EQ(report.verdict(), check_verdict::verified) << report.text();
    expected.text = "another text";
    EXPECT_EQ(check_row_proof_file(folder.file("row.json"), expected).value().verdict(), check_verdict::failed);
}

TEST(prove_row, finds_a_row_by_its_id) {
    const kept_folder folder;
    EXPECT_EQ(prove_row(folder.path(), "4").value(), prove_row(folder.path(), 3).value());
    EXPECT_EQ(error_of(prove_row(folder.path(), "nobody")).kind, errc::invalid_argument);
    folder.write("ids.jsonl", "{\"row\":0,\"id\":\"4\"}\n{\"row\":1,\"id\":\"4\"}\n");
    EXPECT_EQ(error_of(prove_row(folder.path(), "4")).kind, errc::invalid_argument);
}

TEST(prove_row, has_part_two_if_it_is_asked_for) {
    const kept_folder folder;
    const row_proof proof = prove_row(folder.path(), 3, with_platform()).value();
    EXPECT_EQ(proof.platform.value().of_row, 3U);
    EXPECT_EQ(check_row_proof(proof).verdict(), check_verdict::verified);
}

TEST(prove_row, tells_an_unfinished_run_from_a_receipt_that_no_scheme_explains) {
    const kept_folder unfinished(kept_unfinished);
    const proof_error early = error_of(prove_row(unfinished.path(), 0));
    EXPECT_EQ(early.kind, errc::bad_input);
    EXPECT_EQ(early.obstacle, proof_obstacle::run_unfinished);

    const kept_folder folder;
    account_pins pins;
    pins.set(pin_kind::outputs_root, {"a scheme of a later version"});
    prove_row_options options = with_platform();
    ASSERT_TRUE(options.known.set(pins_key(kept_service, kept_account), pins));
    const proof_error open = error_of(prove_row(folder.path(), 0, options));
    EXPECT_EQ(open.kind, errc::bad_input);
    EXPECT_EQ(open.obstacle, proof_obstacle::not_checkable);
}

TEST(prove_row, gives_the_errors_of_its_contract) {
    const kept_folder folder;
    EXPECT_EQ(error_of(prove_row(folder.file("nothing"), 0)).kind, errc::io);
    EXPECT_EQ(error_of(prove_row(folder.path(), 9)).kind, errc::invalid_argument);
    const proof_error failed = error_of(prove_row(folder.path(), 5));
    EXPECT_EQ(failed.kind, errc::bad_input);
    EXPECT_EQ(failed.obstacle, proof_obstacle::none);
    EXPECT_THROW(static_cast<void>(prove_row(folder.path(), 5).value()), argument_error);

    std::stop_source source;
    source.request_stop();
    prove_row_options stopped;
    stopped.stop = source.get_token();
    EXPECT_EQ(error_of(prove_row(folder.path(), 0, stopped)).kind, errc::cancelled);

    folder.change_row(3);
    EXPECT_EQ(error_of(prove_row(folder.path(), 3)).kind, errc::verification_failed);
}

TEST(prove_row, refuses_what_cannot_be_proven) {
    const kept_folder folder;
    folder.write("cached.jsonl", "{\"rows\":[[0,1]]}\n");
    EXPECT_TRUE(prove_row(folder.path(), 0));
    const proof_error cached = error_of(prove_row(folder.path(), 0, with_platform()));
    EXPECT_EQ(cached.kind, errc::bad_input) << cached;
    EXPECT_EQ(cached.obstacle, proof_obstacle::none);

    folder.leave_out("row_root");
    const proof_error earlier = error_of(prove_row(folder.path(), 0));
    EXPECT_EQ(earlier.kind, errc::bad_input) << earlier;
    EXPECT_NE(earlier.message.find("earlier version"), std::string::npos) << earlier;
}

TEST(check_row_proof_file, tells_no_file_from_no_proof) {
    const testing::scratch_folder folder;
    EXPECT_EQ(check_row_proof_file(folder.file("nothing")).error().kind, errc::io);
    const auto report = check_row_proof_file(folder.write("text", "no proof")).value();
    EXPECT_EQ(report.verdict(), check_verdict::failed);
    EXPECT_EQ(report.first_failed()->name, "proof_form");
}

}  // namespace
}  // namespace vembed::test
