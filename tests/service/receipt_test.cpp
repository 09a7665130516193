// Receipts are what they claim, and POST /verify tells right from wrong.

#include <gtest/gtest.h>
#include <vembed/verify/merkle.hpp>
#include <vembed/verify/receipt_hash.hpp>
#include <vembed/verify/sha256.hpp>

#include "service/service_driver.hpp"

namespace vembed {
namespace {

using namespace std::chrono_literals;

class receipt_test : public ::testing::Test {
protected:
    static testing::service_options options_of(std::uint32_t settle_delay_ms) {
        testing::service_options options;
        options.chunk_size = 2;
        options.settle_delay_ms = settle_delay_ms;
        return options;
    }
    std::string settled_receipt_id(service_driver& driver, const std::string& job) {
        return std::string(json_of(driver.ask("GET", "/jobs/" + job)).at("receipt_id").as_string());
    }
    static std::string verify_body(const std::string& commitment) {
        auto body = boost::json::parse(service_driver::body_of(5)).as_object();
        body["claimed_output_commitment"] = commitment;
        return boost::json::serialize(body);
    }
    std::string commitment_of_five(service_driver& driver) {
        const auto output = driver.ask("GET", "/jobs/" + id_of(driver.submit(5)) + "/output");
        return to_hex(sha256_of(output.body()));
    }
};

TEST_F(receipt_test, its_hash_and_roots_can_be_recomputed) {
    service_driver driver(options_of(0));
    const std::string job = id_of(driver.submit(5));
    const auto response = driver.ask("GET", "/receipts/" + settled_receipt_id(driver, job));
    ASSERT_EQ(response.status, 200);
    const auto receipt = json_of(response);
    EXPECT_EQ(receipt.at("job_id").as_string(), job);
    EXPECT_EQ(receipt.at("receipt_hash").as_string(), receipt_hash(response.text).value());
    std::vector<std::string> texts;
    for (int i = 0; i < 5; ++i) {
        texts.push_back("text number " + std::to_string(i));
    }
    EXPECT_EQ(receipt.at("inputs_root").as_string(), inputs_root(texts));
    std::vector<digest> commitments;
    const auto results = json_of(driver.ask("GET", "/jobs/" + job + "/results"));
    for (const auto& chunk : results.at("chunks").as_array()) {
        const auto& hex = chunk.at("output_commitment").as_string();
        commitments.push_back(digest_from_hex(std::string_view(hex.data(), hex.size())).value());
    }
    EXPECT_EQ(receipt.at("outputs_root").as_string(), outputs_root(commitments));
    for (const char* name : {"spec_hash", "verification_attestation", "verification_level", "issued_at"}) {
        EXPECT_FALSE(receipt.at(name).as_string().empty()) << name;
    }
    EXPECT_FALSE(receipt.at("executor_attestation_ids").as_array().empty());
}

TEST_F(receipt_test, the_service_checks_its_own) {
    service_driver driver(options_of(0));
    const std::string id = settled_receipt_id(driver, id_of(driver.submit(5)));
    const auto verification = json_of(driver.ask("GET", "/receipts/" + id + "/verify"));
    EXPECT_TRUE(verification.at("valid").as_bool());
    EXPECT_TRUE(verification.at("errors").as_array().empty());
    for (const char* check : {"receipt_hash", "inputs_root", "outputs_root", "verification_attestation"}) {
        EXPECT_TRUE(verification.at("checks").at(check).as_bool()) << check;
    }
}

TEST_F(receipt_test, the_older_form_has_the_older_names_of_the_checks) {
    service_driver driver(options_of(0));
    const boost::json::object body{{"spec_yaml", "model: bge-small-v1.5\nchunking:\n  chunk_size: 1\n"},
                                   {"input_texts", {"a", "b"}}};
    const std::string id = settled_receipt_id(driver, id_of(driver.ask("POST", "/jobs", boost::json::serialize(body))));
    EXPECT_EQ(boost::json::serialize(json_of(driver.ask("GET", "/receipts/" + id + "/verify"))),
              R"({"valid":true,"checks":{"receipt_hash":true,"input_root":true,"output_root":true,"proof_root":true},)"
              R"("errors":[]})");
    const auto receipt = json_of(driver.ask("GET", "/receipts/" + id));
    EXPECT_TRUE(receipt.contains("inputs_root")) << "the names of a receipt's fields are the same";
}

TEST_F(receipt_test, there_is_none_before_the_job_settles) {
    service_driver driver(options_of(1000));
    const std::string job = id_of(driver.submit(5));
    driver.advance(1s);
    const std::string id = settled_receipt_id(driver, job);
    EXPECT_EQ(driver.ask("GET", "/receipts/" + id).status, 200);
    service_driver again(options_of(1000));
    EXPECT_EQ(id_of(again.submit(5)), job);
    EXPECT_EQ(again.ask("GET", "/receipts/" + id).status, 404);
}

TEST_F(receipt_test, a_true_commitment_gets_a_receipt) {
    service_driver driver(options_of(0));
    const auto response = driver.ask("POST", "/verify", verify_body(commitment_of_five(driver)));
    ASSERT_EQ(response.status, 200);
    EXPECT_EQ(json_of(response).at("receipt_hash").as_string(), receipt_hash(response.text).value());
}

TEST_F(receipt_test, a_wrong_commitment_fails) {
    service_driver driver(options_of(0));
    for (const std::string& claimed : {std::string(64, '0'), std::string("nonsense"), std::string()}) {
        const auto response = driver.ask("POST", "/verify", verify_body(claimed));
        EXPECT_EQ(response.status, 422);
        EXPECT_EQ(error_of(response), "verification_failed");
        EXPECT_FALSE(json_of(response).at("reason").as_string().empty());
        EXPECT_EQ(json_of(response).at("job_id").as_string().size(), 36u);
    }
    EXPECT_EQ(driver.service.counters().chunks_charged, 9u);
}

TEST_F(receipt_test, a_verification_blocks_until_it_is_done) {
    service_driver driver(options_of(3000));
    const monotonic_time begin = driver.now;
    EXPECT_EQ(driver.ask("POST", "/verify", verify_body(std::string(64, '0'))).status, 422);
    EXPECT_EQ(driver.now - begin, 3s);
    EXPECT_EQ(driver.service.counters().chunks_charged, 3u) << "asked twice, charged once";
}

TEST_F(receipt_test, a_verification_that_takes_too_long_times_out) {
    service_driver driver(options_of(90'000));
    const monotonic_time begin = driver.now;
    const auto response = driver.ask("POST", "/verify", verify_body(std::string(64, '0')));
    EXPECT_EQ(response.status, 504);
    EXPECT_EQ(error_of(response), "verification_timeout");
    EXPECT_EQ(driver.now - begin, 60s);
}

TEST_F(receipt_test, the_older_form_verifies_one_chunk_only) {
    service_driver driver(options_of(0));
    boost::json::object body{{"spec_yaml", "model: bge-small-v1.5\nchunking:\n  chunk_size: 1\n"},
                             {"input_texts", {"a", "b"}},
                             {"claimed_output_commitment", std::string(64, '0')}};
    EXPECT_EQ(driver.ask("POST", "/verify", boost::json::serialize(body)).status, 400);
    body["input_texts"] = boost::json::array{"a"};
    EXPECT_EQ(driver.ask("POST", "/verify", boost::json::serialize(body)).status, 422);
}

}  // namespace
}  // namespace vembed
