#include <gtest/gtest.h>
#include <vembed/verify/claim_check.hpp>

#include "verify/issued_job.hpp"

namespace vembed {
namespace {

using testing_support::issued_job;
using testing_support::job_plan;

job_plan one_chunk(std::uint64_t rows = 4) {
    job_plan plan;
    plan.rows = rows;
    plan.chunk_size = 4;
    return plan;
}

claim_evidence claim_of(const issued_job& job, bool known_one_chunk) {
    claim_evidence claim;
    claim.model = job.known.model;
    claim.rows = job.texts.size();
    claim.commitment = to_hex(sha256_of(job.output));
    claim.one_chunk = known_one_chunk;
    claim.inputs.emplace();
    for (const std::string& text : job.texts) {
        claim.inputs->emplace_back(text);
    }
    return claim;
}

// What an account is known to follow after jobs of several chunks.
account_pins pins_of(const job_plan& plan) {
    account_pins pins;
    for (const std::uint64_t rows : {10u, 15u, 3u}) {
        job_plan larger = plan;
        larger.rows = rows;
        larger.number = 50 + rows;
        const issued_job job(larger);
        pins = verify_receipt_offline(job.receipt_text(), job.evidence(), pins).pins;
    }
    return pins;
}

check_verdict verdict(const offline_report& report, std::string_view name) {
    return report.find(name)->verdict;
}

bool has(const account_pins& pins, pin_kind kind, const std::string& name) {
    return std::ranges::find(pins.candidates(kind), name) != pins.candidates(kind).end();
}

TEST(ClaimCheck, ReceiptOfOneChunkIsRecomputed) {
    for (const tree_scheme& tree : output_tree_schemes()) {
        for (const commitment_encoding encoding : commitment_encodings()) {
            job_plan plan = one_chunk();
            plan.scheme.tree = tree;
            plan.commits = encoding;
            const issued_job job(plan);
            for (const bool known : {false, true}) {
                for (const account_pins& pins : {account_pins(), pins_of(plan)}) {
                    const auto report = verify_claim_offline(job.receipt_text(), claim_of(job, known), pins);
                    ASSERT_EQ(report.checks.size(), std::size(offline_check_names));
                    for (std::size_t i = 0; i < report.checks.size(); ++i) {
                        EXPECT_EQ(report.checks[i].name, offline_check_names[i]);
                    }
                    EXPECT_EQ(report.first_failed(), nullptr) << report.text();
                    for (const char* name :
                         {"receipt_form", "receipt_hash", "inputs_root", "outputs_root", "verification_attestation"}) {
                        EXPECT_EQ(verdict(report, name), check_verdict::verified) << name_of(tree) << report.text();
                    }
                    EXPECT_FALSE(report.pins.candidates(pin_kind::outputs_root).empty());
                    // What the service follows is never ruled out.
                    EXPECT_TRUE(has(report.pins, pin_kind::output_commitment, name_of(encoding)));
                    EXPECT_TRUE(has(report.pins, pin_kind::outputs_root, name_of(tree)));
                }
            }
        }
    }
}

// Nothing that the response does not say is called verified.
TEST(ClaimCheck, WhatTheResponseDoesNotSayIsNotCheckable) {
    const issued_job job(one_chunk());
    const auto report = verify_claim_offline(job.receipt_text(), claim_of(job, true), pins_of(one_chunk()));
    for (const char* name : {"receipt_job", "receipt_id", "results_job", "specification", "ranges", "output_shape",
                             "output_commitment", "origin"}) {
        EXPECT_EQ(verdict(report, name), check_verdict::not_checkable) << name;
        EXPECT_NE(report.find(name)->reason, "");
    }
    EXPECT_TRUE(report.chunks_reexecuted.empty());
    EXPECT_TRUE(report.text().ends_with(std::string(origin_line) + "\n") || report.text().ends_with(origin_line));
}

TEST(ClaimCheck, AnotherCommitmentIsAFailureOnlyWhereOneChunkAndSchemesAreKnown) {
    const issued_job job(one_chunk());
    claim_evidence other = claim_of(job, true);
    other.commitment = to_hex(sha256_of("other bytes"));
    const account_pins pinned = pins_of(one_chunk());
    ASSERT_TRUE(pinned.pinned(pin_kind::output_commitment) && pinned.pinned(pin_kind::outputs_root));
    EXPECT_EQ(verdict(verify_claim_offline(job.receipt_text(), other, pinned), "outputs_root"), check_verdict::failed);
    EXPECT_EQ(verdict(verify_claim_offline(job.receipt_text(), other), "outputs_root"), check_verdict::not_checkable);
    other.one_chunk = false;
    const auto open = verify_claim_offline(job.receipt_text(), other, pinned);
    EXPECT_EQ(verdict(open, "outputs_root"), check_verdict::not_checkable);
    EXPECT_NE(open.find("outputs_root")->reason.find("several"), std::string::npos);
}

// What this version does not know may be what the service follows: a root that nothing known gives is then no failure.
TEST(ClaimCheck, ACandidateOfAnotherVersionLeavesItOpen) {
    const issued_job job(one_chunk());
    claim_evidence other = claim_of(job, true);
    other.commitment = to_hex(sha256_of("other bytes"));
    const struct {
        pin_kind kind;
        std::vector<std::string> names;
        check_verdict expected;
    } cases[] = {
        {pin_kind::output_commitment, {"sha256"}, check_verdict::failed},
        {pin_kind::output_commitment, {"sha256", "sha512-256"}, check_verdict::not_checkable},
        {pin_kind::output_commitment, {"sha512-256"}, check_verdict::not_checkable},
        {pin_kind::output_commitment, {}, check_verdict::not_checkable},
        {pin_kind::outputs_root, {name_of(tree_scheme())}, check_verdict::failed},
        {pin_kind::outputs_root, {name_of(tree_scheme()), "leaf-02/node-03/rfc6962"}, check_verdict::not_checkable},
        {pin_kind::outputs_root, {"leaf-02/node-03/rfc6962"}, check_verdict::not_checkable},
        // Of inputs only: of an output's tree it says nothing that can be tried.
        {pin_kind::outputs_root,
         {name_of(tree_scheme()), "leaf-00-digest/node-01/rfc6962"},
         check_verdict::not_checkable},
    };
    for (const auto& c : cases) {
        account_pins pins = pins_of(one_chunk());
        pins.set(c.kind, c.names);
        const auto report = verify_claim_offline(job.receipt_text(), other, pins);
        EXPECT_EQ(verdict(report, "outputs_root"), c.expected) << to_string(c.kind) << ' ' << report.text();
        // A root that one of them gives leaves those that cannot be tried as they were.
        const auto right = verify_claim_offline(job.receipt_text(), claim_of(job, true), pins);
        for (const std::string& name : c.names) {
            EXPECT_TRUE(has(right.pins, c.kind, name)) << to_string(c.kind) << ' ' << name << right.text();
        }
    }
}

TEST(ClaimCheck, SeveralChunksAreNoFailure) {
    const issued_job job(one_chunk(10));
    const auto report = verify_claim_offline(job.receipt_text(), claim_of(job, false), pins_of(one_chunk()));
    EXPECT_EQ(report.first_failed(), nullptr) << report.text();
    EXPECT_EQ(verdict(report, "outputs_root"), check_verdict::not_checkable);
    EXPECT_EQ(verdict(report, "inputs_root"), check_verdict::verified);
}

TEST(ClaimCheck, DamageIsAFailureUnderPinsAndTeachesNothing) {
    const account_pins pinned = pins_of(one_chunk());
    const struct {
        const char* field;
        const char* check;
        bool sealed;
    } cases[] = {{"inputs_root", "inputs_root", true},
                 {"inputs_root", "receipt_hash", false},
                 {"outputs_root", "outputs_root", true},
                 {"spec_hash", "receipt_hash", false}};
    for (const auto& c : cases) {
        issued_job job(one_chunk());
        job.proof[c.field] = to_hex(sha256_of("something else"));
        if (c.sealed) {
            job.seal(hash_scheme());
        }
        const auto report = verify_claim_offline(job.receipt_text(), claim_of(job, true), pinned);
        EXPECT_EQ(verdict(report, c.check), check_verdict::failed) << c.field << report.text();
        EXPECT_EQ(report.pins, pinned);
    }
}

TEST(ClaimCheck, ASpecificationIsComparedWhereOneIsKnown) {
    const issued_job job(one_chunk());
    claim_evidence claim = claim_of(job, true);
    claim.spec_hash = std::string(job.proof.at("spec_hash").as_string());
    EXPECT_EQ(verdict(verify_claim_offline(job.receipt_text(), claim), "specification"), check_verdict::verified);
    claim.spec_hash = to_hex(sha256_of("another"));
    EXPECT_EQ(verdict(verify_claim_offline(job.receipt_text(), claim), "specification"), check_verdict::failed);
}

TEST(ClaimCheck, AnyTextGivesAReport) {
    const issued_job job(one_chunk());
    for (const char* text : {"", "{", "[]", "{\"receipt_id\":1}"}) {
        const auto report = verify_claim_offline(text, claim_of(job, true));
        EXPECT_EQ(verdict(report, "receipt_form"), check_verdict::failed);
        EXPECT_EQ(report.checks.size(), std::size(offline_check_names));
    }
    claim_evidence rubbish = claim_of(job, true);
    rubbish.commitment = "rubbish";
    EXPECT_EQ(verdict(verify_claim_offline(job.receipt_text(), rubbish), "outputs_root"), check_verdict::not_checkable);
}

}  // namespace
}  // namespace vembed
