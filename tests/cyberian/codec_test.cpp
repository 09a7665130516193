#include "cyberian/wire/codec.hpp"

#include <functional>

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace vembed::cyberian {
namespace {

TEST(codec, job) {
    const auto read = read_response<job>(
        R"({"id":"j1","status":"PROVING","chunk_count":10,"receipt_id":null,"created_at":"2026-01-01T00:00:00Z","new":[1]})");
    ASSERT_TRUE(read) << read.error();
    EXPECT_EQ(read->id, "j1");
    EXPECT_EQ(read->status, job_status::proving);
    EXPECT_EQ(read->status_text, "PROVING");
    EXPECT_EQ(read->chunk_count, 10u);
    EXPECT_FALSE(read->receipt_id);
    EXPECT_EQ(read->created_at, "2026-01-01T00:00:00Z");
    EXPECT_EQ(read->raw.at("new").at(0).as_int64(), 1) << "unknown fields stay reachable";
}

TEST(codec, every_state_of_a_job) {
    for (const auto& [word, status] :
         {std::pair("EXECUTING", job_status::executing), std::pair("PROVING", job_status::proving),
          std::pair("SETTLED", job_status::settled), std::pair("FAILED", job_status::failed),
          std::pair("REFUNDED", job_status::refunded), std::pair("settled", job_status::settled),
          std::pair("Failed", job_status::failed), std::pair("PAUSED", job_status::unknown),
          std::pair("unknown", job_status::unknown), std::pair("", job_status::unknown)}) {
        const auto read = read_response<job>(R"({"id":"j","chunk_count":1,"status":")" + std::string(word) + "\"}");
        ASSERT_TRUE(read);
        EXPECT_EQ(read->status, status) << word;
        EXPECT_EQ(read->status_text, word);
        EXPECT_EQ(is_terminal(read->status),
                  status == job_status::settled || status == job_status::failed || status == job_status::refunded);
    }
}

TEST(codec, results) {
    const auto read = read_response<job_results>(
        R"({"job_id":"j1","status":"SETTLED","receipt_id":"r1","chunks":[
            {"chunk_index":0,"row_start":0,"row_end":100,"status":"VERIFIED","output_commitment":"ab","selected_for_verification":true},
            {"chunk_index":1,"row_start":100,"row_end":150,"status":"ODD","output_commitment":null}]})");
    ASSERT_TRUE(read) << read.error();
    EXPECT_EQ(read->job_id, "j1");
    EXPECT_EQ(read->receipt_id, "r1");
    ASSERT_EQ(read->chunks.size(), 2u);
    EXPECT_EQ(read->chunks[0].row_end, 100u);
    EXPECT_EQ(read->chunks[0].output_commitment, "ab");
    EXPECT_TRUE(read->chunks[0].selected_for_verification);
    EXPECT_EQ(read->chunks[1].status, "ODD");
    EXPECT_FALSE(read->chunks[1].output_commitment);
    EXPECT_FALSE(read->chunks[1].selected_for_verification);
    EXPECT_TRUE(read_response<job_results>(R"({"job_id":"j","status":"EXECUTING","chunks":[]})")->chunks.empty());
}

TEST(codec, models) {
    const auto read = read_response<std::vector<model_info>>(
        R"({"models":[{"id":"bge","name":"BGE","description":"d","output_dimensions":1024,"max_input_length_tokens":512,"x":1},
            {"id":"bare","output_dimensions":384}]})");
    ASSERT_TRUE(read) << read.error();
    ASSERT_EQ(read->size(), 2u);
    EXPECT_EQ(read->at(0).output_dimensions, 1024u);
    EXPECT_EQ(read->at(0).max_input_length_tokens, 512u);
    EXPECT_EQ(read->at(0).raw.at("x").as_int64(), 1);
    EXPECT_FALSE(read->at(1).max_input_length_tokens);
}

