#include "cyberun/wire/routes.hpp"

#include <gtest/gtest.h>

namespace vembed::cyberun {
namespace {

TEST(cyberun_routes, one_form_of_a_base_url) {
    for (const auto& [given, wanted] : {
             std::pair("", "https://core.cyberun.cloud/api/v1"),
             std::pair("https://core.cyberun.cloud/api/v1", "https://core.cyberun.cloud/api/v1"),
             std::pair("https://core.cyberun.cloud/api/v1//", "https://core.cyberun.cloud/api/v1"),
             std::pair("https://core.cyberun.cloud/api/v1/r", "https://core.cyberun.cloud/api/v1"),
             std::pair("https://core.cyberun.cloud/api/v1/r/", "https://core.cyberun.cloud/api/v1"),
             std::pair("https://core.cyberun.cloud", "https://core.cyberun.cloud/api/v1"),
             std::pair("http://127.0.0.1:8000/", "http://127.0.0.1:8000/api/v1"),
             std::pair("http://127.0.0.1:8000/r", "http://127.0.0.1:8000/api/v1"),
             std::pair("https://own.host/cyberun/api/v2", "https://own.host/cyberun/api/v2"),
             std::pair("https://r", "https://r/api/v1"),
         }) {
        EXPECT_EQ(normal_base_url(given).value(), wanted) << given;
    }
    for (const std::string given :
         {"core.cyberun.cloud", "ftp://host", "https://", "https:///api", "https://h/a b", "https://user:pw@h/",
          "https://h/?q", "https://h/#f", "https://h/\x80", "https://h/\r\n"}) {
        const auto read = normal_base_url(given);
        ASSERT_FALSE(read) << given;
        EXPECT_NE(read.error().message.find("before /r"), std::string::npos);
        EXPECT_EQ(read.error().message.find("pw"), std::string::npos);
    }
}

TEST(cyberun_routes, targets) {
    EXPECT_EQ(slug_target("upscale").value(), "/r/workflows/slug/upscale");
    EXPECT_EQ(slug_target("upscale@3", below::run).value(), "/r/workflows/slug/upscale@3/run");
    EXPECT_EQ(slug_target("a/b?c", below::run).value(), "/r/workflows/slug/a%2Fb%3Fc/run");
    EXPECT_EQ(workflow_target("17").value(), "/r/workflows/17");
    EXPECT_EQ(workflow_target("17", below::run).value(), "/r/workflows/17/run");
    EXPECT_EQ(task_target("t-1").value(), "/r/tasks/t-1");
    EXPECT_EQ(task_target("t-1", below::result).value(), "/r/tasks/t-1/result");
    EXPECT_EQ(task_target("t-1", below::cancel).value(), "/r/tasks/t-1/cancel");
    EXPECT_EQ(task_target("t-1", below::events).value(), "/r/tasks/t-1/events");
    EXPECT_EQ(presign_target(), "/r/files/presign");
    for (const std::string_view wrong : {"", ".", "..", "%2e%2E", "a\nb", "@1", "slug@"}) {
        EXPECT_FALSE(slug_target(wrong)) << wrong;
    }
    EXPECT_FALSE(workflow_target("slug"));
    EXPECT_FALSE(workflow_target(".."));
    EXPECT_FALSE(task_target(""));
    EXPECT_FALSE(task_target(std::string(257, 'a')));
}

TEST(cyberun_routes, list_queries) {
    list_query query;
    EXPECT_EQ(workflows_target(query).value(), "/r/workflows?current_page=1&per_page=20");
    EXPECT_EQ(tasks_target(query).value(), "/r/tasks?current_page=1&per_page=20");
    query.current_page = 3;
    query.per_page = 100;
    query.status = "running";
    EXPECT_EQ(tasks_target(query).value(), "/r/tasks?current_page=3&per_page=100&status=running");
    EXPECT_FALSE(workflows_target(query));
    query.status = "a&b=c";
    EXPECT_FALSE(tasks_target(query));
    query.status = "";
    query.per_page = 101;
    EXPECT_FALSE(tasks_target(query));
    query.per_page = 0;
    EXPECT_FALSE(tasks_target(query));
    query.per_page = 1;
    query.current_page = 0;
    EXPECT_FALSE(tasks_target(query));
}

TEST(cyberun_routes, bodies) {
    boost::json::object parameters;
    parameters["scale"] = 2;
    parameters["text"] = "gr\xc3\xbc\xc3\x9f";
    EXPECT_EQ(run_body(parameters), "{\"parameters\":{\"scale\":2,\"text\":\"gr\xc3\xbc\xc3\x9f\"}}");
    EXPECT_EQ(run_body({}), R"({"parameters":{}})");
    EXPECT_EQ(presign_body("a.png", 9223372036854775807U, "image/png").value(),
              R"({"file_name":"a.png","file_size":9223372036854775807,"content_type":"image/png"})");
    EXPECT_FALSE(presign_body("a.png", 9223372036854775808U, "image/png"));
    for (const std::string& name : {std::string(), std::string("../a"), std::string("a\\b"), std::string("a\nb"),
                                    std::string("\xff"), std::string(256, 'a')}) {
        EXPECT_FALSE(presign_body(name, 1, "image/png")) << name;
    }
    for (const std::string_view type : {"", "png", "/png", "image/", "image/png\r\nX: y", "im\xc3\xa4/x"}) {
        EXPECT_FALSE(presign_body("a", 1, type)) << type;
    }
}

}  // namespace
}  // namespace vembed::cyberun
