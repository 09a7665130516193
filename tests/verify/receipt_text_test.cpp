// Receipts with more in them than anybody documents: what is refused, and what only cannot be hashed.

#include "verify/receipt/receipt_fields.hpp"

#include <gtest/gtest.h>

#include "verify/issued_job.hpp"

namespace vembed {
namespace {

using testing_support::issued_job;
using testing_support::job_plan;

std::string with(const std::string& receipt, const std::string& member) {
    return "{" + member + "," + receipt.substr(1);
}

std::string nested(std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
}

// None of them has a form that every reader hashes alike.
const std::vector<std::string> unhashable_fields = {
    R"("x":1e400)",
    R"("x":[-1e-400,{"y":1E+999}])",
    R"("x":)" + nested(80),
    R"("x":)" + nested(250),
    R"("x":{"a":1,"a":2})",
    R"("x":1,"x":2)",
    R"("x":[{"job_id":"a","job_id":"b"}])",
    R"("x":"\ud83d")",
};

TEST(receipt_text, unknown_fields_may_hold_any_json) {
    const std::string good = issued_job(job_plan()).receipt_text();
    for (const std::string& field : unhashable_fields) {
        EXPECT_TRUE(verify::check_receipt_text(with(good, field))) << field;
        const auto fields = verify::read_receipt_fields(with(good, field));
        ASSERT_TRUE(fields) << field << fields.error();
        EXPECT_EQ(fields->job_id, "job_1001");
    }
    EXPECT_TRUE(verify::check_receipt_text("\xef\xbb\xbf" + good));
}

TEST(receipt_text, a_documented_field_is_there_once) {
    issued_job job{job_plan()};
    const std::string good = job.receipt_text();
    for (const auto& [key, value] : job.proof) {
        const std::string twice = with(good, "\"" + std::string(key) + "\":null");
        const auto refused = verify::check_receipt_text(twice);
        ASSERT_FALSE(refused) << twice;
        EXPECT_NE(refused.error().message.find("twice"), std::string::npos);
        EXPECT_FALSE(verify::read_receipt_fields(twice)) << twice;
    }
    EXPECT_FALSE(verify::check_receipt_text(with(good, R"("job\u005fid":"another")"))) << "however it is written";
    EXPECT_FALSE(verify::check_receipt_text(with(good, R"("issued_at" :"another")")));
    EXPECT_TRUE(verify::check_receipt_text(with(good, R"("x":"job_id","y":["job_id",{"job_id":"\\\"job_id\":"}])")));
    for (const std::string& text : {std::string(), std::string("[]"), std::string("\"job_id\""), good + "x",
                                    std::string(100'000, '['), with(good, R"("x":)" + nested(256))}) {
        EXPECT_FALSE(verify::check_receipt_text(text)) << text.substr(0, 100);
    }
}

TEST(receipt_text, an_attestation_that_is_no_text_is_none) {
    issued_job job{job_plan()};
    for (const boost::json::value& value :
         {boost::json::value(nullptr), boost::json::value(7), boost::json::value(boost::json::object())}) {
        job.proof["verification_attestation"] = value;
        job.proof["verification_level"] = 2;
        job.proof["issued_at"] = nullptr;
        job.seal(job_plan().scheme.hash);
        const offline_report report = verify_receipt_offline(job.receipt_text(), job.evidence());
        EXPECT_EQ(report.first_failed(), nullptr) << report.text();
        EXPECT_EQ(report.find("verification_attestation")->verdict, check_verdict::not_checkable);
        EXPECT_EQ(report.find("receipt_hash")->verdict, check_verdict::verified);
    }
}

TEST(receipt_text, what_has_no_form_to_be_hashed_is_not_checkable) {
    const issued_job job{job_plan()};
    const offline_evidence evidence = job.evidence();
    const account_pins pins = verify_receipt_offline(job.receipt_text(), evidence).pins;
    for (const std::string& field : unhashable_fields) {
        for (const account_pins& known : {account_pins(), pins}) {
            const offline_report report = verify_receipt_offline(with(job.receipt_text(), field), evidence, known);
            EXPECT_EQ(report.first_failed(), nullptr) << report.text();
            EXPECT_EQ(report.find("receipt_form")->verdict, check_verdict::verified) << field;
            EXPECT_EQ(report.find("receipt_hash")->verdict, check_verdict::not_checkable) << field;
            EXPECT_EQ(report.find("outputs_root")->verdict, check_verdict::verified) << field;
        }
    }
    const offline_report changed = verify_receipt_offline(with(job.receipt_text(), R"("x":1)"), evidence, pins);
    EXPECT_EQ(changed.find("receipt_hash")->verdict, check_verdict::failed) << "that can be hashed";
}

TEST(receipt_text, a_byte_order_mark_is_not_hashed) {
    const issued_job job{job_plan()};
    const offline_report report = verify_receipt_offline("\xef\xbb\xbf" + job.receipt_text(), job.evidence());
    EXPECT_EQ(report.find("receipt_hash")->verdict, check_verdict::verified) << report.text();
}

}  // namespace
}  // namespace vembed