constexpr std::string_view receipt_text =
    R"({"receipt_id":"r","job_id":"j","spec_hash":"s","inputs_root":"i","outputs_root":"o","verification_attestation":"a",
        "verification_level":"sampled","executor_attestation_ids":["e1","e2"],"issued_at":"t","receipt_hash":"h","new":2})";

TEST(codec, receipt_keeps_its_exact_bytes) {
    const auto read = read_response<receipt>(receipt_text);
    ASSERT_TRUE(read) << read.error();
    EXPECT_EQ(read->receipt_id, "r");
    EXPECT_EQ(read->job_id, "j");
    EXPECT_EQ(read->spec_hash, "s");
    EXPECT_EQ(read->inputs_root, "i");
    EXPECT_EQ(read->outputs_root, "o");
    EXPECT_EQ(read->verification_attestation, "a");
    EXPECT_EQ(read->verification_level, "sampled");
    EXPECT_EQ(read->executor_attestation_ids, (std::vector<std::string>{"e1", "e2"}));
    EXPECT_EQ(read->issued_at, "t");
    EXPECT_EQ(read->receipt_hash, "h");
    EXPECT_EQ(read->raw_text, receipt_text);
}

TEST(codec, receipt_verification_with_today_s_and_older_names) {
    const auto read = read_response<receipt_verification>(
        R"({"valid":false,"checks":{"receipt_hash":true,"inputs_root":false,"proof_root":null},"errors":["inputs differ"]})");
    ASSERT_TRUE(read) << read.error();
    EXPECT_FALSE(read->valid);
    EXPECT_EQ(read->checks, (std::vector<receipt_check>{{"receipt_hash", true}, {"inputs_root", false}}));
    EXPECT_EQ(read->errors, std::vector<std::string>{"inputs differ"});
    EXPECT_TRUE(read_response<receipt_verification>(R"({"valid":true})")->valid);
}

TEST(codec, account) {
    const auto read = read_response<account_info>(
        R"({"account_id":"a","name":"n","email":"e","username":"u","email_verified_at":null,"tier":"free",
            "effective_tier":"trial","subscription_status":"trial","trial_ends_at":"t2","chunks_consumed_period":40,
            "chunks_period_started_at":"p","limits":{"chunks_per_period":400,"period_length_days":14,"chunks_per_day":100,
            "chunks_per_minute":60,"max_chunks_per_request":100,"max_inputs":1000,"future":1},
            "keys":[{"key_id":"k","label":"l","created_at":"c","revoked_at":null}]})");
    ASSERT_TRUE(read) << read.error();
    EXPECT_EQ(read->effective_tier, "trial");
    EXPECT_FALSE(read->email_verified_at);
    EXPECT_FALSE(read->trial_started_at);
    EXPECT_EQ(read->trial_ends_at, "t2");
    EXPECT_EQ(read->chunks_consumed_period, 40u);
    EXPECT_EQ(read->limits.chunks_per_period, 400u);
    EXPECT_EQ(read->limits.chunks_per_day, 100u);
    EXPECT_EQ(read->limits.chunks_per_minute, 60u);
    EXPECT_EQ(read->limits.max_chunks_per_request, 100u);
    EXPECT_EQ(read->limits.max_inputs, 1000u);
    ASSERT_EQ(read->keys.size(), 1u);
    EXPECT_EQ(read->keys[0].label, "l");
    EXPECT_FALSE(read->keys[0].revoked_at);

    EXPECT_EQ(read_response<account_info>(R"({"account_id":"a","limits":{"max_input_texts":500}})")->limits.max_inputs,
              500u);
    EXPECT_EQ(read_response<account_info>(R"({"account_id":"a","limits":{"max_inputs":500,"max_input_texts":7}})")
                  ->limits.max_inputs,
              7u)
        << "the smaller one";
    EXPECT_EQ(read_response<account_info>(R"({"account_id":"a","limits":{"max_inputs":7,"max_input_texts":500}})")
                  ->limits.max_inputs,
              7u)
        << "the current name wins";
    EXPECT_FALSE(read_response<account_info>(R"({"account_id":"a","limits":null,"keys":null})")->limits.chunks_per_day);
}

