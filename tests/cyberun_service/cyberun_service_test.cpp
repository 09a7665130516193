// Cyberun's stand-in: routes, lives of tasks, streams and their faults, the store behind presigned URLs.

#include <vembed/testing/cyberun_service.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/local_driver.hpp"

namespace vembed::testing {
namespace {

using namespace std::chrono_literals;
using testing_support::local_driver;
using testing_support::read_response;

const std::string base = "/api/v1/r";

cyberun_options quick() {
    cyberun_options options;
    options.task_time_ms = 8000;
    options.progress_steps = 4;
    return options;
}

class driver : public local_driver {
public:
    explicit driver(cyberun_options options) : local_driver(service), service(std::move(options)) {
        headers = {header_field("Authorization", "Bearer " + service.api_key())};
    }
    std::string run(const std::string& slug = "text-render", const std::string& parameters = R"({"text":"hi"})") {
        return ask("POST", base + "/workflows/slug/" + slug + "/run", R"({"parameters":)" + parameters + "}")
            .text("task_id");
    }
    std::string state(const std::string& id) { return ask("GET", base + "/tasks/" + id).text("task_status"); }
    read_response events(const std::string& id) { return ask("GET", base + "/tasks/" + id + "/events"); }

    /// Asks the store for a URL of it, as of this driver's time.
    read_response fetch(std::string url, std::vector<header_field> more = {}, std::string method = "GET",
                        std::string body = {}) {
        const std::shared_ptr<local_service> store = service.store();
        local_driver to(*store);
        to.now = now;
        to.wall = wall;
        return to.ask(std::move(method), url.substr(std::string("http://store.test").size()), std::move(body),
                      std::move(more));
    }
    std::string link(const std::string& id) {
        return ask("GET", base + "/tasks/" + id + "/result").text("download_url");
    }

    cyberun_service service;
};

std::size_t count(const std::string& text, const std::string& what) {
    std::size_t found = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + what.size())) {
        ++found;
    }
    return found;
}

TEST(cyberun_service, answers_each_route) {
    driver to(quick());
    const std::string task = base + "/tasks/" + to.run();
    const std::string slug = base + "/workflows/slug/";
    struct row {
        const char* method;
        std::string target;
        const char* body;
        int status;
        const char* says;
    };
    const std::vector<row> rows = {
        {"GET", base + "/workflows?per_page=2", "", 200,
         R"("page_meta":{"current_page":1,"per_page":2,"total_count":4})"},
        {"GET", base + "/workflows?current_page=0", "", 400, "current_page"},
        {"GET", slug + "text-render", "", 200, R"("version":3)"},
        {"GET", slug + "text-render@2", "", 200, R"("version":2)"},
        {"GET", slug + "text-render@9", "", 404, "workflow"},
        {"GET", slug + "none", "", 404, "workflow"},
        {"GET", base + "/workflows/4f6c1d1e-0000-4000-8000-000000000003", "", 200, "disabled"},
        {"POST", slug + "retired/run", R"({"parameters":{}})", 409, "disabled"},
        {"POST", slug + "text-render/run", "{}", 400, "parameters"},
        {"POST", slug + "text-render/run", R"({"parameters":{}})", 400, "text is required"},
        {"POST", slug + "text-render/run", R"({"parameters":{"text":"a","count":101}})", 400, "count"},
        {"POST", slug + "text-render/run", R"({"parameters":{"text":"a","style":"x"}})", 400, "style"},
        {"POST", slug + "text-render/run", R"({"parameters":{"text":"a","more":1}})", 400, "more"},
        {"POST", slug + "file-digest/run", R"({"parameters":{"file":"none"}})", 400, "not uploaded"},
        {"POST", base + "/workflows/4f6c1d1e-0000-4000-8000-000000000001/run", R"({"parameters":{"text":"a"}})", 202,
         "task_id"},
        {"PUT", slug + "text-render", "", 405, "GET"},
        {"GET", task, "", 200, R"("task_status":"pending")"},
        {"GET", task + "/result", "", 200, R"("download_url":null)"},
        {"GET", task + "/nothing", "", 404, "path"},
        {"GET", base + "/tasks/none", "", 404, "task"},
        {"GET", base + "/tasks?status=PENDING&per_page=1", "", 200, R"("total_count":2)"},
        {"GET", base + "/tasks?status=running", "", 200, R"("total_count":0)"},
        {"GET", "/api/v2/r/tasks", "", 404, "path"},
        {"POST", base + "/files/presign", R"({"file_name":"a","file_size":-1})", 400, "file_size"},
        {"POST", base + "/files/presign", R"({"file_name":"a","file_size":500000001})", 413, "larger"},
        {"POST", task + "/cancel", "", 200, ""},
        {"GET", task, "", 200, R"("task_status":"cancelled")"},
        {"POST", task + "/cancel", "", 200, ""},
    };
    for (const row& each : rows) {
        const read_response response = to.ask(each.method, each.target, each.body);
        EXPECT_EQ(response.status, each.status) << each.method << ' ' << each.target << ' ' << response.body;
        EXPECT_NE(response.body.find(each.says), std::string::npos) << each.target << ' ' << response.body;
    }
    to.headers.clear();
    EXPECT_EQ(to.ask("GET", base + "/workflows").status, 401);
}

