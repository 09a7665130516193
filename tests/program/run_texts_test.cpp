// What a run says to a person, and what it notes for `vembed status`.
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "cli/options/session.hpp"
#include "cli/report/embed_report.hpp"
#include "cli/terminal/descriptor_limit.hpp"
#include "folder/export/export_headers.hpp"
#include "folder/read/reused_rows.hpp"
#include "folder/run_file.hpp"
#include "http/socket/descriptor_room.hpp"
#include "text/shell_words.hpp"

namespace vembed::cli {
namespace {

using namespace std::chrono_literals;

class folder_test : public ::testing::Test {
protected:
    folder_test() {
        std::string pattern = (std::filesystem::temp_directory_path() / "vembed-texts-XXXXXX").string();
        folder_ = ::mkdtemp(pattern.data());
    }
    ~folder_test() override { std::filesystem::remove_all(folder_); }

    void write(const std::string& name, const std::string& text) const {
        std::ofstream(folder_ + "/" + name, std::ios::binary) << text;
    }

    std::string folder_;
};

TEST(describe_costs, names_what_was_saved) {
    bulk_report report;
    report.jobs = 2;
    report.chunks_used = 12;
    report.chunks_sampled = 3;
    report.extra_chunks = 4;
    report.narrowing_chunks = 1;
    report.rows_per_chunk = 100;
    report.chunks_naive = 30;
    report.rows_duplicate = 1210;
    report.rows_cached = 1;
    const auto lines = describe_costs(report);
    ASSERT_EQ(lines.size(), 5u);
    EXPECT_EQ(lines[0],
              "2 jobs, 12 chunks charged, 1 of them to find rows that made jobs fail; 4 in the whole run for sending "
              "again");
    EXPECT_EQ(lines[1], "the service re-executed 3 of those (its sample); nothing shows how the others were computed");
    EXPECT_EQ(lines[2],
              "the whole corpus, cut into jobs without regard to chunks, would take 30 chunks; a chunk has 100 rows");
    report.jobs = 12;
    EXPECT_TRUE(describe_costs(report)[2].ends_with("a chunk has at least 100 rows"));
    EXPECT_EQ(lines[3], "1,210 rows repeat others (about 12 chunks saved)");
    EXPECT_EQ(lines[4], "1 row came from the cache (about 0 chunks saved)");
    EXPECT_EQ(describe_costs(bulk_report()), (std::vector<std::string>{"0 jobs, 0 chunks charged"}));
}

TEST(describe_unknown, says_what_became_of_a_batch) {
    unknown_batch batch;
    batch.batch = 7;
    batch.rows = {0, 1, 2};
    batch.chunks_estimated = 1;
    batch.reason = "the connection ended";
    const std::string head = "batch 7, rows 0-2: the connection ended; ";
    EXPECT_EQ(describe_unknown(batch), head + "up to 1 chunk may have been charged");
    batch.probably_charged = true;
    EXPECT_EQ(describe_unknown(batch),
              head + "the account's count shows its 1 chunk, unless somebody else used the account");
    batch.probably_charged = false;
    batch.not_charged = true;
    EXPECT_EQ(describe_unknown(batch),
              head + "the account's count shows that it never became a job: its rows are bought as if new");
    batch.not_charged = false;
    batch.resubmitted = true;
    EXPECT_EQ(describe_unknown(batch), head + "sent again at the risk of paying 1 chunk twice");
}

TEST(descriptors, too_few_of_them_are_named_with_what_to_do) {
    EXPECT_EQ(too_few_descriptors(1024, 8), "");
    EXPECT_EQ(too_few_descriptors(1056, 1024), "");
    const std::string few = too_few_descriptors(1024, 1024);
    EXPECT_NE(few.find("ulimit -n 1056"), std::string::npos) << few;
    EXPECT_NE(few.find("--jobs-in-flight 992"), std::string::npos) << few;
    EXPECT_NE(too_few_descriptors(3, 10).find("--jobs-in-flight 1"), std::string::npos);
    EXPECT_GE(connections_for(10'000), 10'000u);
    for (const std::uint64_t descriptors : {1, 32, 33, 64, 1024, 65'536}) {
        const std::uint64_t possible = http::connections_within(descriptors);
        EXPECT_EQ(jobs_within(descriptors, 70'000), possible) << "another number than the run's own";
        EXPECT_EQ(jobs_within(descriptors, 1), 1u);
        const std::string said = too_few_descriptors(descriptors, static_cast<std::uint32_t>(possible + 1));
        EXPECT_TRUE(said.ends_with("--jobs-in-flight " + std::to_string(possible))) << said;
        EXPECT_EQ(too_few_descriptors(descriptors, static_cast<std::uint32_t>(possible)), "");
    }
    EXPECT_EQ(connections_for(1), 1024u);
    EXPECT_GT(descriptor_limit(), 0u);
}

TEST(state_folder, is_the_users_own) {
    EXPECT_EQ(state_folder("/var/state", "/user/a"), "/var/state/vembed");
    EXPECT_EQ(state_folder(nullptr, "/user/a"), "/user/a/.local/state/vembed");
    EXPECT_EQ(state_folder("", "/user/a"), "/user/a/.local/state/vembed");
    EXPECT_EQ(state_folder("relative", "/user/a"), "/user/a/.local/state/vembed");
    EXPECT_EQ(state_folder(nullptr, nullptr), "");
    EXPECT_EQ(state_folder("x", "y"), "");
}

TEST(shell_line, quotes_what_a_shell_would_change) {
    EXPECT_EQ(text::shell_line({"embed", "a.txt", "-o", "out/x"}), "embed a.txt -o out/x");
    EXPECT_EQ(text::shell_line({"a b", "", "it's", "$HOME", "x;y"}), "'a b' '' 'it'\\''s' '$HOME' 'x;y'");
}

TEST(shell_line, holds_what_is_not_utf8_or_not_printable) {
    EXPECT_EQ(text::shell_line({"corp\xff us'.txt"}), "$'corp\\xff us\\'.txt'");
    EXPECT_EQ(text::shell_line({"a\nb", "tab\there\\"}), "$'a\\x0ab' $'tab\\x09here\\\\'");
    EXPECT_EQ(text::shell_line({"\xc3\xa9t\xc3\xa9", "\xc2\x9b"}), "'\xc3\xa9t\xc3\xa9' $'\\xc2\\x9b'");
}

TEST(folder_to_repeat_in, is_named_where_a_path_is_relative) {
    EXPECT_EQ(text::folder_to_repeat_in({"/a", "", "-"}), "");
    EXPECT_EQ(text::folder_to_repeat_in({"/a", "b"}), std::filesystem::current_path().string());
}

TEST_F(folder_test, a_run_file_is_read_back) {
    EXPECT_FALSE(folder::read_run_file(folder_));
    folder::run_file run;
    run.rows = 117'659;
    run.rows_defective = 3;
    run.started_at = wall_time(1'000'000s);
    run.command = {"embed", "a b.txt", "--id-field", "cyb_secret"};
    ASSERT_TRUE(folder::write_run_file(folder_, run));
    const auto read = folder::read_run_file(folder_);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->rows, run.rows);
    EXPECT_EQ(read->rows_defective, run.rows_defective);
    EXPECT_EQ(read->started_at, run.started_at);
    EXPECT_EQ(read->command, (std::vector<std::string>{"embed", "a b.txt", "--id-field", "cyb_…"}));
    for (const char* text : {"", "{", "[]", "{\"rows\":-1}", "{\"rows\":\"5\"}"}) {
        write("run.json", text);
        EXPECT_FALSE(folder::read_run_file(folder_)) << text;
    }
}

TEST_F(folder_test, rows_that_were_not_bought_are_read) {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> seen;
    const auto note = [&seen](std::uint64_t a, std::uint64_t b) -> result<void> {
        seen.emplace_back(a, b);
        return {};
    };
    EXPECT_TRUE(folder::for_each_copied_row(folder_, note)) << "no file, no rows";
    EXPECT_TRUE(folder::for_each_cached_range(folder_, note));
    EXPECT_TRUE(seen.empty());
    write("duplicates.jsonl", "{\"row\":7,\"same_as\":2}\n{\"row\":8,\"same_as\":2}\n");
    write("cached.jsonl", "{\"rows\":[[0,2],[4,5]]}\n{\"rows\":[]}\n");
    ASSERT_TRUE(folder::for_each_copied_row(folder_, note));
    ASSERT_TRUE(folder::for_each_cached_range(folder_, note));
    EXPECT_EQ(seen, (std::vector<std::pair<std::uint64_t, std::uint64_t>>{{7, 2}, {8, 2}, {0, 2}, {4, 5}}));
    for (const char* text : {"{\"row\":7}\n", "{\"row\":-7,\"same_as\":1}\n", "7\n"}) {
        write("duplicates.jsonl", text);
        const auto read = folder::for_each_copied_row(folder_, note);
        ASSERT_FALSE(read) << text;
        EXPECT_EQ(read.error().kind, errc::verification_failed);
    }
    for (const char* text : {"{\"rows\":[[2,2]]}\n", "{\"rows\":[[0]]}\n", "{\"rows\":5}\n", "{\"rows\":[[0,-1]]}\n"}) {
        write("cached.jsonl", text);
        EXPECT_FALSE(folder::for_each_cached_range(folder_, note)) << text;
    }
}

TEST(export_headers, are_what_the_formats_say) {
    const auto fbin = folder::fbin_header(3, 1024);
    ASSERT_TRUE(fbin);
    EXPECT_EQ(*fbin, std::string("\x03\0\0\0\0\x04\0\0", 8));
    EXPECT_FALSE(folder::fbin_header(std::uint64_t{1} << 32, 1));
    const std::string tensors = folder::safetensors_header(3, 1024);
    EXPECT_EQ(tensors.size() % 8, 0u);
    EXPECT_EQ(static_cast<unsigned char>(tensors[0]) + 8u, tensors.size());
    EXPECT_EQ(tensors.substr(8), R"({"embeddings":{"dtype":"F32","shape":[3,1024],"data_offsets":[0,12288]}})");
    const std::string padded = folder::safetensors_header(3, 1024, 256);
    EXPECT_EQ(padded.size(), 256u);
}

}  // namespace
}  // namespace vembed::cli