TEST(codec, health_and_keys) {
    EXPECT_TRUE(read_response<health_info>(R"({"ok":true,"service":"cyberian"})")->ok);
    EXPECT_FALSE(read_response<health_info>(R"({"ok":false})")->ok);
    EXPECT_EQ(read_response<rotated_key>(R"({"api_key":"cyb_new","key_id":"k2"})")->api_key, "cyb_new");
}

// Removes or replaces each member in turn.
void expect_required(const std::string& good, const std::vector<std::string>& required,
                     const std::function<std::optional<error>(std::string_view)>& read) {
    EXPECT_FALSE(read(good)) << *read(good);
    const auto parsed = boost::json::parse(good).as_object();
    for (const auto& member : parsed) {
        const std::string name(member.key());
        const bool needed = std::find(required.begin(), required.end(), name) != required.end();
        auto without = parsed;
        without.erase(member.key());
        auto null = parsed;
        null[member.key()] = nullptr;
        for (const auto& changed : {without, null}) {
            const auto error = read(boost::json::serialize(changed));
            EXPECT_EQ(error.has_value(), needed) << name;
            if (error) {
                EXPECT_EQ(error->kind, errc::protocol);
                EXPECT_NE(error->message.find('"' + name + '"'), std::string::npos) << error->message;
            }
        }
        auto wrong = parsed;
        wrong[member.key()] = boost::json::object{{"odd", 1.5}};
        EXPECT_EQ(read(boost::json::serialize(wrong)).has_value(), needed) << name;
    }
}

template <class T>
std::optional<error> error_of(result<T> (*read)(std::string_view), std::string_view body) {
    const result<T> got = read(body);
    return got ? std::nullopt : std::optional(got.error());
}

template <class T>
std::function<std::optional<error>(std::string_view)> reads(result<T> (*read)(std::string_view)) {
    return [read](std::string_view body) { return error_of(read, body); };
}

// What stands in the way of the result is read strictly, everything else is not.
TEST(codec, a_field_that_is_needed_is_named_if_it_is_missing_or_of_another_type) {
    expect_required(R"({"id":"j","status":"SETTLED","chunk_count":1,"receipt_id":"r","created_at":"t"})", {"id"},
                    reads(read_response<job>));
    expect_required(R"({"job_id":"j","status":"SETTLED","receipt_id":"r","chunks":[]})", {"chunks"},
                    reads(read_response<job_results>));
    expect_required(std::string(receipt_text).substr(0, receipt_text.rfind(",\"new\"")) + "}",
                    {"receipt_id", "job_id", "spec_hash", "inputs_root", "outputs_root", "receipt_hash"},
                    reads(read_response<receipt>));
    expect_required(R"({"valid":true,"checks":{},"errors":[]})", {"valid"}, reads(read_response<receipt_verification>));
    expect_required(R"({"account_id":"a","tier":"t","chunks_consumed_period":1,"limits":{},"keys":[]})", {},
                    reads(read_response<account_info>));
    expect_required(R"({"api_key":"cyb_new","key_id":"k"})", {"api_key", "key_id"}, reads(read_response<rotated_key>));
    expect_required(R"({"models":[]})", {"models"}, reads(read_response<std::vector<model_info>>));
    expect_required(R"({"ok":true,"service":"s"})", {"ok"}, reads(read_response<health_info>));
}

