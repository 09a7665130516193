#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "cli_parts/command/listing.hpp"
#include "cli_parts/command/wait_report.hpp"
#include "cli_parts/exit_code.hpp"

namespace vembed::cli {
namespace {

standing at(std::string word, std::string more = "") {
    standing made(std::move(word));
    made.more = std::move(more);
    return made;
}

TEST(waiting_line, of_one_and_of_several) {
    struct row {
        std::map<std::string, standing> seen;
        std::size_t ended;
        std::size_t count;
        const char* line;
    };
    const row table[] = {
        {{{"a", at("RUNNING")}}, 0, 1, "job a: RUNNING"},
        {{{"a", at("running", "40 %")}}, 0, 1, "job a: running, 40 %"},
        {{{"a", at("RUNNING", "40 %")}, {"b", at("QUEUED")}, {"c", at("QUEUED")}},
         2,
         5,
         "2/5 ended | QUEUED 2 | RUNNING 1"},
        {{{"a", at("RUNNING")}}, 1, 2, "1/2 ended | RUNNING 1"},
        {{}, 2, 2, "2/2 ended"},
        {{{"a", at("x\x1b[2J", "y\x1b")}}, 0, 1, "job a: x\\x1b[2J, y\\x1b"},
    };
    for (const row& expected : table) {
        EXPECT_EQ(waiting_line("job", expected.seen, expected.ended, expected.count), expected.line);
    }
}

TEST(drop_repeated, keeps_the_first_in_order) {
    std::vector<std::string> ids = {"b", "a", "b", "c", "a"};
    drop_repeated(ids);
    EXPECT_EQ(ids, (std::vector<std::string>{"b", "a", "c"}));
}

TEST(worse_of, the_one_that_asks_for_more) {
    using enum exit_code;
    struct row {
        exit_code one;
        exit_code other;
        exit_code worse;
    };
    const row table[] = {
        {done, done, done},
        {done, error, error},
        {error, unfinished, unfinished},
        {usage, error, usage},
        {unfinished, usage, unfinished},
        {unauthorized, unfinished, unauthorized},
        {done, unfinished, unfinished},
    };
    for (const row& expected : table) {
        EXPECT_EQ(worse_of(expected.one, expected.other), expected.worse);
        EXPECT_EQ(worse_of(expected.other, expected.one), expected.worse);
    }
}

TEST(listing, lines_and_tables) {
    value_lines lines(8);
    lines.add("id", "a\nb");
    lines.append(" c");
    lines.add("longer_name", "d");
    EXPECT_EQ(lines.lines(), (std::vector<std::string>{"id      a\\x0ab c", "longer_name d"}));
    EXPECT_EQ(table_line({"a", "b\tc", ""}), "a\tb\\x09c\t");
}

}  // namespace
}  // namespace vembed::cli
