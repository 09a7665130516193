// Downloads and uploads of Cyberun's client, over a script and over the local service's store.

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cyberun/client_world.hpp"
#include "cyberun/io/uploading.hpp"
#include "support/repetitions.hpp"
#include "support/scratch.hpp"

namespace vembed::cyberun {
namespace {

using namespace std::chrono_literals;
using testing::scratch_folder;

std::string result_of(const std::string& id, const std::string& urls, const std::string& state = "completed") {
    return R"({"id":")" + id + R"(","task_status":")" + state + R"(","download_urls":{)" + urls + "}}";
}

std::string link(const std::string& id, const std::string& rest) {
    return "\"" + id + R"(":"http://store.test)" + rest + "\"";
}

bool has_header(const testing_support::seen_request& of, const std::string& name, const std::string& value) {
    return std::ranges::any_of(of.headers,
                               [&](const header_field& each) { return each.name == name && each.value == value; });
}

constexpr const char* result_target = "/api/v1/r/tasks/t/result";

TEST(cyberun_files, a_link_is_asked_for_byte_for_byte_and_without_the_key) {
    scripted_world w;
    const scratch_folder folder;
    w.options.team_id = "team-1";
    w.server->expect_get(result_target)
        .respond(200, result_of("t", link("9.images.0", "/a%2Fb/../c//d?X=%41\\u0026y=/")));
    w.store->expect_get("/a%2Fb/../c//d?X=%41&y=/")
        .respond(200, "png", {header_field("Content-Type", "image/png"), header_field("ETag", "\"e-1\"")});
    const auto saved = w.world.run(w.subject().download("t", folder.file("out")));
    ASSERT_TRUE(saved) << saved.error();
    ASSERT_EQ(saved->size(), 1u);
    EXPECT_EQ(saved->front().path, folder.file("out/9.images.0.png"));
    EXPECT_EQ(saved->front().bytes, 3u);
    EXPECT_EQ(saved->front().checked_by, "none");
    EXPECT_EQ(folder.read("out/9.images.0.png"), "png");
    EXPECT_FALSE(folder.has("out/9.images.0.part"));
    EXPECT_EQ(w.origins.back(), "http://store.test");
    for (const auto& each : w.store->seen) {
        EXPECT_FALSE(each.authorized);
        EXPECT_EQ(each.headers.size(), 1u) << "Accept alone";
    }
}

TEST(cyberun_files, a_download_that_breaks_off_is_resumed) {
    scripted_world w;
    const scratch_folder folder;
    w.server->expect_get(result_target).respond(200, result_of("t", link("o", "/f")));
    const std::vector<header_field> tag{header_field("ETag", "\"e\""), header_field("Content-Type", "text/plain")};
    w.store->expect_get("/f").respond(200, "0123456789", tag).breaking_off_after(4);
    auto rest = tag;
    rest.emplace_back("Content-Range", "bytes 4-9/10");
    w.store->expect_get("/f").respond(206, "456789", rest);
    const auto saved = w.world.run(w.subject().download("t", folder.path()));
    ASSERT_TRUE(saved) << saved.error();
    EXPECT_EQ(folder.read("o.txt"), "0123456789");
    EXPECT_TRUE(has_header(w.store->seen[1], "Range", "bytes=4-"));
    EXPECT_TRUE(has_header(w.store->seen[1], "If-Range", "\"e\""));
}

TEST(cyberun_files, what_cannot_be_resumed_is_begun_anew) {
    for (const bool strong : {true, false}) {
        scripted_world w;
        const scratch_folder folder;
        w.server->expect_get(result_target).respond(200, result_of("t", link("o", "/f")));
        const std::vector<header_field> tag{header_field("ETag", strong ? "\"e\"" : "W/\"e\"")};
        w.store->expect_get("/f").respond(200, "0123456789", tag).breaking_off_after(4);
        w.store->expect_get("/f").respond(200, "new", {header_field("ETag", "\"f\"")});
        const auto saved = w.world.run(w.subject().download("t", folder.path()));
        ASSERT_TRUE(saved) << saved.error();
        EXPECT_EQ(folder.read("o.bin"), "new");
    }
}

TEST(cyberun_files, an_expired_link_is_fetched_again_and_the_download_goes_on) {
    scripted_world w;
    const scratch_folder folder;
    w.server->expect_get(result_target).respond(200, result_of("t", link("o", "/old")));
    w.store->expect_get("/old").respond(200, "0123456789", {header_field("ETag", "\"e\"")}).breaking_off_after(4);
    w.store->expect_get("/old").respond(403, "<Error><Code>AccessDenied</Code></Error>");
    w.server->expect_get(result_target).respond(200, result_of("t", link("p", "/p") + "," + link("o", "/new")));
    w.store->expect_get("/new").respond(206, "456789", {header_field("Content-Range", "bytes 4-9/10")});
    const auto saved = w.world.run(w.subject().download("t", folder.path()));
    ASSERT_TRUE(saved) << saved.error();
    EXPECT_EQ(folder.read("o.bin"), "0123456789");
    EXPECT_TRUE(w.store->finished() && w.server->finished());
}

TEST(cyberun_files, a_link_that_is_refused_again_and_again_fails) {
    scripted_world w;
    const scratch_folder folder;
    for (int i = 0; i < 3; ++i) {
        w.server->expect_get(result_target).respond(200, result_of("t", link("o", "/f")));
        w.store->expect_get("/f").respond(403, "");
    }
    const auto saved = w.world.run(w.subject().download("t", folder.path()));
    ASSERT_FALSE(saved);
    EXPECT_EQ(saved.error().http_status, 403);
    EXPECT_EQ(saved.error().job_id, "t");
    EXPECT_TRUE(w.store->finished() && w.server->finished());
}

TEST(cyberun_files, redirects_are_followed_as_the_rules_allow) {
    class row {
    public:
        std::string location;
        bool taken = false;
    };
    const std::vector<row> rows{{"http://other.test/x?a=%2f", true},
                                {"/x?a=%2f", true},
                                {"ftp://other.test/x", false},
                                {"", false},
                                {"http://a@b/", false},
                                {"http://bad host/", false}};
    for (const row& each : rows) {
        scripted_world w;
        const scratch_folder folder;
        w.server->expect_get(result_target).respond(200, result_of("t", link("o", "/f")));
        w.store->expect_get("/f").respond(307, "", {header_field("Location", each.location)});
        if (each.taken) {
            w.store->expect_get("/x?a=%2f").respond(200, "x");
        }
        const auto saved = w.world.run(w.subject().download("t", folder.path()));
        EXPECT_EQ(saved.has_value(), each.taken) << each.location;
        EXPECT_TRUE(saved || saved.error().kind == errc::protocol) << saved.error();
        EXPECT_TRUE(w.store->finished());
        EXPECT_TRUE(std::ranges::none_of(w.store->seen, [](const auto& seen) { return seen.authorized; }));
    }
}

TEST(cyberun_files, a_sixth_redirect_is_not_followed) {
    scripted_world w;
    const scratch_folder folder;
    w.server->expect_get(result_target).respond(200, result_of("t", link("o", "/f")));
    for (int i = 0; i < 6; ++i) {
        w.store->expect_get("/f").respond(302, "", {header_field("Location", "/f")});
    }
    EXPECT_EQ(w.world.run(w.subject().download("t", folder.path())).error().kind, errc::protocol);
    EXPECT_TRUE(w.store->finished());
}

TEST(cyberun_files, hosts_that_are_not_allowed_are_not_asked) {
    for (const char* url : {"/f", "http://evil.test/f"}) {
        scripted_world w;
        const scratch_folder folder;
        w.options.file_hosts = {"Store.test"};
        const bool redirected = url[0] == 'h';
        w.server->expect_get(result_target)
            .respond(200, result_of("t", redirected ? link("o", "/f") : R"("o":"http://evil.test/f")"));
        if (redirected) {
            w.store->expect_get("/f").respond(307, "", {header_field("Location", url)});
        }
        EXPECT_EQ(w.world.run(w.subject().download("t", folder.path())).error().kind, errc::protocol);
        EXPECT_TRUE(std::ranges::count(w.origins, "http://evil.test") == 0);
        EXPECT_TRUE(w.store->finished());
    }
}

class refusal_row {
public:
    int status = 0;
    std::string body;
    std::vector<header_field> headers;
    errc expected{};
};

TEST(cyberun_files, what_ends_a_download) {
    const std::vector<refusal_row> rows{
        {404, "<Code>NoSuchKey</Code>", {}, errc::not_found},
        {410, "", {}, errc::not_found},
        {400, "<Message>Only one auth mechanism allowed</Message>", {}, errc::api},
        {200, "0123456789x", {}, errc::response_too_large},
        {200, "abc", {header_field("ETag", "\"00000000000000000000000000000000\"")}, errc::protocol},
        {200, "abc", {header_field("Content-MD5", "AAAAAAAAAAAAAAAAAAAAAA==")}, errc::protocol},
    };
    for (const refusal_row& each : rows) {
        scripted_world w;
        const scratch_folder folder;
        w.options.download_bytes_max = 10;
        w.server->expect_get(result_target).respond(200, result_of("t", link("o", "/f")));
        w.store->expect_get("/f").respond(each.status, each.body, each.headers);
        const auto saved = w.world.run(w.subject().download("t", folder.path()));
        ASSERT_FALSE(saved) << each.status << each.body;
        EXPECT_EQ(saved.error().kind, each.expected) << saved.error();
        EXPECT_FALSE(folder.has("o.bin"));
    }
}

TEST(cyberun_files, a_body_without_length_is_cut_off_at_the_limit) {
    scripted_world w;
    const scratch_folder folder;
    download_options what;
    what.bytes_max = 5;
    w.server->expect_get(result_target).respond(200, result_of("t", link("o", "/f")));
    w.store->expect_get("/f").respond(200, "0123456789").chunked();
    EXPECT_EQ(w.world.run(w.subject().download("t", folder.path(), what)).error().kind, errc::response_too_large);
    EXPECT_LE(std::filesystem::file_size(folder.file("o.part")), 5u);
}

TEST(cyberun_files, content_that_fits_its_digest_says_so) {
    scripted_world w;
    const scratch_folder folder;
    w.server->expect_get(result_target).respond(200, result_of("t", link("o", "/f")));
    w.store->expect_get("/f").respond(200, "abc", {header_field("ETag", "\"900150983cd24fb0d6963f7d28e17f72\"")});
    const auto saved = w.world.run(w.subject().download("t", folder.path()));
    ASSERT_TRUE(saved) << saved.error();
    EXPECT_EQ(saved->front().checked_by, "etag");
}

TEST(cyberun_files, symbolic_links_are_not_followed) {
    const scratch_folder folder;
    const std::string victim = folder.write("victim", "precious");
    ASSERT_EQ(::mkdir(folder.file("out").c_str(), 0700), 0);
    ASSERT_EQ(::symlink(victim.c_str(), folder.file("out/o.part").c_str()), 0);
    {
        scripted_world w;
        w.server->expect_get(result_target).respond(200, result_of("t", link("o", "/f")));
        EXPECT_EQ(w.world.run(w.subject().download("t", folder.file("out"))).error().kind, errc::io);
    }
    std::filesystem::remove(folder.file("out/o.part"));
    ASSERT_EQ(::symlink(victim.c_str(), folder.file("out/o.bin").c_str()), 0);
    scripted_world w;
    w.server->expect_get(result_target).respond(200, result_of("t", link("o", "/f")));
    w.store->expect_get("/f").respond(200, "new");
    const auto saved = w.world.run(w.subject().download("t", folder.file("out")));
    ASSERT_TRUE(saved) << saved.error();
    EXPECT_FALSE(std::filesystem::is_symlink(folder.file("out/o.bin")));
    EXPECT_EQ(folder.read("out/o.bin"), "new");
    EXPECT_EQ(folder.read("victim"), "precious");
}

TEST(cyberun_files, other_things_in_the_place_of_a_part_are_refused) {
    for (const bool pipe : {true, false}) {
        const scratch_folder folder;
        const std::string victim = folder.write("victim", "precious");
        if (pipe) {
            ASSERT_EQ(::mkfifo(folder.file("o.part").c_str(), 0600), 0);
        } else {
            ASSERT_EQ(::link(victim.c_str(), folder.file("o.part").c_str()), 0);
        }
        scripted_world w;
        w.server->expect_get(result_target).respond(200, result_of("t", link("o", "/f")));
        EXPECT_EQ(w.world.run(w.subject().download("t", folder.path())).error().kind, errc::io);
        EXPECT_EQ(folder.read("victim"), "precious");
    }
}

TEST(cyberun_files, names_come_from_ids_and_never_clash) {
    scripted_world w;
    const scratch_folder folder;
    w.server->expect_get(result_target)
        .respond(200, result_of("t", link("a.bin", "/1") + "," + link("a", "/2") + "," + link("../x", "/3")));
    for (const char* target : {"/1", "/2", "/3"}) {
        w.store->expect_get(target).respond(200, target,
                                            {header_field("Content-Disposition", "attachment; filename=../../evil")});
    }
    const auto saved = w.world.run(w.subject().download("t", folder.file("out")));
    ASSERT_TRUE(saved) << saved.error();
    ASSERT_EQ(saved->size(), 3u);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_TRUE((*saved)[i].path.starts_with(folder.file("out/")));
        EXPECT_EQ(std::filesystem::file_size((*saved)[i].path), 2u);
    }
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.file("out")), {}), 3);
}

