#include "cyberun/wire/codec.hpp"

#include <gtest/gtest.h>

namespace vembed::cyberun {
namespace {

TEST(TaskState, WordsAreReadWithoutCase) {
    struct row {
        std::string_view word;
        task_state state;
        task_class of;
        bool terminal;
    };
    const row rows[] = {
        {"pending", task_state::pending, task_class::waiting, false},
        {"WAITING", task_state::waiting, task_class::waiting, false},
        {"provisioning", task_state::provisioning, task_class::waiting, false},
        {"Queued", task_state::queued, task_class::waiting, false},
        {"running", task_state::running, task_class::running, false},
        {"COMPLETED", task_state::completed, task_class::done, true},
        {"failed", task_state::failed, task_class::failed, true},
        {"cancelled", task_state::cancelled, task_class::cancelled, true},
        {"Canceled", task_state::cancelled, task_class::cancelled, true},
        {"retrying", task_state::unknown, task_class::unknown, false},
        {"complete", task_state::unknown, task_class::unknown, false},
        {"", task_state::unknown, task_class::unknown, false},
    };
    for (const row& each : rows) {
        const task_state state = task_state_of(each.word);
        EXPECT_EQ(state, each.state) << each.word;
        EXPECT_EQ(class_of(state), each.of) << each.word;
        EXPECT_EQ(is_terminal(state), each.terminal) << each.word;
    }
}

TEST(Task, IsReadWithAndWithoutOptionalFields) {
    const auto whole = read_response<task>(
        R"({"id":"t-1","workflow_id":7,"task_status":"Running","task_error":"","retry_count":"2",
            "created_at":"2026-01-01T00:00:00Z","started_at":null,"gpu_type":"L4","new_field":[1]})");
    ASSERT_TRUE(whole);
    EXPECT_EQ(whole->id, "t-1");
    EXPECT_EQ(whole->workflow_id, "7");
    EXPECT_EQ(whole->state, task_state::running);
    EXPECT_EQ(whole->state_text, "Running");
    EXPECT_EQ(whole->retry_count, 2U);
    EXPECT_EQ(whole->created_at, "2026-01-01T00:00:00Z");
    EXPECT_FALSE(whole->started_at);
    EXPECT_EQ(whole->gpu_type, "L4");
    EXPECT_TRUE(whole->raw.as_object().contains("new_field"));

