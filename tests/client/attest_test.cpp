// Verification of the caller's own outputs, end to end against the local service.

#include <limits>

#include <gtest/gtest.h>
#include <vembed/verify/commitment.hpp>

#include "support/corpora.hpp"
#include "support/world.hpp"

namespace vembed::testing {
namespace {

using namespace std::chrono_literals;

constexpr const char* model = "bge-small-v1.5";

result<attestation> attest(world& w, const std::vector<std::string>& texts, const Eigen::Ref<const matrix>& rows) {
    return w.run(w.subject->verify_outputs(model, texts, rows));
}

TEST(Attest, TrueOutputsGetACheckedReceipt) {
    for (const std::size_t rows : {1u, 5u, 250u}) {
        world w{service_options()};
        const auto made = attest(w, corpus(rows), embedded(corpus(rows)));
        ASSERT_TRUE(made) << made.error();
        EXPECT_EQ(made->commitment, commitment(embedded(corpus(rows))));
        EXPECT_NE(made->receipt.receipt_id, "");
        EXPECT_EQ(made->report.first_failed(), nullptr);
        for (const char* name : {"receipt_form", "receipt_hash", "inputs_root"}) {
            EXPECT_EQ(made->report.find(name)->verdict, check_verdict::verified) << name;
        }
        // 250 rows are three chunks, which nothing tells.
        EXPECT_EQ(made->report.find("outputs_root")->verdict,
                  rows <= 100 ? check_verdict::verified : check_verdict::not_checkable);
        EXPECT_EQ(made->report.find("origin")->verdict, check_verdict::not_checkable);
    }
}

TEST(Attest, TakesABlockAndAColumnMajorMatrix) {
    world w{service_options()};
    const matrix all = embedded(corpus(9));
    std::vector<std::string> texts = corpus(9);
    texts = {texts[3], texts[4], texts[5]};
    EXPECT_TRUE(attest(w, texts, all.middleRows(3, 3)));
    const Eigen::MatrixXf columns = all.middleRows(3, 3);
    EXPECT_TRUE(attest(w, texts, columns));
    EXPECT_EQ(w.remote->counters().chunks_charged, 2U);
}

TEST(Attest, WhatCannotBeRightIsNotSent) {
    world w{service_options()};
    matrix rows = embedded(corpus(3));
    EXPECT_EQ(attest(w, corpus(2), rows).error().kind, errc::invalid_argument);
    EXPECT_EQ(attest(w, {}, matrix(0, 384)).error().kind, errc::invalid_argument);
    EXPECT_EQ(attest(w, corpus(3), matrix(3, 0)).error().kind, errc::invalid_argument);
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        rows(2, 5) = bad;
        const auto refused = attest(w, corpus(3), rows);
        EXPECT_EQ(refused.error().kind, errc::invalid_argument);
        EXPECT_NE(refused.error().message.find("row 2"), std::string::npos);
    }
    const auto spec = job_request::for_spec("model: bge-small-v1.5\nchunking:\n  chunk_size: 2\n", corpus(3));
    EXPECT_EQ(w.run(w.subject->verify_outputs(spec, embedded(corpus(3)))).error().kind, errc::request_too_large);
    EXPECT_EQ(w.remote->counters().chunks_charged, 0U);
}

TEST(Attest, TheOlderFormIsOneChunk) {
    world w{service_options()};
    const auto spec = job_request::for_spec("model: bge-small-v1.5\nchunking:\n  chunk_size: 3\n", corpus(3));
    const auto made = w.run(w.subject->verify_outputs(spec, embedded(corpus(3))));
    ASSERT_TRUE(made) << made.error();
    EXPECT_EQ(made->report.find("outputs_root")->verdict, check_verdict::verified);
    // Where the specification cannot be read here, the service says it, and that is typed.
    const auto quoted = job_request::for_spec("model: bge-small-v1.5\nchunking:\n  chunk_size: \"2\"\n", corpus(3));
    const auto refused = w.run(w.subject->verify_outputs(quoted, embedded(corpus(3))));
    EXPECT_EQ(refused.error().kind, errc::request_too_large) << refused.error();
    EXPECT_NE(refused.error().message.find("one chunk"), std::string::npos);
}

TEST(Attest, OtherOutputsFailWithReasonAndJob) {
    world w{service_options()};
    matrix rows = embedded(corpus(3));
    rows(1, 7) += 1e-6F;
    const auto wrong = attest(w, corpus(3), rows);
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().kind, errc::verification_failed);
    EXPECT_EQ(wrong.error().http_status, 422);
    EXPECT_EQ(wrong.error().job_id.size(), 36U) << "a UUID";
    EXPECT_NE(wrong.error().message.find("claimed commitment"), std::string::npos);
    EXPECT_THROW(wrong.value(), verification_failed_error);
}