TEST(cyberun_files, chosen_outputs_alone_are_downloaded) {
    scripted_world w;
    const scratch_folder folder;
    download_options what;
    what.output_ids = {"b"};
    w.server->expect_get(result_target).respond(200, result_of("t", link("a", "/1") + "," + link("b", "/2")));
    w.store->expect_get("/2").respond(200, "2");
    EXPECT_EQ(w.world.run(w.subject().download("t", folder.path(), what))->size(), 1u);
    what.output_ids = {"c"};
    w.server->expect_get(result_target).respond(200, result_of("t", link("a", "/1")));
    EXPECT_EQ(w.world.run(w.subject().download("t", folder.path(), what)).error().kind, errc::invalid_argument);
}

TEST(cyberun_files, a_task_without_files) {
    class row {
    public:
        std::string state;
        std::optional<errc> expected;
    };
    for (const row& each : std::vector<row>{{"completed", std::nullopt},
                                            {"failed", errc::job_failed},
                                            {"canceled", errc::job_cancelled},
                                            {"running", errc::invalid_argument}}) {
        scripted_world w;
        const scratch_folder folder;
        w.server->expect_get(result_target).respond(200, result_of("t", "", each.state));
        const auto saved = w.world.run(w.subject().download("t", folder.path()));
        ASSERT_EQ(saved.has_value(), !each.expected) << each.state;
        EXPECT_TRUE(saved ? saved->empty() : saved.error().kind == *each.expected) << each.state;
    }
}