    const auto least = read_response<task>(R"({"status":"canceled"})");
    ASSERT_TRUE(least);
    EXPECT_EQ(least->state, task_state::cancelled);
    EXPECT_EQ(read_response<task>(R"({"status":"queued","task_status":"failed"})")->state, task_state::failed);
}

TEST(Task, WithoutAStateIsRefused) {
    for (const std::string_view body : {R"({"id":"t"})", R"({"id":"t","task_status":3})", "[]", "", "<html>"}) {
        const auto read = read_response<task>(body);
        ASSERT_FALSE(read) << body;
        EXPECT_EQ(read.error().kind, errc::protocol) << body;
    }
}

TEST(TaskResult, OutputsAreTheUnionOfBothFields) {
    struct row {
        std::string_view body;
        std::vector<output_link> outputs;
    };
    const row rows[] = {
        {R"({"task_status":"completed"})", {}},
        {R"({"download_url":null,"download_urls":null})", {}},
        {R"({"download_url":"","download_urls":{}})", {}},
        {R"({"download_url":"https://s/a?x=1\u0026y=%2F"})", {{"output", "https://s/a?x=1&y=%2F"}}},
        {R"({"download_urls":{"9.images.0":"https://s/1","9.images.1":null}})", {{"9.images.0", "https://s/1"}}},
        {R"({"download_url":"https://s/1","download_urls":{"9.images.0":"https://s/1"}})",
         {{"9.images.0", "https://s/1"}}},
        {R"({"download_url":"https://s/0","download_urls":{"a":"https://s/1"}})",
         {{"output", "https://s/0"}, {"a", "https://s/1"}}},
        {R"({"download_url":"https://s/0","download_urls":{"output":"https://s/1"}})",
         {{"output_", "https://s/0"}, {"output", "https://s/1"}}},
    };
    for (const row& each : rows) {
        const auto read = read_response<task_result>(each.body);
        ASSERT_TRUE(read) << each.body;
        EXPECT_EQ(read->outputs, each.outputs) << each.body;
    }
    EXPECT_TRUE(read_response<task_result>(R"({"task_output":null})")->output.is_null());
    EXPECT_EQ(read_response<task_result>(R"({"task_output":{"storage_key":"k"}})")->output.at("storage_key"), "k");
}

TEST(AcceptedTask, NeedsItsId) {
    EXPECT_EQ(read_response<accepted_task>(R"({"task_id":"0a-1","more":1})")->task_id, "0a-1");
    EXPECT_FALSE(read_response<accepted_task>(R"({"id":"0a-1"})"));
    EXPECT_FALSE(read_response<accepted_task>(R"({"task_id":null})"));
}

TEST(PresignedUpload, KeepsEachHeaderAsItIsSigned) {
    const auto read = read_response<presigned_upload>(
        R"({"file_key":"in/1","upload_url":"https://s/put?sig=%2B",
            "upload_headers":{"Content-Length":12,"If-None-Match":"*","X-List":["one"]}})");
    ASSERT_TRUE(read);
    EXPECT_EQ(read->upload_url, "https://s/put?sig=%2B");
    ASSERT_EQ(read->upload_headers.size(), 3U);
    EXPECT_EQ(read->upload_headers[0].value, "12");
    EXPECT_EQ(read->upload_headers[1].value, "*");
    EXPECT_EQ(read->upload_headers[2].value, "one");
    EXPECT_FALSE(read_response<presigned_upload>(R"({"file_key":"k","upload_url":"u","upload_headers":{"A":{}}})"));
    EXPECT_FALSE(read_response<presigned_upload>(R"({"file_key":"k"})"));
}

TEST(Workflow, ParametersKeepTheirRules) {
    const auto read = read_response<workflow>(
        R"({"id":"w","workflow_slug":"upscale","version":3,"workflow_status":"Disabled","parameters":[
            {"key":"scale","type":"NUMBER","required":true,"min":"1","max":4.5,"default":2},
            {"key":"mode","type":"select","options":["a",{"value":"b","label":"B"},null]},
            {"key":"image","type":"file","accept":["image/png"],"source_key":"input_image"},
            {"key":"odd","type":"colour"}]})");
    ASSERT_TRUE(read);
    EXPECT_TRUE(read->is_disabled);
    EXPECT_TRUE(read->parameters_known);
    ASSERT_EQ(read->parameters.size(), 4U);
    const workflow_parameter& scale = read->parameters[0];
    EXPECT_EQ(scale.type, parameter_type::number);
    EXPECT_TRUE(scale.required);
    EXPECT_EQ(scale.min, 1.0);
    EXPECT_EQ(scale.max, 4.5);
    EXPECT_EQ(scale.default_value, 2);
    ASSERT_EQ(read->parameters[1].options.size(), 2U);
    EXPECT_EQ(read->parameters[1].options[1], "b");
    EXPECT_EQ(read->parameters[2].accept, std::vector<std::string>{"image/png"});
    EXPECT_EQ(read->parameters[2].source_key, "input_image");
    EXPECT_EQ(read->parameters[3].type, parameter_type::unknown);
    EXPECT_EQ(read->parameters[3].type_text, "colour");

    EXPECT_FALSE(read_response<workflow>(R"({"display_name":"neither id nor slug"})"));
    EXPECT_FALSE(read_response<workflow>(R"({"id":"w","parameters":[{"type":"string"}]})"));
    EXPECT_FALSE(read_response<workflow>(R"({"id":"w"})")->parameters_known);
}

TEST(Pages, AreReadAndTellTheNextOne) {
    const auto tasks = read_response<task_page>(
        R"({"task_list":[{"id":"1","task_status":"queued"}],"page_meta":{"current_page":2,"per_page":1,"total_count":3}})");
    ASSERT_TRUE(tasks);
    ASSERT_EQ(tasks->tasks.size(), 1U);
    EXPECT_TRUE(tasks->tasks[0].raw.is_object());
    EXPECT_EQ(next_page(tasks->meta, tasks->tasks.size()), 3U);
    EXPECT_TRUE(read_response<workflow_page>(R"({"workflow_list":null,"page_meta":{}})")->workflows.empty());
    EXPECT_FALSE(read_response<workflow_page>(R"({"workflow_list":null})"));
    EXPECT_FALSE(read_response<task_page>(R"({"task_list":[3]})"));

    struct row {
        std::uint64_t page;
        std::uint64_t per_page;
        std::optional<std::uint64_t> total;
        std::size_t items;
        std::optional<std::uint64_t> next;
    };
    const row rows[] = {
        {1, 20, 40, 20, 2},
        {2, 20, 40, 20, std::nullopt},
        {2, 20, 41, 20, 3},
        {1, 20, std::nullopt, 20, 2},
        {1, 20, 0, 0, std::nullopt},
        {1, 20, std::nullopt, 19, std::nullopt},
        {1, 20, 100, 0, std::nullopt},
        {1, 0, 5, 1, 2},
    };
    for (const row& each : rows) {
        page_meta meta;
        meta.current_page = each.page;
        meta.per_page = each.per_page;
        meta.total_count = each.total;
        EXPECT_EQ(next_page(meta, each.items), each.next) << each.page << " of " << each.per_page;
    }
}

}  // namespace
}  // namespace vembed::cyberun