TEST(codec, numbers_are_counts_in_any_form) {
    for (const char* number : {"20", "20.0", "2e1", "\"20\""}) {
        EXPECT_EQ(read_response<job>(R"({"id":"j","chunk_count":)" + std::string(number) + "}")->chunk_count, 20u)
            << number;
        const auto read = read_response<job_results>(
            R"({"job_id":"j","chunks":[{"chunk_index":0,"row_start":0,"row_end":)" + std::string(number) + "}]}");
        ASSERT_TRUE(read) << number;
        EXPECT_EQ(read->chunks[0].row_end, 20u) << number;
    }
    for (const char* number :
         {"-1", "1.5", "\"\"", "\"1.0\"", "\" 1\"", "true", "18446744073709551616", "1e300", "[1]"}) {
        const auto read = read_response<job>(R"({"id":"j","status":"S","chunk_count":)" + std::string(number) + "}");
        ASSERT_TRUE(read) << number;
        EXPECT_EQ(read->chunk_count, 0u) << number << ": not told";
        EXPECT_FALSE(read_response<job_results>(R"({"job_id":"j","chunks":[{"chunk_index":0,"row_start":0,"row_end":)" +
                                                std::string(number) + "}]}"))
            << number << ": which rows these are has to be known";
    }
    EXPECT_EQ(read_response<job>(R"({"id":"j","status":"S","chunk_count":18446744073709551615})")->chunk_count,
              18446744073709551615u);
}

TEST(codec, what_was_asked_for_by_its_id_need_not_name_itself) {
    const auto state = read_job_state(R"({"status":"SETTLED"})");
    ASSERT_TRUE(state) << state.error();
    EXPECT_EQ(state->id, "");
    EXPECT_EQ(state->status, job_status::settled);
    EXPECT_EQ(read_job_state(R"({"id":true,"status":"SETTLED"})")->id, "");
    const auto results = read_response<job_results>(R"({"status":"SETTLED","chunks":[{"row_start":10,"row_end":20},
        {"row_start":0,"row_end":10}]})");
    ASSERT_TRUE(results) << results.error();
    EXPECT_EQ(results->job_id, "");
    EXPECT_EQ(results->chunks[0].row_start, 0u);
    EXPECT_EQ(results->chunks[0].chunk_index, 0u);
    EXPECT_EQ(results->chunks[1].chunk_index, 1u);
}

TEST(codec, wrong_members_of_lists_are_refused) {
    EXPECT_FALSE(read_response<job_results>(R"({"job_id":"j","status":"S","chunks":[1]})"));
    EXPECT_FALSE(read_response<job_results>(R"({"job_id":"j","status":"S","chunks":[{"chunk_index":0}]})"));
    EXPECT_FALSE(read_response<std::vector<model_info>>(R"({"models":["bge"]})"));
    EXPECT_FALSE(read_response<std::vector<model_info>>(R"({"models":[{"id":"bge"}]})"));
}

TEST(codec, a_job_is_one_whatever_else_its_response_says) {
    for (const char* body :
         {R"({"id":"j1"})", R"({"id":"j1","status":null,"chunk_count":null,"receipt_id":null,"created_at":null})",
          R"({"id":"j1","status":7,"chunk_count":[],"receipt_id":{},"created_at":1700000000})",
          R"({"id":"j1","status":"ODD","note":"\ud83d"})", "\xef\xbb\xbf{\"id\":\"j1\"}"}) {
        const auto read = read_response<job>(body);
        ASSERT_TRUE(read) << body << read.error();
        EXPECT_EQ(read->id, "j1") << body;
        EXPECT_EQ(read->status, job_status::unknown) << body;
        EXPECT_EQ(read->chunk_count, 0u) << body;
    }
    EXPECT_EQ(read_response<job>(R"({"id":42})")->id, "42");
    for (const char* body : {R"({"status":"EXECUTING"})", R"({"id":null})", R"({"id":true})", R"({"id":["j"]})"}) {
        EXPECT_FALSE(read_response<job>(body)) << body;
    }
}

TEST(codec, chunks_come_in_any_order_and_their_words_without_case) {
    const auto read = read_response<job_results>(R"({"job_id":"j","status":"settled","chunks":[
        {"chunk_index":2,"row_start":20,"row_end":25,"status":"odd"},
        {"chunk_index":0,"row_start":0,"row_end":10,"status":"verified"},
        {"chunk_index":1,"row_start":10,"row_end":20,"status":"Verified","selected_for_verification":"yes"}]})");
    ASSERT_TRUE(read) << read.error();
    EXPECT_EQ(read->status, job_status::settled);
    ASSERT_EQ(read->chunks.size(), 3u);
    for (std::uint64_t i = 0; i < 3; ++i) {
        EXPECT_EQ(read->chunks[i].chunk_index, i);
    }
    EXPECT_EQ(read->chunks[0].status, "VERIFIED");
    EXPECT_EQ(read->chunks[1].status, "VERIFIED");
    EXPECT_EQ(read->chunks[2].status, "odd");
    EXPECT_FALSE(read->chunks[1].selected_for_verification);
}

