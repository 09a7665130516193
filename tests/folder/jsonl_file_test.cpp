// The file of lines that a power cut left: what was not synced may be there in part, also in the middle of a line.

#include "folder/write/jsonl_file.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/scratch.hpp"

namespace vembed::folder {
namespace {

using testing::scratch_folder;

std::vector<std::string> lines_kept(const std::string& path) {
    jsonl_file file(storage::system_file_ops(), path, 0);
    std::vector<std::string> kept;
    auto opened = file.open([&kept](std::string_view line, std::uint64_t) {
        kept.emplace_back(line);
        return true;
    });
    EXPECT_TRUE(opened) << opened.error();
    return kept;
}

TEST(jsonl_file, a_line_with_a_hole_is_cut_off_with_what_follows) {
    const std::string first = "{\"job_id\":\"a\",\"rows\":[[0,1]]}\n";
    const std::string second = "{\"job_id\":\"b\",\"rows\":[[1,2]]}\n";
    const std::string third = "{\"job_id\":\"c\",\"rows\":[[2,3]]}\n";
    const std::vector<std::string> one{first.substr(0, first.size() - 1)};
    for (std::size_t from = 0; from < second.size(); ++from) {
        for (const std::size_t size : {std::size_t{1}, second.size() - from}) {
            scratch_folder scratch;
            std::string torn = second;
            torn.replace(from, size, std::string(size, '\0'));
            scratch.write("f.jsonl", first + torn + third);
            EXPECT_EQ(lines_kept(scratch.file("f.jsonl")), one) << from << ", " << size;
            EXPECT_EQ(scratch.read("f.jsonl"), first);
        }
    }
}

TEST(jsonl_file, whole_lines_stay) {
    scratch_folder scratch;
    scratch.write("f.jsonl", "{\"row\":0}\n{\"row\":1}\n{\"row\":");
    EXPECT_EQ(lines_kept(scratch.file("f.jsonl")).size(), 2U);
    EXPECT_EQ(scratch.read("f.jsonl"), "{\"row\":0}\n{\"row\":1}\n");
}

}  // namespace
}  // namespace vembed::folder