TEST(cyberun_files, a_transfer_without_a_byte_is_a_fault_and_a_deadline_ends_it) {
    scripted_world w;
    const scratch_folder folder;
    w.server->expect_get(result_target).respond(200, result_of("t", link("o", "/f")));
    w.store->expect_get("/f");  // Never answered.
    w.store->expect_get("/f").respond(200, "x");
    ASSERT_TRUE(w.world.run(w.subject().download("t", folder.path())));
    EXPECT_GE(w.world.elapsed(), 60s);
    w.server->expect_get(result_target).respond(200, result_of("t", link("o", "/f")));
    w.store->expect_get("/f");
    EXPECT_EQ(w.world.run(w.subject().download("t", folder.path(), {}, within(10s))).error().kind, errc::timeout);
    w.server->expect_get(result_target).respond(200, result_of("t", link("o", "/f")));
    w.store->expect_get("/f");
    const auto before = w.world.elapsed();
    auto cancelled = w.world.begin<result<std::vector<saved_file>>>(w.subject().download("t", folder.path()));
    w.world.run_until(before + 5s);
    cancelled.cancel();
    w.world.run();
    EXPECT_EQ(cancelled.value().error().kind, errc::cancelled);
}

// The first difference of two files, or nothing.
std::optional<std::uint64_t> difference(const std::string& a, const std::string& b) {
    std::ifstream one(a, std::ios::binary);
    std::ifstream other(b, std::ios::binary);
    std::string left(1 << 20, '\0');
    std::string right = left;
    for (std::uint64_t at = 0;; at += left.size()) {
        one.read(left.data(), static_cast<std::streamsize>(left.size()));
        other.read(right.data(), static_cast<std::streamsize>(right.size()));
        if (one.gcount() != other.gcount() || left != right) {
            return at;
        }
        if (one.gcount() == 0) {
            return std::nullopt;
        }
    }
}

