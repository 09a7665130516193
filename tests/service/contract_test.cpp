// The contract's endpoints and errors, one by one.

#include <cstring>
#include <regex>
#include <set>

#include <gtest/gtest.h>
#include <vembed/verify/sha256.hpp>

#include "service/service_driver.hpp"

namespace vembed {
namespace {

using namespace std::chrono_literals;

TEST(contract, health_needs_no_key) {
    service_driver driver;
    driver.key.clear();
    const auto response = driver.ask("GET", "/health");
    EXPECT_EQ(response.status, 200);
    EXPECT_TRUE(json_of(response).at("ok").as_bool());
    EXPECT_TRUE(json_of(response).at("service").is_string());
}

TEST(contract, all_else_needs_a_key) {
    service_driver driver;
    for (const char* key : {"", "cyb_wrong", "x"}) {
        driver.key = key;
        for (const char* target : {"/models", "/account", "/jobs/x", "/receipts/x", "/nothing"}) {
            const auto response = driver.ask("GET", target);
            EXPECT_EQ(response.status, 401) << target;
            EXPECT_EQ(error_of(response), "unauthorized");
        }
        EXPECT_EQ(driver.submit(1).status, 401);
    }
}

TEST(contract, models_have_their_dimensions) {
    service_driver driver;
    const auto response = json_of(driver.ask("GET", "/models"));
    std::map<std::string, std::int64_t> dimensions;
    for (const auto& model : response.at("models").as_array()) {
        dimensions[std::string(model.at("id").as_string())] = model.at("output_dimensions").to_number<std::int64_t>();
        EXPECT_EQ(model.at("max_input_length_tokens").to_number<std::int64_t>(), 512);
    }
    EXPECT_EQ(dimensions,
              (std::map<std::string, std::int64_t>{
                  {"bge-large-v1.5", 1024}, {"bge-small-v1.5", 384}, {"bench-1024", 1024}, {"bench-8", 8}}));
}

TEST(contract, a_job_goes_from_executing_over_proving_to_settled) {
    testing::service_options options;
    options.settle_delay_ms = 1000;
    options.chunk_size = 2;
    service_driver driver(options);
    const auto submitted = driver.submit(5);
    ASSERT_EQ(submitted.status, 201);
    EXPECT_EQ(json_of(submitted).at("status").as_string(), "EXECUTING");
    EXPECT_EQ(json_of(submitted).at("chunk_count").to_number<int>(), 3);
    EXPECT_TRUE(json_of(submitted).at("receipt_id").is_null());
    EXPECT_EQ(json_of(submitted).at("created_at").as_string(), "2026-01-31T00:00:00.000Z");
    const std::string path = "/jobs/" + id_of(submitted);
    EXPECT_EQ(json_of(driver.ask("GET", path)).at("status").as_string(), "EXECUTING");
    driver.advance(500ms);
    EXPECT_EQ(json_of(driver.ask("GET", path)).at("status").as_string(), "PROVING");
    driver.advance(500ms);
    EXPECT_EQ(json_of(driver.ask("GET", path)).at("status").as_string(), "SETTLED");
    EXPECT_TRUE(json_of(driver.ask("GET", path)).at("receipt_id").is_string());
}

TEST(contract, wait_holds_until_the_job_is_terminal_or_the_time_is_over) {
    testing::service_options options;
    options.settle_delay_ms = 40'000;
    service_driver driver(options);
    const std::string path = "/jobs/" + id_of(driver.submit(1)) + "/wait?max_wait=";
    const monotonic_time begin = driver.now;
    EXPECT_EQ(json_of(driver.ask("GET", path + "2")).at("status").as_string(), "EXECUTING");
    EXPECT_EQ(driver.now - begin, 2s);
    EXPECT_EQ(json_of(driver.ask("GET", path + "0")).at("status").as_string(), "EXECUTING");
    EXPECT_EQ(driver.now - begin, 2s);
    EXPECT_EQ(json_of(driver.ask("GET", path + "1000")).at("status").as_string(), "PROVING");
    EXPECT_EQ(driver.now - begin, 32s) << "30 s at most";
    EXPECT_EQ(json_of(driver.ask("GET", path + "30")).at("status").as_string(), "SETTLED");
    EXPECT_EQ(driver.now - begin, 40s);
    EXPECT_EQ(driver.ask("GET", path + "x").status, 400);
}

TEST(contract, results_tile_the_job_and_hold_the_commitments_of_its_output) {
    testing::service_options options;
    options.chunk_size = 3;
    service_driver driver(options);
    const std::string path = "/jobs/" + id_of(driver.submit(7));
    const auto output = driver.ask("GET", path + "/output");
    ASSERT_EQ(output.status, 200);
    EXPECT_EQ(header_of(output, "Content-Type"), "application/octet-stream");
    EXPECT_EQ(header_of(output, "X-Cyberian-Shape"), "7,384");
    EXPECT_EQ(header_of(output, "X-Cyberian-Dtype"), "float32");
    ASSERT_EQ(output.body().size(), 7u * 384 * 4);
    const auto results = json_of(driver.ask("GET", path + "/results"));
    EXPECT_EQ(results.at("status").as_string(), "SETTLED");
    const auto& chunks = results.at("chunks").as_array();
    ASSERT_EQ(chunks.size(), 3u);
    std::size_t row = 0;
    bool sampled = false;
    for (std::size_t i = 0; i < chunks.size(); ++i) {
        EXPECT_EQ(chunks[i].at("chunk_index").to_number<std::size_t>(), i);
        EXPECT_EQ(chunks[i].at("row_start").to_number<std::size_t>(), row);
        const auto end = chunks[i].at("row_end").to_number<std::size_t>();
        const auto bytes = output.body().subspan(row * 384 * 4, (end - row) * 384 * 4);
        EXPECT_EQ(chunks[i].at("output_commitment").as_string(), to_hex(sha256_of(bytes)));
        EXPECT_EQ(chunks[i].at("status").as_string(), "VERIFIED");
        sampled = sampled || chunks[i].at("selected_for_verification").as_bool();
        row = end;
    }
    EXPECT_EQ(row, 7u);
    EXPECT_TRUE(sampled);
}

// Each chunk's state at a time, by its first letter: E, P, V or F.
std::string chunk_states(service_driver& driver, const std::string& path) {
    std::string states;
    const auto results = json_of(driver.ask("GET", path + "/results"));
    for (const auto& chunk : results.at("chunks").as_array()) {
        states += chunk.at("status").as_string().front();
        EXPECT_EQ(chunk.at("output_commitment").is_string(), states.back() == 'V') << states;
    }
    return states;
}

TEST(contract, chunks_get_on_one_by_one_before_the_job_settles) {
    testing::service_options options;
    options.settle_delay_ms = 8000;
    options.chunk_size = 2;
    service_driver driver(options);
    const std::string path = "/jobs/" + id_of(driver.submit(7));
    std::vector<std::string> seen;
    for (int second = 0; second <= 8; ++second) {
        seen.push_back(chunk_states(driver, path));
        EXPECT_EQ(json_of(driver.ask("GET", path)).at("status").as_string(), second < 4   ? "EXECUTING"
                                                                             : second < 8 ? "PROVING"
                                                                                          : "SETTLED");
        driver.advance(1s);
    }
    EXPECT_EQ(seen, (std::vector<std::string>{"EEEE", "PEEE", "PPEE", "PPPE", "PPPP", "VPPP", "VVPP", "VVVP", "VVVV"}));
}

TEST(contract, a_failed_chunk_shows_when_its_turn_has_come) {
    testing::service_options options;
    options.settle_delay_ms = 8000;
    options.chunk_size = 1;
    options.poison = "number 1";
    service_driver driver(options);
    const std::string path = "/jobs/" + id_of(driver.submit(4));
    driver.advance(5s);
    EXPECT_EQ(chunk_states(driver, path), "VPPP");
    driver.advance(2s);
    EXPECT_EQ(chunk_states(driver, path), "VFVP");
    driver.advance(1s);
    EXPECT_EQ(chunk_states(driver, path), "VFVV");
}

// A UUID: 8-4-4-4-12 hex digits.
bool is_uuid(std::string_view text) {
    static const std::regex form("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
    return std::regex_match(text.begin(), text.end(), form);
}

TEST(contract, ids_have_the_documented_forms) {
    service_driver driver;
    std::set<std::string> ids;
    for (int i = 0; i < 100; ++i) {
        const std::string id = id_of(driver.submit(1));
        EXPECT_TRUE(is_uuid(id)) << id;
        const std::string receipt_id(json_of(driver.ask("GET", "/jobs/" + id)).at("receipt_id").as_string());
        EXPECT_TRUE(receipt_id.starts_with("r-") && is_uuid(std::string_view(receipt_id).substr(2))) << receipt_id;
        const auto receipt = json_of(driver.ask("GET", "/receipts/" + receipt_id));
        EXPECT_EQ(receipt.at("receipt_id").as_string(), receipt_id);
        EXPECT_EQ(receipt.at("verification_level").as_string(), "standard");
        const std::string executor(receipt.at("executor_attestation_ids").at(0).as_string());
        EXPECT_TRUE(executor.starts_with("cyb-exec-")) << executor;
        ids.insert({id, receipt_id, executor});
    }
    EXPECT_EQ(ids.size(), 300u);
    const auto account = json_of(driver.ask("GET", "/account"));
    EXPECT_TRUE(account.at("account_id").as_string().starts_with("acct-")) << account;
}

TEST(contract, results_can_be_asked_for_while_executing_but_output_cannot) {
    testing::service_options options;
    options.settle_delay_ms = 1000;
    service_driver driver(options);
    const std::string path = "/jobs/" + id_of(driver.submit(2));
    const auto results = json_of(driver.ask("GET", path + "/results"));
    EXPECT_EQ(results.at("status").as_string(), "EXECUTING");
    EXPECT_TRUE(results.at("chunks").at(0).at("output_commitment").is_null());
    const auto output = driver.ask("GET", path + "/output");
    EXPECT_EQ(output.status, 409);
    EXPECT_EQ(error_of(output), "not_settled");
}

TEST(contract, the_same_text_has_the_same_row_in_any_job) {
    service_driver driver;
    const auto first = driver.ask("GET", "/jobs/" + id_of(driver.submit(3)) + "/output");
    const auto second = driver.ask("GET", "/jobs/" + id_of(driver.submit(2)) + "/output");
    EXPECT_EQ(std::memcmp(first.body().data(), second.body().data(), second.body().size()), 0);
}

TEST(contract, an_output_that_left_the_cache_is_made_again) {
    testing::service_options options;
    options.output_cache_bytes_max = 1;
    service_driver driver(options);
    const std::string path = "/jobs/" + id_of(driver.submit(2)) + "/output";
    const auto first = driver.ask("GET", path);
    driver.ask("GET", "/jobs/" + id_of(driver.submit(2)) + "/output");
    const auto again = driver.ask("GET", path);
    EXPECT_NE(first.body().data(), again.body().data());
    EXPECT_EQ(std::memcmp(first.body().data(), again.body().data(), first.body().size()), 0);
}

TEST(contract, bench_rows_are_served_from_one_block) {
    service_driver driver;
    const auto first = driver.ask("GET", "/jobs/" + id_of(driver.submit(10, "bench-1024")) + "/output");
    const auto second = driver.ask("GET", "/jobs/" + id_of(driver.submit(1000, "bench-1024")) + "/output");
    EXPECT_EQ(first.body().size(), 10u * 4096);
    EXPECT_EQ(second.body().size(), 1000u * 4096);
    EXPECT_EQ(first.body().data(), second.body().data());
}

TEST(contract, the_older_form_brings_its_chunk_size) {
    service_driver driver;
    const boost::json::object body{{"spec_yaml", "model: bge-large-v1.5\nchunking:\n  chunk_size: 1\n"},
                                   {"input_texts", {"a", "b", "c"}}};
    const auto response = driver.ask("POST", "/jobs", boost::json::serialize(body));
    ASSERT_EQ(response.status, 201);
    EXPECT_EQ(json_of(response).at("chunk_count").to_number<int>(), 3);
    EXPECT_EQ(header_of(driver.ask("GET", "/jobs/" + id_of(response) + "/output"), "X-Cyberian-Shape"), "3,1024");
}

TEST(contract, bad_submissions_are_refused_and_cost_nothing) {
    service_driver driver;
    const struct {
        std::string body;
        const char* error;
    } cases[] = {
        {"{", "invalid_request"},
        {service_driver::body_of(0), "invalid_request"},
        {service_driver::body_of(1, "no-such-model"), "unknown_model"},
        {R"({"spec_yaml":"model: none\nchunking:\n  chunk_size: 1","input_texts":["a"]})", "unknown_model"},
        {R"({"spec_yaml":"model: bge-large-v1.5","input_texts":["a"]})", "invalid_request"},
        {R"({"model":"bge-large-v1.5","inputs":["a"],"extra":1})", "invalid_request"},
    };
    for (const auto& c : cases) {
        const auto response = driver.ask("POST", "/jobs", c.body);
        EXPECT_EQ(response.status, 400) << c.body.substr(0, 60);
        EXPECT_EQ(error_of(response), c.error) << c.body.substr(0, 60);
        EXPECT_FALSE(json_of(response).at("message").as_string().empty());
    }
    EXPECT_EQ(driver.service.counters().chunks_charged, 0u);
    EXPECT_EQ(driver.service.counters().jobs_created, 0u);
}

TEST(contract, one_input_too_many_is_too_large_and_costs_nothing) {
    service_driver driver;
    const auto response = driver.submit(1001);
    EXPECT_EQ(response.status, 413);
    EXPECT_EQ(error_of(response), "request_too_large");
    EXPECT_EQ(driver.service.counters().jobs_created, 0u);
    EXPECT_EQ(driver.submit(1000).status, 201);
}

TEST(contract, a_body_said_to_be_no_json_is_refused) {
    service_driver driver;
    const std::string body = service_driver::body_of(1);
    const struct {
        const char* type;
        int status;
    } cases[] = {{"", 201}, {"application/json", 201}, {"Application/JSON; charset=utf-8", 201}, {"text/plain", 400}};
    for (const auto& c : cases) {
        testing::service_request request;
        request.method = "POST";
        request.target = "/jobs";
        request.authorization = "Bearer " + driver.key;
        request.content_type = c.type;
        request.body = body;
        EXPECT_EQ(driver.service.handle(driver.service.arrive(0).ordinal, request, driver.now, driver.wall).status,
                  c.status)
            << c.type;
    }
}

TEST(contract, another_accounts_things_are_not_found) {
    service_driver driver;
    const std::string id = id_of(driver.submit(1));
    const std::string receipt(json_of(driver.ask("GET", "/jobs/" + id)).at("receipt_id").as_string());
    driver.key = driver.service.add_account();
    for (const std::string& target :
         {"/jobs/" + id, "/jobs/" + id + "/wait", "/jobs/" + id + "/results", "/jobs/" + id + "/output",
          "/receipts/" + receipt, "/receipts/" + receipt + "/verify", std::string("/jobs/none")}) {
        const auto response = driver.ask("GET", target);
        EXPECT_EQ(response.status, 404) << target;
        EXPECT_EQ(error_of(response), "not_found") << target;
    }
}

TEST(contract, keys_rotate_and_are_revoked) {
    service_driver driver;
    const std::string old_key = driver.key;
    const auto rotated = driver.ask("POST", "/auth/keys/rotate");
    ASSERT_EQ(rotated.status, 201);
    const std::string new_key(json_of(rotated).at("api_key").as_string());
    EXPECT_TRUE(new_key.starts_with("cyb_new_"));
    EXPECT_EQ(new_key.size(), 8u + 32u);
    EXPECT_EQ(json_of(rotated).at("key_id").as_string(), new_key.substr(0, 12));
    EXPECT_EQ(driver.ask("GET", "/models").status, 200) << "the old key stays valid until revoked";
    driver.key = new_key;
    const auto account = json_of(driver.ask("GET", "/account"));
    ASSERT_EQ(account.at("keys").as_array().size(), 2u);
    const std::string old_id(account.at("keys").at(0).at("key_id").as_string());
    EXPECT_EQ(old_id, old_key.substr(0, 12));
    const std::string body = R"({"key_id":")" + old_id + "\"}";
    EXPECT_EQ(driver.ask("POST", "/auth/keys/revoke", body).status, 200);
    EXPECT_EQ(driver.ask("POST", "/auth/keys/revoke", body).status, 200) << "idempotent";
    EXPECT_EQ(driver.ask("POST", "/auth/keys/revoke", R"({"key_id":"none"})").status, 404);
    EXPECT_EQ(driver.ask("POST", "/auth/keys/revoke", "{}").status, 400);
    EXPECT_TRUE(json_of(driver.ask("GET", "/account")).at("keys").at(0).at("revoked_at").is_string());
    driver.key = old_key;
    EXPECT_EQ(driver.ask("GET", "/models").status, 401);
}

TEST(contract, keys_cannot_be_made_without_end) {
    service_driver driver;
    int made = 0;
    while (driver.ask("POST", "/auth/keys/rotate").status == 201) {
        ASSERT_LT(++made, 1000);
    }
    EXPECT_EQ(made, 99);
}

TEST(contract, the_account_shows_limits_and_use) {
    testing::service_options options;
    options.account_tier = testing::tier::trial;
    options.chunk_size = 10;
    service_driver driver(options);
    driver.submit(35);
    const auto account = json_of(driver.ask("GET", "/account"));
    EXPECT_EQ(account.at("tier").as_string(), "free");
    EXPECT_EQ(account.at("effective_tier").as_string(), "trial");
    EXPECT_EQ(account.at("subscription_status").as_string(), "trial");
    EXPECT_EQ(account.at("trial_ends_at").as_string(), "2026-02-14T00:00:00.000Z");
    EXPECT_EQ(account.at("chunks_consumed_period").to_number<int>(), 4);
    const auto& limits = account.at("limits").as_object();
    EXPECT_EQ(limits.at("chunks_per_period").to_number<int>(), 400);
    EXPECT_EQ(limits.at("chunks_per_day").to_number<int>(), 100);
    EXPECT_EQ(limits.at("chunks_per_minute").to_number<int>(), 60);
    EXPECT_EQ(limits.at("max_chunks_per_request").to_number<int>(), 100);
    EXPECT_EQ(limits.at("max_inputs").to_number<int>(), 1000);
    EXPECT_EQ(limits.at("max_input_texts").to_number<int>(), 1000);
}

TEST(contract, an_expired_trial_shows_the_free_tiers_limits_and_buys_nothing) {
    testing::service_options options;
    options.account_tier = testing::tier::expired;
    service_driver driver(options);
    const auto account = json_of(driver.ask("GET", "/account"));
    EXPECT_EQ(account.at("tier").as_string(), "free");
    EXPECT_EQ(account.at("effective_tier").as_string(), "free");
    EXPECT_EQ(account.at("subscription_status").as_string(), "none");
    EXPECT_EQ(account.at("trial_started_at").as_string(), "2026-01-16T00:00:00.000Z");
    EXPECT_EQ(account.at("trial_ends_at").as_string(), "2026-01-30T00:00:00.000Z");
    EXPECT_EQ(boost::json::serialize(account.at("limits")),
              R"({"chunks_per_period":100,"period_length_days":30,"chunks_per_day":25,"chunks_per_minute":10,)"
              R"("max_chunks_per_request":50,"max_inputs":500,"max_input_texts":500})");
    const auto refused = driver.submit(1);
    EXPECT_EQ(refused.status, 402);
    EXPECT_EQ(error_of(refused), "trial_expired");
    EXPECT_EQ(driver.service.counters().jobs_created, 0u);
}

TEST(contract, jobs_beyond_what_is_kept_are_refused_until_one_is_fetched) {
    testing::service_options options;
    options.retained_bytes_max = 10'000;
    service_driver driver(options);
    std::vector<std::string> ids;
    testing::service_response response = driver.submit(1);
    for (; response.status == 201; response = driver.submit(1)) {
        ids.push_back(id_of(response));
        ASSERT_LT(ids.size(), 100u);
    }
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(error_of(response), "service_busy");
    EXPECT_TRUE(header_of(response, "Retry-After"));
    ASSERT_FALSE(ids.empty());
    EXPECT_EQ(driver.ask("GET", "/jobs/" + ids[0] + "/output").status, 200);
    EXPECT_EQ(driver.submit(1).status, 201);
    EXPECT_EQ(driver.ask("GET", "/jobs/" + ids[0]).status, 404);
}

}  // namespace
}  // namespace vembed