TEST(cyberun_service, a_task_takes_its_time_and_its_file_is_behind_a_link) {
    driver to(quick());
    const std::string id = to.run("text-render", R"({"text":"hi","count":2,"style":"upper","numbered":true})");
    to.advance(2s);
    EXPECT_EQ(to.state(id), "running");
    to.advance(6s);
    EXPECT_EQ(to.state(id), "completed");
    const read_response result = to.ask("GET", base + "/tasks/" + id + "/result");
    EXPECT_EQ(result.body.find('&'), std::string::npos) << "written as an escape";
    const read_response file = to.fetch(result.text("download_url"));
    EXPECT_EQ(file.status, 200);
    EXPECT_EQ(file.body, "1 HI\n2 HI\n");
}

TEST(cyberun_service, faults_of_tasks) {
    cyberun_options options = quick();
    options.faults.failed = options.faults.goes_back = 1;
    driver failing(options);
    const std::string id = failing.run();
    failing.advance(3s);
    EXPECT_EQ(failing.state(id), "running");
    failing.advance(1s);
    EXPECT_EQ(failing.ask("GET", base + "/tasks/" + id).json().at("retry_count").to_number<int>(), 1);
    EXPECT_EQ(failing.state(id), "pending");
    failing.advance(4s);
    EXPECT_EQ(failing.state(id), "failed");
    options.faults = {};
    options.faults.no_output = 1;
    driver empty(options);
    const std::string bare = empty.run();
    empty.advance(8s);
    EXPECT_TRUE(empty.ask("GET", base + "/tasks/" + bare + "/result").json().at("download_url").is_null());
}

TEST(cyberun_service, a_stream_tells_the_life_of_a_task_at_its_times) {
    driver to(quick());
    const std::string id = to.run();
    const monotonic_time begun = to.now;
    const read_response stream = to.events(id);
    EXPECT_EQ(stream.header("Content-Type"), "text/event-stream; charset=utf-8");
    EXPECT_EQ(to.now - begun, 8s);
    EXPECT_EQ(count(stream.body, "event: status\n"), 2u) << stream.body;
    EXPECT_EQ(count(stream.body, "event: progress\n"), 4u) << stream.body;
    EXPECT_EQ(count(stream.body, "event: completed\n"), 1u);
    EXPECT_FALSE(stream.cut);
    EXPECT_EQ(count(to.events(id).body, "event: completed\n"), 1u) << "of a task that has ended, too";
}

TEST(cyberun_service, a_stream_tells_a_cancellation) {
    driver to(quick());
    const std::string id = to.run();
    EXPECT_EQ(to.ask("POST", base + "/tasks/" + id + "/cancel").status, 200);
    EXPECT_EQ(count(to.events(id).body, "event: cancelled\n"), 1u);
}

read_response stream_with(double cyberun_faults::*fault, std::uint32_t cut_bytes = 100) {
    cyberun_options options = quick();
    options.faults.*fault = 1;
    options.faults.sse_cut_bytes = cut_bytes;
    driver to(options);
    return to.events(to.run());
}