// As 1 GiB over a link that breaks every 10 MiB; VEMBED_DOWNLOAD_MIB=1024 is that.
TEST(cyberun_files, a_large_file_over_a_link_that_breaks_is_whole_and_little_is_sent_twice) {
    const std::uint64_t size = testing::number_from("VEMBED_DOWNLOAD_MIB", 4) << 20;
    testing::cyberun_options served;
    served.faults.store_cut = 1;
    served.faults.store_cut_bytes = static_cast<std::uint32_t>(size / 102);
    served_world w(served);
    const scratch_folder folder;
    const auto saved = w.world.run(w.subject->download(w.ended_task(size), folder.path()));
    ASSERT_TRUE(saved) << saved.error();
    ASSERT_EQ(saved->size(), 1u);
    EXPECT_EQ(saved->front().bytes, size);
    EXPECT_LE(w.service->counters().store_bytes, size + size / 20);
    EXPECT_GE(w.service->counters().store_requests, 102u);
    const scratch_folder whole;
    served_world calm;
    const auto expected = calm.world.run(calm.subject->download(calm.ended_task(size), whole.path()));
    ASSERT_TRUE(expected) << expected.error();
    EXPECT_EQ(difference(saved->front().path, expected->front().path), std::nullopt);
}

TEST(cyberun_files, links_that_expire_between_breaks_are_refreshed) {
    testing::cyberun_options served;
    served.link_ttl_s = 2;
    served.faults.store_cut = 1;
    served.faults.store_cut_bytes = 64 << 10;
    served.faults.store_slow_down = 0.3;  // Each costs 5 s or more, and the link with it.
    served_world w(served);
    const scratch_folder folder;
    const auto saved = w.world.run(w.subject->download(w.ended_task(1 << 20), folder.path()));
    ASSERT_TRUE(saved) << saved.error();
    EXPECT_EQ(saved->front().bytes, 1u << 20);
}