TEST(codec, an_account_is_read_as_far_as_it_tells) {
    EXPECT_FALSE(read_response<account_info>("{}")) << "some other JSON";
    const auto read = read_response<account_info>(
        R"({"limits":{"chunks_per_day":"100","chunks_per_minute":60.0,"max_inputs":"many"},"keys":[1,{"key_id":"k"}]})");
    ASSERT_TRUE(read) << read.error();
    EXPECT_EQ(read->account_id, "");
    EXPECT_EQ(read->limits.chunks_per_day, 100u);
    EXPECT_EQ(read->limits.chunks_per_minute, 60u);
    EXPECT_FALSE(read->limits.max_inputs);
    ASSERT_EQ(read->keys.size(), 1u);
    EXPECT_TRUE(read_response<receipt_verification>(R"({"valid":true,"checks":{"x":1},"errors":[1,"e"]})"));
    EXPECT_FALSE(read_response<receipt_verification>(R"({"valid":"true"})")) << "it decides about the rows";
}

TEST(codec, rubbish_is_a_protocol_failure_with_the_start_of_the_body) {
    for (const std::string& body :
         {std::string(), std::string("<html>"), std::string("[]"), std::string("null"), std::string("{\"id\":"),
          std::string("{} trailing"), std::string("{\"id\":\"\xff\"}"), std::string(100'000, '['),
          "{\"x\":" + std::string(1000, '[') + std::string(1000, ']') + "}"}) {
        const auto read = read_response<job>(body);
        ASSERT_FALSE(read) << body.substr(0, 20);
        EXPECT_EQ(read.error().kind, errc::protocol);
        EXPECT_EQ(read.error().raw_body, body.substr(0, error::max_raw_body));
    }
}

TEST(codec, a_new_key_is_in_no_failure) {
    for (const char* body :
         {R"({"api_key":"cyb_new"})", R"({"api_key":"cyb_new","key_id":7})", R"({"api_key":"cyb_new",)"}) {
        const auto read = read_response<rotated_key>(body);
        ASSERT_FALSE(read);
        EXPECT_EQ(read.error().describe().find("cyb_new"), std::string::npos);
        EXPECT_EQ(read.error().raw_body, "");
    }
}

TEST(codec, shape) {
    EXPECT_EQ(*read_shape("3,1024"), std::pair(std::uint64_t{3}, std::uint64_t{1024}));
    EXPECT_EQ(*read_shape("3,  1024"), std::pair(std::uint64_t{3}, std::uint64_t{1024}));
    EXPECT_EQ(*read_shape(" 3 ,\t4 "), std::pair(std::uint64_t{3}, std::uint64_t{4}));
    EXPECT_EQ(*read_shape("0,0"), std::pair(std::uint64_t{0}, std::uint64_t{0}));
    for (const char* bad : {"", "3", "3,", ",3", "3;4", "-3,4", "3,-4", "+3,4", "3,4,5", "3 4", "3.0,4", "0x3,4",
                            "18446744073709551616,1", "a,b", "(3, 4)"}) {
        EXPECT_FALSE(read_shape(bad)) << bad;
    }
}

TEST(codec, names_of_the_number_format) {
    for (const char* name : {"float32", "Float32", "FLOAT32", "<f4", "f4"}) {
        EXPECT_TRUE(names_float32(name)) << name;
    }
    for (const char* name : {"", "float16", "float64", ">f4", "<f2", "float32be", "int32"}) {
        EXPECT_FALSE(names_float32(name)) << name;
    }
}

}  // namespace
}  // namespace vembed::cyberian
