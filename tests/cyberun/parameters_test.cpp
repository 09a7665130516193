#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <vembed/cyberun/parameters.hpp>

#include "cyberun/wire/codec.hpp"

namespace vembed::cyberun {
namespace {

workflow upscale() {
    return read_response<workflow>(
               R"({"id":"w","parameters":[
                {"key":"scale","type":"number","required":true,"min":1,"max":4,"source_key":"factor"},
                {"key":"seed","type":"number","required":true,"default":7},
                {"key":"prompt","type":"string"},
                {"key":"tiled","type":"boolean"},
                {"key":"mode","type":"select","options":["fast",{"value":"good","label":"Good"},3,true]},
                {"key":"image","type":"file"},
                {"key":"extra","type":"colour"},
                {"key":"factor2","type":"string","source_key":"prompt"}]})")
        .value();
}

TEST(cyberun_parameters, are_checked) {
    struct row {
        const char* given;
        const char* sent;                 // Empty: refused.
        std::vector<const char*> faults;  // Parts of the message.
    };
    const std::vector<row> rows{
        {R"({"scale":2})", R"({"scale":2})", {}},
        {R"({"scale":1,"seed":null,"prompt":null})", R"({"scale":1,"seed":null,"prompt":null})", {}},
        {R"({"factor":4.0})", R"({"scale":4E0})", {}},
        {R"({"scale":2,"prompt":"","tiled":false,"mode":"good","image":"in/1","extra":[1]})",
         R"({"scale":2,"prompt":"","tiled":false,"mode":"good","image":"in/1","extra":[1]})",
         {}},
        {R"({"scale":2,"mode":3.0})", R"({"scale":2,"mode":3E0})", {}},
        {"{}", "", {"\"scale\" is missing: it must be a number from 1 to 4"}},
        {R"({"scale":null})", "", {"\"scale\" is missing"}},
        {R"({"scale":"2"})", "", {"\"scale\" must be a number from 1 to 4"}},
        {R"({"scale":0.5})", "", {"\"scale\" is 5E-1, which is less than 1"}},
        {R"({"scale":5})", "", {"\"scale\" is 5, which is more than 4"}},
        {R"({"scale":2,"factor":3})", "", {"\"scale\" is given twice, also as \"factor\""}},
        {R"({"scale":2,"prompt":3})", "", {"\"prompt\" must be a string"}},
        {R"({"scale":2,"tiled":"true"})", "", {"\"tiled\" must be true or false"}},
        {R"({"scale":2,"mode":"slow"})", "", {"\"mode\" must be one of \"fast\", \"good\", 3, true"}},
        {R"({"scale":2,"mode":"3"})", "", {"\"mode\" must be one of"}},
        {R"({"scale":2,"image":""})", "", {"\"image\" must be the file_key"}},
        {R"({"scale":2,"image":{}})", "", {"\"image\" must be the file_key"}},
        {R"({"scael":2,"scale":2})", "", {"\"scael\" is not known", "takes \"scale\", \"seed\""}},
        {R"({"scal":2,"sed":1,"tiled":1})",
         "",
         {"\"scale\" may be meant", "\"seed\" may be meant", "\"scale\" is missing", "\"tiled\" must be"}},
    };
    const workflow of = upscale();
    for (const row& r : rows) {
        const auto made = check_parameters(of, boost::json::parse(r.given).as_object());
        ASSERT_EQ(made.has_value(), *r.sent != '\0') << r.given;
        if (made) {
            EXPECT_EQ(boost::json::serialize(*made), r.sent) << r.given;
            continue;
        }
        EXPECT_EQ(made.error().kind, errc::invalid_argument);
        for (const char* fault : r.faults) {
            EXPECT_NE(made.error().message.find(fault), std::string::npos) << made.error();
        }
    }
}

TEST(cyberun_parameters, of_a_workflow_without_a_list) {
    workflow of;
    boost::json::object given;
    given["anything"] = 1;
    EXPECT_EQ(check_parameters(of, given).value(), given);
    of.parameters_known = true;
    EXPECT_NE(check_parameters(of, given).error().message.find("takes no parameters"), std::string::npos);
    EXPECT_TRUE(check_parameters(of, {}));
}

TEST(cyberun_parameters, messages_are_bounded_and_printable) {
    workflow of = upscale();
    boost::json::object given;
    for (int i = 0; i < 1000; ++i) {
        given[std::to_string(i) + "\x1b[2J" + std::string(1000, 'k')] = i;
    }
    const auto made = check_parameters(of, given);
    ASSERT_FALSE(made);
    EXPECT_LT(made.error().message.size(), 20000u);
    EXPECT_EQ(made.error().message.find('\x1b'), std::string::npos);
    EXPECT_NE(made.error().message.find("others"), std::string::npos);
}