TEST(cyberun_service, faults_of_streams) {
    driver right(quick());
    const std::string whole = right.events(right.run()).body;
    for (std::uint32_t at = 1; at <= whole.size(); at += 7) {
        const read_response cut = stream_with(&cyberun_faults::sse_cut, at);
        EXPECT_TRUE(cut.cut);
        EXPECT_EQ(cut.body, whole.substr(0, at));
    }
    EXPECT_EQ(stream_with(&cyberun_faults::sse_silent).body, "");
    const read_response buffered = stream_with(&cyberun_faults::sse_buffered);
    EXPECT_EQ(count(buffered.body, "event: completed\n"), 1u);
    EXPECT_EQ(count(buffered.body, "event: progress\n"), 1u) << buffered.body;
    EXPECT_EQ(count(stream_with(&cyberun_faults::sse_errors).body, "event: error\n"), 7u);
    const std::string cr = stream_with(&cyberun_faults::sse_cr).body;
    EXPECT_EQ(cr.find('\n'), std::string::npos);
    EXPECT_EQ(count(cr, "event: completed\r"), 1u);
    EXPECT_GT(count(stream_with(&cyberun_faults::sse_comments).body, ":\n"), 4u);
    const read_response split = stream_with(&cyberun_faults::sse_split);
    EXPECT_EQ(split.body, whole);
    EXPECT_GT(split.pieces, whole.size() / 3);
    EXPECT_EQ(stream_with(&cyberun_faults::sse_no_terminal).body, whole.substr(0, whole.find("event: completed")));
    EXPECT_EQ(stream_with(&cyberun_faults::sse_refused).status, 404);
}

TEST(cyberun_service, the_store_takes_no_key_and_counts_who_sends_one) {
    driver to(quick());
    const std::string id = to.run();
    to.advance(8s);
    const std::string url = to.link(id);
    for (const char* name : {"authorization", "X-API-Key"}) {
        const read_response refused = to.fetch(url, {header_field(name, "x")});
        EXPECT_EQ(refused.status, 400);
        EXPECT_NE(refused.body.find("Only one auth mechanism allowed"), std::string::npos);
    }
    EXPECT_EQ(to.service.counters().store_requests_with_key, 2u);
    EXPECT_EQ(to.fetch(url, {}, "HEAD").status, 403);
    EXPECT_EQ(to.fetch(url + "0").status, 403);
    std::string decoded = url;
    decoded.replace(decoded.find("%2F"), 3, "/");
    EXPECT_EQ(to.fetch(decoded).status, 403) << "the URL counts byte for byte";
}

TEST(cyberun_service, links_expire) {
    driver to(quick());
    const std::string id = to.run();
    to.advance(8s);
    const std::string url = to.link(id);
    to.advance(3599s);
    EXPECT_EQ(to.fetch(url).status, 200);
    to.advance(1s);
    const read_response late = to.fetch(url);
    EXPECT_EQ(late.status, 403);
    EXPECT_NE(late.body.find("Request has expired"), std::string::npos);
    EXPECT_EQ(to.fetch(to.link(id)).status, 200);
}

TEST(cyberun_service, ranges_are_honoured_under_a_strong_etag) {
    driver to(quick());
    const std::string id = to.run("make-bytes", R"({"bytes":200000})");
    to.advance(8s);
    const std::string url = to.link(id);
    const read_response whole = to.fetch(url);
    ASSERT_EQ(whole.body.size(), 200000u);
    EXPECT_GT(whole.pieces, 2u);
    const std::string etag = whole.header("ETag");
    struct row {
        const char* range;
        std::string if_range;
        int status;
        const char* content_range;
        std::string body;
    };
    const std::vector<row> rows = {
        {"bytes=70000-", etag, 206, "bytes 70000-199999/200000", whole.body.substr(70000)},
        {"bytes=1-2", etag, 206, "bytes 1-2/200000", whole.body.substr(1, 2)},
        {"bytes=-5", etag, 206, "bytes 199995-199999/200000", whole.body.substr(199995)},
        {"bytes=70000-", "\"other\"", 200, "", whole.body},
        {"bytes=70000-", "W/" + etag, 200, "", whole.body},
        {"lines=1-", etag, 200, "", whole.body},
        {"bytes=5-2", etag, 200, "", whole.body},
    };
    for (const row& each : rows) {
        const read_response part =
            to.fetch(url, {header_field("Range", each.range), header_field("If-Range", each.if_range)});
        EXPECT_EQ(part.status, each.status) << each.range;
        EXPECT_EQ(part.header("Content-Range"), each.content_range);
        EXPECT_EQ(part.body, each.body);
    }
    const read_response outside = to.fetch(url, {header_field("Range", "bytes=200000-")});
    EXPECT_EQ(outside.status, 416);
    EXPECT_EQ(outside.header("Content-Range"), "bytes */200000");
}

