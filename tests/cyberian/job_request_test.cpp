#include "cyberian/wire/job_request.hpp"

#include <filesystem>
#include <fstream>

#include <unistd.h>

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace vembed::cyberian {
namespace {

TEST(job_request, the_two_forms_are_never_mixed) {
    EXPECT_EQ(write_job_body(job_request::for_model("m\"1", {"a", "b\n"})), R"({"model":"m\"1","inputs":["a","b\n"]})");
    EXPECT_EQ(write_job_body(job_request::for_spec("x: 1\n", {"a"})), R"({"spec_yaml":"x: 1\n","input_texts":["a"]})");
    EXPECT_EQ(write_verify_body(job_request::for_model("m", {"a"}), "ab"),
              R"({"model":"m","inputs":["a"],"claimed_output_commitment":"ab"})");
    EXPECT_EQ(write_verify_body(job_request::for_spec("s", {"a"}), "ab"),
              R"({"spec_yaml":"s","input_texts":["a"],"claimed_output_commitment":"ab"})");
}

TEST(job_request, a_large_body_reads_back) {
    std::vector<std::string> texts;
    for (int i = 0; i < 1000; ++i) {
        texts.push_back("text \"" + std::to_string(i) + "\"\n" + std::string(static_cast<std::size_t>(i), 'x'));
    }
    const job_request request = job_request::for_model("m", texts);
    ASSERT_TRUE(check(request));
    const auto read = boost::json::parse(write_job_body(request));
    ASSERT_EQ(read.at("inputs").as_array().size(), 1000u);
    for (std::size_t i = 0; i < texts.size(); ++i) {
        ASSERT_EQ(read.at("inputs").at(i).as_string(), texts[i]);
    }
}

TEST(job_request, what_the_service_would_refuse_is_refused_here) {
    job_request both = job_request::for_model("m", {"a"});
    both.spec_yaml = "s";
    struct bad_case {
        job_request request;
        std::string_view names;
    };
    for (const bad_case& c : {
             bad_case{job_request::for_model("", {"a"}), "model"},
             bad_case{both, "not both"},
             bad_case{job_request::for_model("m", {}), "no inputs"},
             bad_case{job_request::for_model("m", std::vector<std::string>(1001, "a")), "1001"},
             bad_case{job_request::for_model("m", {"a", "", "b"}), "input 1"},
             bad_case{job_request::for_model("m", {std::string(65'537, 'a')}), "input 0"},
             bad_case{job_request::for_model("m", {"a", "b", "\xff"}), "input 2"},
             bad_case{job_request::for_model("\xff", {"a"}), "UTF-8"},
             bad_case{job_request::for_spec("\xff", {"a"}), "UTF-8"},
         }) {
        const result<void> checked = check(c.request);
        ASSERT_FALSE(checked) << c.names;
        EXPECT_EQ(checked.error().kind, errc::invalid_argument);
        EXPECT_NE(checked.error().message.find(c.names), std::string::npos) << checked.error().message;
    }
    EXPECT_TRUE(check(job_request::for_model("m", {std::string(65'536, 'a')})));
    EXPECT_TRUE(check(job_request::for_model("m", std::vector<std::string>(1000, "a"))));
    EXPECT_FALSE(check(job_request::for_model("m", std::vector<std::string>(11, "a")), 10));
}

TEST(job_request, reads_a_specification_from_a_file) {
    const auto path = std::filesystem::temp_directory_path() / ("vembed-spec-" + std::to_string(::getpid()));
    std::ofstream(path) << "model: m\n";
    const auto read = job_request::for_spec_file(path.string(), {"a"});
    ASSERT_TRUE(read);
    EXPECT_EQ(read->spec_yaml, "model: m\n");
    EXPECT_EQ(read->inputs, std::vector<std::string>{"a"});
    std::ofstream(path) << std::string((1 << 20) + 1, 'x');
    EXPECT_EQ(job_request::for_spec_file(path.string(), {"a"}).error().kind, errc::io);
    std::filesystem::remove(path);
    EXPECT_EQ(job_request::for_spec_file(path.string(), {"a"}).error().kind, errc::io);
    EXPECT_EQ(job_request::for_spec_file("/", {"a"}).error().kind, errc::io);
}

}  // namespace
}  // namespace vembed::cyberian
