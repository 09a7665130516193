#include <gtest/gtest.h>

#include <chrono>
#include <iterator>
#include <string>
#include <variant>
#include <vector>

#include <boost/json/serialize.hpp>

#include "cli/options/command_line.hpp"
#include "cli_aitbc/job_report.hpp"
#include "cli_aitbc/time_bounds.hpp"
#include "cli_parts/console.hpp"
#include "text/iso_time.hpp"

namespace vembed::cli {
namespace {

namespace json = boost::json;

aitbc_arguments parsed(std::vector<std::string> words) {
    words.insert(words.begin(), "aitbc");
    const auto line = parse_command_line(words);
    if (const auto* exit = std::get_if<early_exit>(&line)) {
        ADD_FAILURE() << exit->err;
        return {};
    }
    return std::get<aitbc_arguments>(std::get<command_line>(line).command);
}

TEST(aitbc_arguments, each_command) {
    using verb = aitbc_arguments::verb;
    struct row {
        std::vector<std::string> words;
        verb what;
        std::size_t ids;
    };
    const row table[] = {
        {{"submit", "--model", "m", "--input", "t"}, verb::submit, 0},
        {{"status", "a"}, verb::status, 1},
        {{"list"}, verb::list, 0},
        {{"wait", "a", "b", "c"}, verb::wait, 3},
        {{"cancel", "a"}, verb::cancel, 1},
        {{"download", "a"}, verb::download, 1},
        {{"history"}, verb::history, 0},
    };
    for (const row& expected : table) {
        const aitbc_arguments seen = parsed(expected.words);
        EXPECT_EQ(seen.what, expected.what) << expected.words.front();
        EXPECT_EQ(seen.ids.size(), expected.ids) << expected.words.front();
        EXPECT_EQ(seen.dialect, aitbc::dialect::docs);
        EXPECT_EQ(seen.calls_per_minute, 60u);
        EXPECT_EQ(seen.calls_per_hour, 1000u);
        EXPECT_TRUE(seen.share_quota);
    }
}

TEST(aitbc_arguments, of_a_submission) {
    const aitbc_arguments seen = parsed({"submit",    "--model",
                                         "llama",     "--input-file",
                                         "-",         "--gpu-type",
                                         "A100",      "--gpu-count",
                                         "2",         "--min-vram-gb",
                                         "40",        "--priority",
                                         "urgent",    "--timeout",
                                         "600",       "--output-format",
                                         "text",      "--destination",
                                         "s3://b/p",  "--wait",
                                         "-o",        "out",
                                         "--dialect", "coordinator",
                                         "--bearer",  "--tenant",
                                         "t",         "--calls-per-minute",
                                         "0",         "--calls-per-hour",
                                         "5",         "--no-shared-quota"});
    EXPECT_EQ(seen.request.model, "llama");
    EXPECT_EQ(seen.input_file, "-");
    EXPECT_EQ(seen.request.gpu_type, "A100");
    EXPECT_EQ(seen.request.gpu_count, 2u);
    EXPECT_EQ(seen.request.min_vram_gb, 40u);
    EXPECT_EQ(seen.request.priority, aitbc::job_priority::urgent);
    EXPECT_EQ(seen.request.timeout, std::chrono::seconds(600));
    EXPECT_EQ(seen.request.output_format, "text");
    EXPECT_EQ(seen.request.output_destination, "s3://b/p");
    EXPECT_TRUE(seen.wait);
    EXPECT_EQ(seen.file, "out");
    EXPECT_EQ(seen.dialect, aitbc::dialect::coordinator);
    EXPECT_TRUE(seen.bearer);
    EXPECT_EQ(seen.tenant, "t");
    EXPECT_EQ(seen.calls_per_minute, 0u);
    EXPECT_EQ(seen.calls_per_hour, 5u);
    EXPECT_FALSE(seen.share_quota);
}

TEST(aitbc_arguments, what_makes_no_sense) {
    const std::vector<std::string> table[] = {
        {"aitbc"},
        {"aitbc", "fly"},
        {"aitbc", "status"},
        {"aitbc", "status", "a", "b"},
        {"aitbc", "wait"},
        {"aitbc", "submit", "--input", "t"},
        {"aitbc", "submit", "--model", "m"},
        {"aitbc", "submit", "--model", "m", "--input", "t", "--input-file", "f"},
        {"aitbc", "submit", "--model", "m", "--input-file", ""},
        {"aitbc", "submit", "--model", "m", "--input", "t", "-o", "f"},
        {"aitbc", "submit", "--model", "m", "--input", "t", "--gpu-count", "0"},
        {"aitbc", "submit", "--model", "m", "--input", "t", "--priority", "top"},
        {"aitbc", "list", "--dialect", "other"},
        {"aitbc", "list", "--limit", "0"},
        {"aitbc", "history", "--from", "yesterday"},
        {"aitbc", "history", "--to", "2026-02-30"},
        {"aitbc", "list", "--api-key", "k"},
    };
    for (const auto& words : table) {
        const auto line = parse_command_line(words);
        const auto* exit = std::get_if<early_exit>(&line);
        ASSERT_NE(exit, nullptr) << words.back();
        EXPECT_EQ(exit->code, exit_code::usage) << words.back();
    }
}

TEST(read_bound, days_and_times) {
    struct row {
        const char* text;
        const char* from;     // Empty: refused.
        std::int64_t day_ms;  // What `to` is later.
    };
    constexpr std::int64_t whole_day = 86'400'000 - 1;
    const row table[] = {
        {"2026-01-31", "2026-01-31T00:00:00Z", whole_day},
        {"2024-02-29", "2024-02-29T00:00:00Z", whole_day},
        {"2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z", 0},
        {"2026-01-31T12:00:00", "2026-01-31T12:00:00Z", 0},
        {"2026-01-31T12:00:00+02:00", "2026-01-31T10:00:00Z", 0},
        {"2026-02-29", "", 0},
        {"", "", 0},
        {"2026-01", "", 0},
        {"31.1.2026", "", 0},
        {"2026-01-31 12:00", "", 0},
    };
    for (const row& expected : table) {
        const auto from = read_bound(expected.text, bound::from);
        const auto to = read_bound(expected.text, bound::to);
        ASSERT_EQ(from.has_value(), *expected.from != '\0') << expected.text;
        ASSERT_EQ(to.has_value(), from.has_value()) << expected.text;
        if (from) {
            EXPECT_EQ(text::format_iso_time(*from), expected.from);
            EXPECT_EQ((*to - *from).count(), expected.day_ms) << expected.text;
        }
    }
}

TEST(aitbc_job_object, has_what_is_known) {
    aitbc::job one;
    one.id = "a";
    one.state = aitbc::job_state::running;
    one.state_text = "RUNNING";
    EXPECT_EQ(json::serialize(job_object(one)), R"({"id":"a","state":"running","status":"RUNNING"})");
    one.progress = 50;
    one.model = "m";
    one.created_at = wall_time(std::chrono::milliseconds(0));
    const json::object full = job_object(one);
    EXPECT_EQ(full.at("created_at"), "1970-01-01T00:00:00Z");
    EXPECT_EQ(full.at("model"), "m");
    aitbc::submitted_job submitted;
    submitted.job.id = "a";
    submitted.estimated_cost = 0.5;
    const json::object told = submitted_object(submitted);
    EXPECT_FALSE(told.contains("state")) << "the response to a submission has none in the docs dialect";
    EXPECT_EQ(told.at("estimated_cost"), 0.5);
}

TEST(console, masks_the_hidden_key_in_every_text) {
    console out(true, true);
    EXPECT_EQ(out.masked("a k\"y\\1 b"), "a k\"y\\1 b") << "nothing is hidden yet";
    out.hide(secret::from_key("k\"y\\1", "").value());
    EXPECT_EQ(out.masked("a k\"y\\1 b"), "a … b");
    json::value value = {{"k\"y\\1", {{"deep", {"x k\"y\\1", 7, nullptr}}}}, {"other", "text"}};
    out.mask(value);
    EXPECT_EQ(json::serialize(value), R"({"…":{"deep":["x …",7,null]},"other":"text"})");
}

}  // namespace
}  // namespace vembed::cli