TEST(cyberun_service, faults_of_the_store) {
    cyberun_options options = quick();
    options.redirect_to = "http://elsewhere.test";
    options.faults.store_cut_bytes = 70000;
    const auto fetch_with = [&options](double cyberun_faults::*fault) {
        options.faults.*fault = 1;
        driver to(options);
        options.faults.*fault = 0;
        const std::string id = to.run("make-bytes", R"({"bytes":200000})");
        to.advance(8s);
        return to.fetch(to.link(id));
    };
    const read_response cut = fetch_with(&cyberun_faults::store_cut);
    EXPECT_TRUE(cut.cut);
    EXPECT_EQ(cut.body.size(), 70000u);
    EXPECT_EQ(fetch_with(&cyberun_faults::store_slow_down).status, 503);
    EXPECT_NE(fetch_with(&cyberun_faults::store_gone).body.find("NoSuchKey"), std::string::npos);
    const read_response moved = fetch_with(&cyberun_faults::store_redirect);
    EXPECT_EQ(moved.status, 307);
    EXPECT_TRUE(moved.header("Location").starts_with("http://elsewhere.test/files/"));
}

TEST(cyberun_service, an_upload_needs_every_signed_header_and_happens_once) {
    driver to(quick());
    const auto signed_upload =
        to.ask("POST", base + "/files/presign", R"({"file_name":"a.txt","file_size":5,"content_type":"text/plain"})");
    const std::string url = signed_upload.text("upload_url");
    std::vector<header_field> headers;
    const boost::json::object reply = signed_upload.json();
    for (const auto& member : reply.at("upload_headers").as_object()) {
        headers.emplace_back(std::string(member.key()), std::string(member.value().as_string()));
    }
    EXPECT_EQ(headers.size(), 3u);
    for (std::size_t missing = 0; missing < headers.size(); ++missing) {
        std::vector<header_field> fewer = headers;
        fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(missing));
        EXPECT_EQ(to.fetch(url, fewer, "PUT", "hello").status, 403);
    }
    EXPECT_EQ(to.fetch(url, headers, "PUT", "hell").status, 400);
    EXPECT_EQ(to.fetch(url, headers, "PUT", "hello").status, 200);
    EXPECT_EQ(to.fetch(url, headers, "PUT", "hello").status, 412);
    const std::string id = to.run("file-digest", R"({"file":")" + signed_upload.text("file_key") + "\"}");
    to.advance(8s);
    const auto result = to.ask("GET", base + "/tasks/" + id + "/result").json();
    EXPECT_TRUE(result.at("download_url").is_string()) << "both fields are filled";
    const std::string image(result.at("download_urls").at("9.images.0").as_string());
    EXPECT_EQ(to.fetch(image).body, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\n");
}

TEST(cyberun_service, reads_lists_of_faults) {
    const auto read = cyberun_faults::parse("sse_cut=0.5,store_cut_bytes=7");
    ASSERT_TRUE(read);
    EXPECT_EQ(read->sse_cut, 0.5);
    EXPECT_EQ(read->store_cut_bytes, 7u);
    EXPECT_FALSE(cyberun_faults::parse("sse_cuts=1"));
}

TEST(cyberun_service, rubbish_is_refused) {
    driver to(quick());
    for (const char* target : {"", "x", "/", "/api/v1/r", "/api/v1/r/", "/api/v1/r/tasks/a/b/c", "/api/v1/r/%"}) {
        EXPECT_GE(to.ask("GET", target).status, 400) << target;
        EXPECT_GE(to.fetch("http://store.test" + std::string(target)).status, 400) << target;
    }
}

}  // namespace
}  // namespace vembed::testing