TEST(cyberun_files, a_file_that_was_uploaded_is_the_one_that_a_task_reads) {
    served_world w;
    const scratch_folder folder;
    const auto key =
        w.world.run(w.subject->upload_file(folder.write("in.txt", std::string(700'000, 'x')), "text/plain"));
    ASSERT_TRUE(key) << key.error();
    boost::json::object parameters;
    parameters["file"] = *key;
    const auto made = w.world.run(w.subject->run("file-digest", parameters));
    ASSERT_TRUE(made) << made.error();
    EXPECT_TRUE(w.world.run(w.subject->wait_task(made->task_id)));
    EXPECT_EQ(w.service->counters().uploads, 1u);
    EXPECT_EQ(w.service->counters().store_requests_with_key, 0u);
}

class upload_row {
public:
    std::vector<int> statuses;  // 0: the connection breaks.
    std::optional<errc> expected;
};

TEST(cyberun_files, uploads_are_tried_again_with_a_link_of_their_own) {
    const std::vector<upload_row> rows{
        {{200}, {}},
        {{0, 201}, {}},
        {{403, 503, 204}, {}},
        {{412, 200}, {}},
        {{500, 500, 500, 500}, errc::api},
        {{413}, errc::request_too_large},
        {{400}, errc::api},
        {{307}, errc::api},
    };
    for (const upload_row& each : rows) {
        scripted_world w;
        const scratch_folder folder;
        for (const int status : each.statuses) {
            w.server->expect_post("/api/v1/r/files/presign")
                .with_body(R"({"file_name":"in.txt","file_size":5,"content_type":"text/plain"})")
                .respond(200, R"({"file_key":"k","upload_url":"http://store.test/u?a=%2F",
                    "upload_headers":{"Content-Length":"5","If-None-Match":"*","X-Amz-Meta-a":["b"]}})");
            auto& put = w.store->expect(http_method::put, "/u?a=%2F");
            status == 0 ? put.fail(errc::network) : put.respond(status, "");
        }
        const auto key = w.world.run(w.subject().upload_file(folder.write("in.txt", "hello"), "text/plain"));
        ASSERT_EQ(key.has_value(), !each.expected) << each.statuses.front();
        EXPECT_TRUE(key ? *key == "k" : key.error().kind == *each.expected) << each.statuses.front();
        EXPECT_TRUE(w.store->finished() && w.server->finished());
        for (const auto& seen : w.store->seen) {
            EXPECT_FALSE(seen.authorized);
            EXPECT_EQ(seen.headers.size(), 2u);
            EXPECT_TRUE(has_header(seen, "If-None-Match", "*"));
            EXPECT_TRUE(has_header(seen, "X-Amz-Meta-a", "b"));
        }
    }
}

TEST(cyberun_files, files_that_cannot_be_uploaded_send_nothing) {
    scripted_world w;
    const scratch_folder folder;
    EXPECT_EQ(w.world.run(w.subject().upload_file(folder.file("none"))).error().kind, errc::io);
    EXPECT_FALSE(w.world.run(w.subject().upload_file(folder.path())));
    EXPECT_EQ(w.world.run(w.subject().upload_file(folder.write("a", "b"), "no type")).error().kind,
              errc::invalid_argument);
    EXPECT_TRUE(w.server->seen.empty());
}

TEST(cyberun_files, headers_of_an_upload) {
    class row {
    public:
        std::string name;
        std::string value;
        bool taken = false;
        bool sent = false;
    };
    const std::vector<row> rows{
        {"If-None-Match", "*", true, true},
        {"content-length", "5", true, false},
        {"Content-Length", "6", false, false},
        {"Host", "store.test", true, false},
        {"host", "other.test", false, false},
        {"Transfer-Encoding", "chunked", false, false},
        {"Connection", "close", false, false},
        {"Expect", "100-continue", false, false},
        {"a b", "c", false, false},
        {"", "c", false, false},
        {"X-A", "b\r\nX-B: c", false, false},
        {"X-A", std::string("b\0", 2), false, false},
        {"X-A", "", true, true},
    };
    const download_url at = read_download_url("https://store.test/u", {}).value();
    for (const row& each : rows) {
        presigned_upload to;
        to.upload_headers.emplace_back(each.name, each.value);
        const auto made = upload_headers_of(to, at, 5);
        EXPECT_EQ(made.has_value(), each.taken) << each.name << each.value;
        EXPECT_TRUE(!made || made->size() == (each.sent ? 1u : 0u)) << each.name << each.value;
    }
}

// Redirects, uploads, downloads and faults, from a seed: no request to another origin has the key.
TEST(cyberun_files, the_key_never_reaches_the_store) {
    const std::uint64_t seeds = testing::number_from("VEMBED_SEEDS", testing::repetitions(100));
    std::uint64_t asked = 0;
    std::uint64_t saved_files = 0;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        testing::cyberun_options served;
        served.seed = seed;
        served.link_ttl_s = seed % 3 == 0 ? 30 : 3600;  // A pause may be longer.
        served.redirect_to = seed % 2 == 0 ? "http://other.test" : "";
        served.faults = testing::cyberun_faults::parse(
                            "drop=0.05,bad_gateway=0.05,rate_limited=0.05,store_cut=0.5,"
                            "store_slow_down=0.1,store_redirect=0.5,store_cut_bytes=20000")
                            .value();
        served_world w(served);
        const scratch_folder folder;
        const auto key = w.world.run(w.subject->upload_file(folder.write("in.txt", std::string(seed * 100, 'x'))));
        const auto made = w.world.run(w.subject->run("make-bytes", bytes_parameters(50'000)));
        if (made && w.world.run(w.subject->wait_task(made->task_id))) {
            const auto saved = w.world.run(w.subject->download(made->task_id, folder.path()));
            EXPECT_TRUE(saved) << seed << ' ' << saved.error();
            saved_files += saved ? saved->size() : 0;
        }
        EXPECT_EQ(w.service->counters().store_requests_with_key, 0u) << seed;
        asked += w.service->counters().store_requests;
    }
    EXPECT_GE(asked, 3 * seeds);
    EXPECT_GE(saved_files, seeds / 2);
}

}  // namespace
}  // namespace vembed::cyberun
