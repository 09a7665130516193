#include "aitbc/wire/redact_receipts.hpp"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "aitbc/wire/codec.hpp"

namespace vembed::aitbc {
namespace {

constexpr std::string_view key = "client-key-0123456789";

TEST(redact_receipts, wherever_the_client_stands) {
    for (
        const char* body : {
            R"({"receipt_id":"r","client":"client-key-0123456789"})",
            R"({"receipt_id":"r","Client":"client-key-0123456789","note":"for client-key-0123456789."})",
            R"({"receipt_id":"r","client":"client-key-0123456789","metadata":{"client-key-0123456789":1}})",
            R"({"receipt_id":"r","client":"client-key-0123456789","attestations":[{"client":"client-key-0123456789"}]})",
            R"({"items":[{"receipt_id":"r","client":{"id":"client-key-0123456789"}}]})",
            R"({"receipt_id":"r","\u0063lient":"client-key-0123456789"})",
        }) {
        for (const redaction_scope scope : {redaction_scope::receipts_inside, redaction_scope::all}) {
            boost::json::value json = boost::json::parse(body);
            redact_receipts(json, scope);
            EXPECT_EQ(boost::json::serialize(json).find(key), std::string::npos) << body;
        }
    }
}

TEST(redact_receipts, leaves_what_is_no_receipt) {
    boost::json::value job = boost::json::parse(R"({"job_id":"j","payload":{"client":"a customer"}})");
    const boost::json::value before = job;
    redact_receipts(job, redaction_scope::receipts_inside);
    EXPECT_EQ(job, before);
}

TEST(redact_receipts, in_everything_that_is_read) {
    const std::string good =
        R"({"version":"1","receipt_id":"r","job_id":"j","provider":"p","client":"client-key-0123456789","status":"ok",
            "units":"2","unit_type":"gpu_s","unit_price":0.5,"price":"1.0","started_at":1769860800,
            "completed_at":1769860801,"signature":{"alg":"Ed25519"}})";
    const auto read = read_receipt(good);
    ASSERT_TRUE(read) << read.error();
    EXPECT_EQ(read->provider, "p");
    EXPECT_EQ(read->price, 1.0);
    EXPECT_EQ(read->started_at, wall_time(std::chrono::seconds(1769860800)));
    EXPECT_EQ(boost::json::serialize(read->raw).find(key), std::string::npos);
    EXPECT_EQ(read_receipts("{\"items\":[" + good + "],\"next_cursor\":\"c\"}")->next_cursor, "c");
    EXPECT_EQ(read_receipts("[" + good + "]")->receipts.size(), 1u);
    EXPECT_EQ(boost::json::serialize(read_job(R"({"job_id":"j","receipt":)" + good + "}")->raw).find(key),
              std::string::npos);
    const std::string bad[] = {R"({"client":"client-key-0123456789"})", good + "x", "[" + good + ",{}]",
                               R"({"\u0063lient":"client-key-0123456789"})"};
    for (const std::string& body : bad) {
        for (const error& f : {read_receipt(body).error(), read_receipts(body).error(), read_job(body).error()}) {
            EXPECT_EQ((f.describe() + f.raw_body).find(key), std::string::npos) << body;
        }
    }
}

}  // namespace
}  // namespace vembed::aitbc