TEST(cyberun_parameters, texts_get_the_type_of_the_workflow) {
    struct row {
        const char* key;
        const char* text;
        const char* value;  // Empty: refused.
    };
    const workflow of = upscale();
    for (const row& r : {
             row{"scale", "2", "2"},         row{"factor", "-1.5", "-1.5E0"},
             row{"scale", "two", ""},        row{"scale", "\"2\"", ""},
             row{"scale", "", ""},           row{"scale", "1e999", ""},
             row{"scale", "nan", ""},        row{"prompt", "2", "\"2\""},
             row{"prompt", "", "\"\""},      row{"prompt", "{\"a\":1}", R"("{\"a\":1}")"},
             row{"tiled", "True", "true"},   row{"tiled", "false", "false"},
             row{"tiled", "1", ""},          row{"mode", "fast", "\"fast\""},
             row{"mode", "3", "3"},          row{"mode", "true", "true"},
             row{"mode", "slow", ""},        row{"image", "in/1", "\"in/1\""},
             row{"extra", "[1,2]", "[1,2]"}, row{"extra", "red", "\"red\""},
             row{"Scale", "2", ""},          row{"prompt", "\xff", ""},
         }) {
        const auto made = typed_parameter(of, r.key, r.text);
        ASSERT_EQ(made.has_value(), *r.value != '\0') << r.key << '=' << r.text;
        EXPECT_EQ(made ? boost::json::serialize(*made) : "", r.value) << r.key << '=' << r.text;
    }
    EXPECT_NE(typed_parameter(of, "Scale", "2").error().message.find("\"scale\" may be meant"), std::string::npos);
    EXPECT_EQ(typed_parameter(workflow(), "any", "2").value(), 2);
    EXPECT_EQ(typed_parameter(workflow(), "any", "text").value(), "text");
}

TEST(cyberun_parameters, texts_and_values_are_checked_together) {
    struct row {
        std::vector<parameter_text> texts;
        const char* given;
        const char* sent;                 // Empty: refused.
        std::vector<const char*> faults;  // Parts of the message.
        const char* no_fault;             // No part of the message.
    };
    const std::vector<row> rows{
        {{{"scale", "2"}, {"prompt", "7"}}, "{}", R"({"scale":2,"prompt":"7"})", {}, ""},
        {{{"factor", "2"}}, R"({"tiled":true})", R"({"tiled":true,"scale":2})", {}, ""},
        {{{"scale", "two"}}, "{}", "", {"\"scale\" must be a number from 1 to 4"}, "is missing"},
        {{{"scale", "9"}, {"tiled", "yes"}, {"mode", "slow"}, {"size", "1"}},
         R"({"prompt":1})",
         "",
         {"\"scale\" is 9, which is more than 4", "\"tiled\" must be true or false", "\"mode\" must be one of",
          "\"size\" is not known", "\"prompt\" must be a string"},
         "is missing"},
        {{{"scale", "1"}, {"scale", "2"}}, "{}", "", {"\"scale\" is given twice"}, "also as"},
        {{{"factor", "2"}}, R"({"scale":1})", "", {"\"scale\" is given twice, also as \"factor\""}, "is missing"},
        {{{"scale", "1"}}, R"({"factor":1})", "", {"\"scale\" is given twice, also as \"factor\""}, "is missing"},
        {{{"scale", "1"}, {"prompt", "\xff"}}, "{}", "", {"\"prompt\" is not UTF-8"}, "is missing"},
    };
    const workflow of = upscale();
    for (const row& r : rows) {
        const auto made = typed_parameters(of, r.texts, boost::json::parse(r.given).as_object());
        ASSERT_EQ(made.has_value(), *r.sent != '\0') << r.given;
        if (made) {
            EXPECT_EQ(boost::json::serialize(*made), r.sent);
            continue;
        }
        const std::string message = made.error().message;
        for (const char* fault : r.faults) {
            EXPECT_NE(message.find(fault), std::string::npos) << message;
        }
        EXPECT_EQ(message.find(r.no_fault), std::string::npos) << message;
    }
    const std::vector<parameter_text> any = {{"a", "[1]"}, {"b", "text"}};
    EXPECT_EQ(boost::json::serialize(typed_parameters(workflow(), any).value()), R"({"a":[1],"b":"text"})");
    EXPECT_FALSE(typed_parameters(workflow(), {{"a", "1"}, {"a", "2"}}));
}

TEST(cyberun_parameters, are_found_by_key_before_source_key) {
    workflow of = upscale();
    EXPECT_EQ(find_parameter(of, "factor")->key, "scale");
    EXPECT_EQ(find_parameter(of, "prompt")->key, "prompt");
    EXPECT_EQ(find_parameter(of, "no"), nullptr);
}

}  // namespace
}  // namespace vembed::cyberun