TEST(Attest, AVerificationThatTakesTooLongIsTyped) {
    service_options options;
    options.settle_delay_ms = 90'000;
    world w{options};
    const auto late = attest(w, corpus(3), embedded(corpus(3)));
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().kind, errc::verification_timeout) << late.error();
    EXPECT_EQ(late.error().http_status, 504);
    EXPECT_GE(w.now(), 60s);
}

TEST(Attest, ALostResponseIsUnknownAndNotRepeated) {
    service_options options;
    options.faults.drop = 1;
    for (std::uint64_t seed = 1; seed < 20; ++seed) {
        options.seed = seed;
        world w{options, seed};
        const auto lost = attest(w, corpus(3), embedded(corpus(3)));
        ASSERT_FALSE(lost);
        EXPECT_LE(w.remote->counters().jobs_created, 1U) << seed;
    }
}

TEST(Attest, RefusalsForThePaceAreWaitedOut) {
    service_options options;
    options.chunks_per_minute = 1;
    world w{options};
    for (int i = 0; i < 3; ++i) {
        const auto made = attest(w, corpus(2), embedded(corpus(2)));
        EXPECT_TRUE(made) << made.error();
    }
    EXPECT_GE(w.now(), 120s);
    EXPECT_EQ(w.remote->counters().chunks_charged, 3U);
}

// A receipt alone, with nothing known of the account: what contradicts a scheme seen before is a failure, with the
// receipt at hand.
TEST(Attest, ASpoiledReceiptIsNoticedOnceTheSchemesAreKnown) {
    const struct {
        proof_fault fault;
        const char* check;
    } cases[] = {{proof_fault::receipt_hash_bit, "receipt_hash"},
                 {proof_fault::inputs_root_bit, "inputs_root"},
                 {proof_fault::inputs_root_forged, "inputs_root"},
                 {proof_fault::outputs_root_bit, "outputs_root"},
                 {proof_fault::outputs_root_forged, "outputs_root"}};
    for (const auto& c : cases) {
        service_options options;
        options.spoiled.emplace_back(c.fault, 3, 3);
        world w{options};
        ASSERT_TRUE(attest(w, corpus(7), embedded(corpus(7))));
        ASSERT_TRUE(attest(w, corpus(3), embedded(corpus(3))));
        const auto spoiled = attest(w, corpus(5), embedded(corpus(5)));
        ASSERT_FALSE(spoiled) << to_string(c.fault);
        EXPECT_EQ(spoiled.error().kind, errc::verification_failed);
        EXPECT_NE(spoiled.error().message.find(c.check), std::string::npos) << spoiled.error();
        EXPECT_NE(spoiled.error().receipt_id, "");
        EXPECT_TRUE(spoiled.error().raw_body.starts_with("{\"receipt_id\""));
        EXPECT_TRUE(attest(w, corpus(5), embedded(corpus(5))));
    }
}

TEST(Attest, AnotherSchemeIsNoFailure) {
    service_options options;
    options.scheme = receipt_scheme_named("sorted-ascii/empty-receipt_hash/leaf-plain/node-plain/duplicate").value();
    options.commitment = commitment_encoding::sha256_twice;
    world w{options};
    for (const std::size_t rows : {7u, 3u, 250u}) {
        const auto made = attest(w, corpus(rows), embedded(corpus(rows)));
        ASSERT_TRUE(made) << made.error();
        EXPECT_EQ(made->report.find("receipt_hash")->verdict, check_verdict::verified);
    }
}

}  // namespace
}  // namespace vembed::testing
