#include "service/endpoints/job_body.hpp"

#include <gtest/gtest.h>

namespace vembed::service {
namespace {

struct refused_case {
    std::string json;
    const char* says;
};

TEST(job_body, refuses_with_the_reason) {
    const std::string over(65'537, 'x');
    const refused_case cases[] = {
        {"", "not JSON"},
        {"{", "not JSON"},
        {"null", "must be a JSON object"},
        {"[]", "must be a JSON object"},
        {"\"x\"", "must be a JSON object"},
        {"{}", "`model` is missing"},
        {R"({"model":"m"})", "`inputs` is missing"},
        {R"({"inputs":["a"]})", "`model` is missing"},
        {R"({"model":"","inputs":["a"]})", "`model` is empty"},
        {R"({"model":"m","inputs":[]})", "no inputs"},
        {R"({"model":"m","inputs":"a"})", "inputs must be an array"},
        {R"({"model":"m","inputs":{}})", "inputs must be an array"},
        {R"({"model":"m","inputs":null})", "inputs must be an array"},
        {R"({"model":["m"],"inputs":["a"]})", "model must be a string"},
        {R"({"model":1,"inputs":["a"]})", "model must be a string"},
        {R"({"model":"m","inputs":["a",1]})", "input 1 is not a string"},
        {R"({"model":"m","inputs":["a",1.5]})", "input 1 is not a string"},
        {R"({"model":"m","inputs":["a",null]})", "input 1 is not a string"},
        {R"({"model":"m","inputs":["a",["b"]]})", "input 1 is not a string"},
        {R"({"model":"m","inputs":["a",{}]})", "input 1 is not a string"},
        {R"({"model":"m","inputs":["a",""]})", "input 1 is empty"},
        {R"({"model":"m","inputs":["a"],"x":1})", "unknown field `x`"},
        {R"({"model":"m","inputs":["a"],"claimed_output_commitment":"00"})", "unknown field"},
        {R"({"model":"m","inputs":["a"],"model":"m"})", "`model` is given twice"},
        {R"({"model":"m","inputs":["a"],"spec_yaml":"s"})", "must not be mixed"},
        {R"({"model":"m","input_texts":["a"]})", "must not be mixed"},
        {R"({"spec_yaml":"s","inputs":["a"]})", "must not be mixed"},
        {R"({"spec_yaml":"s"})", "`input_texts` is missing"},
        {R"({"model":"m","inputs":["a"]} x)", "after the JSON object"},
        {R"({"model":"m","inputs":["a"]}{})", "after the JSON object"},
        {R"({"model":"m","inputs":["a",]})", "not JSON"},
        {"{\"model\":\"m\",\"inputs\":[\"\xff\"]}", "not JSON"},
        {"{\"model\":\"m\",\"inputs\":[\"\xed\xa0\x80\"]}", "not JSON"},
        {R"({"model":"m","inputs":["\ud800"]})", "not JSON"},
        {"{\"model\":\"m\",\"inputs\":[\"a\nb\"]}", "not JSON"},
        {R"({"model":"m","inputs":[")" + over + "\"]}", "longer than 65536"},
        {R"({"model":")" + std::string(300, 'm') + R"(","inputs":["a"]})", "model is too long"},
        {"{\"" + over + "\":1}", "unknown field"},
    };
    for (const refused_case& c : cases) {
        const answer<job_body> body = read_job_body(c.json, false);
        ASSERT_FALSE(body) << c.json.substr(0, 80);
        EXPECT_EQ(body.error().status, 400);
        EXPECT_EQ(body.error().code, "invalid_request");
        EXPECT_NE(body.error().message.find(c.says), std::string::npos) << body.error().message;
    }
}

// The documents' word for a request over a cap, whatever the form.
TEST(job_body, more_inputs_than_a_request_may_have_are_too_large) {
    std::string texts = R"("a")";
    for (int i = 1; i < 1000; ++i) {
        texts += R"(,"a")";
    }
    const std::pair<std::string, std::string> forms[] = {{R"({"model":"m","inputs":[)", "]}"},
                                                         {R"({"spec_yaml":"x: 1","input_texts":[)", "]}"}};
    for (const auto& [begin, end] : forms) {
        EXPECT_TRUE(read_job_body(begin + texts + end, false)) << begin;
        const answer<job_body> body = read_job_body(begin + texts + R"(,"b")" + end, false);
        ASSERT_FALSE(body) << begin;
        EXPECT_EQ(body.error().status, 413);
        EXPECT_EQ(body.error().code, "request_too_large");
        EXPECT_NE(body.error().message.find("1000 inputs"), std::string::npos) << body.error().message;
    }
}

TEST(job_body, reads_the_current_form) {
    const auto body = read_job_body(R"( {"inputs":["a\u00e9","b"],"model":"m"} )", false);
    ASSERT_TRUE(body) << body.error().message;
    EXPECT_EQ(body->model, "m");
    EXPECT_TRUE(body->spec_yaml.empty());
    ASSERT_EQ(body->inputs.size(), 2u);
    EXPECT_EQ(body->inputs[0], "a\xc3\xa9");
    EXPECT_EQ(body->inputs[1], "b");
}

TEST(job_body, reads_the_older_form) {
    const auto body = read_job_body(R"({"spec_yaml":"x: 1","input_texts":["a"]})", false);
    ASSERT_TRUE(body) << body.error().message;
    EXPECT_EQ(body->spec_yaml, "x: 1");
    EXPECT_EQ(body->inputs[0], "a");
}

TEST(job_body, takes_an_input_of_exactly_the_limit) {
    const auto body = read_job_body(R"({"model":"m","inputs":[")" + std::string(65'536, 'x') + "\"]}", false);
    ASSERT_TRUE(body) << body.error().message;
    EXPECT_EQ(body->inputs[0].size(), 65'536u);
}

TEST(job_body, wants_the_commitment_where_outputs_are_verified) {
    EXPECT_FALSE(read_job_body(R"({"model":"m","inputs":["a"]})", true));
    const auto body = read_job_body(R"({"model":"m","inputs":["a"],"claimed_output_commitment":"00"})", true);
    ASSERT_TRUE(body) << body.error().message;
    EXPECT_EQ(body->claimed_output_commitment, "00");
}

TEST(revoke_body, takes_the_key_id_only) {
    EXPECT_EQ(read_revoke_body(R"({"key_id":"abc"})").value(), "abc");
    for (const char* json : {"", "{}", R"({"key_id":1})", R"({"key_id":["a"]})", R"({"key_id":"a","x":"b"})"}) {
        EXPECT_FALSE(read_revoke_body(json)) << json;
    }
}

}  // namespace
}  // namespace vembed::service
