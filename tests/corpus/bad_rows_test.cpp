// Records that cannot be embedded: each is one bad row with its line and its id, whatever the format; the others stay.

#include <gtest/gtest.h>

#include <ostream>
#include <vector>

#include <vembed/corpus/source.hpp>

#include "corpus/corpus_reading.hpp"
#include "corpus/records/reading_rules.hpp"
#include "folder/write/failed_line.hpp"
#include "support/scratch.hpp"

namespace vembed {
namespace {

using namespace std::string_literals;
using testing::read_all;
using testing::reading;
using testing::scratch_folder;

file_source_options with_ids() {
    file_source_options options;
    options.id_field = "id";
    return options;
}

struct one_bad {
    const char* what;
    std::string name;
    std::string before;  // good records
    std::string bad;
    std::string after;
    std::string said;
    std::string id = "7";
};

void PrintTo(const one_bad& c, std::ostream* out) {
    *out << c.what;
}

class bad_records : public ::testing::TestWithParam<one_bad> {};

// In front, between and at the end.
TEST_P(bad_records, are_one_row_each) {
    const scratch_folder folder;
    const one_bad& c = GetParam();
    const std::string header = c.name.ends_with("sv") ? c.before.substr(0, c.before.find('\n') + 1) : "";
    const std::string good = c.before.substr(header.size());
    for (const auto& [content, bad] :
         {std::pair(header + c.bad + good + c.after, 0u), std::pair(header + good + c.bad + c.after, 2u),
          std::pair(header + good + c.after + c.bad, 4u)}) {
        const auto read = read_all({folder.write(c.name, content)}, with_ids());
        ASSERT_FALSE(read.error) << *read.error << content;
        ASSERT_EQ(read.rows.size(), 5u) << content;
        std::string texts;
        for (const source_row& row : read.rows) {
            texts += row.defect.empty() ? row.text : "!";
        }
        EXPECT_EQ(texts, std::string("abcd").insert(bad, "!"));
        const source_row& row = read.rows[bad];
        EXPECT_NE(row.defect.find(c.said), std::string::npos) << row.defect;
        EXPECT_EQ(row.id, c.id);
        EXPECT_EQ(row.raw + "\n", c.bad);
        EXPECT_EQ(row.raw_bytes, row.raw.size());
        const std::size_t line = 1 + (header.empty() ? 0 : 1) + bad;
        EXPECT_EQ(row.origin, folder.file(c.name) + ":" + std::to_string(line));
    }
}

const std::string json_before = "{\"id\":1,\"text\":\"a\"}\n{\"id\":2,\"text\":\"b\"}\n";
const std::string json_after = "{\"id\":3,\"text\":\"c\"}\n{\"id\":4,\"text\":\"d\"}\n";
const std::string csv_before = "id,text\n1,a\n2,b\n";
const std::string csv_after = "3,c\n4,\"d\"\n";
one_bad jsonl(const char* what, std::string bad, std::string said, std::string id = "7") {
    return {what, "a.jsonl", json_before, std::move(bad), json_after, std::move(said), std::move(id)};
}
one_bad csv(const char* what, std::string bad, std::string said, std::string id = "7") {
    return {what, "a.csv", csv_before, std::move(bad), csv_after, std::move(said), std::move(id)};
}

INSTANTIATE_TEST_SUITE_P(
    forms, bad_records,
    ::testing::Values(
        jsonl("no id", "{\"text\":\"x\"}\n", "has no field \"id\"", ""),
        jsonl("an id that is none", "{\"id\":[],\"text\":\"x\"}\n", "\"id\" that is not a string or number", ""),
        jsonl("no text", "{\"id\":7}\n", "has no field \"text\""),
        jsonl("null", "{\"id\":7,\"text\":null}\n", "not a string"),
        jsonl("syntax", "{\"id\":7,\"text\":\n", "not JSON"), jsonl("no object", "[1]\n", "not a JSON object", ""),
        jsonl("half a surrogate pair", "{\"id\":7,\"text\":\"x\\ud83d\"}\n", "not JSON"),
        jsonl("half a pair before the id", "{\"text\":\"x\\ud83d\",\"id\":7}\n", "in a field that is asked for"),
        jsonl("half a pair in the id", "{\"id\":\"\\ud83d\",\"text\":\"x\"}\n", "in a field that is asked for", ""),
        jsonl("NaN for a text", "{\"id\":7,\"text\":NaN}\n", "not JSON"),
        csv("text behind a quote", "7,\"x\" y\n", "text follows the closing quote"),
        csv("a quote that is never closed", "7,\"x\n", "quoted field"),
        csv("a quote in a quoted field", "7,\"x \"y\" z\"\n", "written twice"),
        csv("too few fields", "7\n", "the record has 1 fields"), csv("too many", "7,x,y\n", "the record has 3 fields"),
        csv("a zero byte", "7,x\0y\n"s, "zero byte"),
        one_bad{"too few fields of tsv", "a.tsv", "id\ttext\n1\ta\n2\tb\n", "7\n", "3\tc\n4\td\n", "1 fields"}));

TEST(bad_rows, fields_that_nobody_asks_for_do_no_harm) {
    const scratch_folder folder;
    std::string content;
    const std::vector<std::string> values = {
        "\"\\ud83d\"",    "NaN", "[1,{\"x\":-Infinity}]", std::string(400, '[') + std::string(400, ']'), "\"a\tb\"",
        "{\"\\udead\":1}"};
    for (const std::string& value : values) {
        content += "{\"id\":1,\"other\":" + value + ",\"text\":\"a\"}\n";
        content += "{\"text\":\"a\",\"id\":1,\"other\":" + value + "}\n";
    }
    const auto read = read_all({folder.write("a.jsonl", content)}, with_ids());
    ASSERT_FALSE(read.error) << *read.error;
    ASSERT_EQ(read.rows.size(), 2 * values.size());
    for (const source_row& row : read.rows) {
        EXPECT_EQ(row.defect, "") << row.raw;
        EXPECT_EQ(row.text + row.id, "a1");
    }
}

TEST(bad_rows, csv_goes_on_at_the_next_whole_record) {
    const scratch_folder folder;
    // The stray quote's field would end within the third record; the second is of two lines.
    auto read = read_all({folder.write("a.csv", "id,text\n1,\"open\n2,\"b\nb\"\n3,\"c, d\"\n")}, with_ids());
    ASSERT_EQ(read.rows.size(), 3u);
    EXPECT_NE(read.rows[0].defect, "");
    EXPECT_EQ(read.rows[1].text, "b\nb");
    EXPECT_EQ(read.rows[2].text, "c, d");
    EXPECT_EQ(read.rows[2].origin, folder.file("a.csv") + ":5");
    // Lines of a text with quotes are no records of their own, though one has the right number of commas.
    read = read_all({folder.write("b.csv", "id,text\n1,\"one\nhe said \"hi, there\" and\nleft\"\n2,b\n")}, with_ids());
    ASSERT_EQ(read.rows.size(), 2u);
    EXPECT_EQ(read.rows[0].raw, "1,\"one\nhe said \"hi, there\" and\nleft\"");
    EXPECT_EQ(read.rows[1].text, "b");
}

TEST(bad_rows, csv_loses_one_row_for_each_broken_line_however_long_the_file) {
    const scratch_folder folder;
    std::string content = "id,text\n";
    for (int i = 0; i < 20'000; ++i) {
        content += std::to_string(i) + (i % 100 == 50 ? ",\"open" : ",plain") + "\n";
    }
    const auto read = read_all({folder.write("a.csv", content)}, with_ids());
    ASSERT_FALSE(read.error) << *read.error;
    ASSERT_EQ(read.rows.size(), 20'000u);
    for (std::size_t i = 0; i < read.rows.size(); ++i) {
        EXPECT_EQ(read.rows[i].defect.empty(), i % 100 != 50) << i;
        EXPECT_EQ(read.rows[i].id, std::to_string(i));
    }
}

TEST(bad_rows, a_line_over_the_limit_behind_an_open_quote_is_a_row_of_its_own) {
    const scratch_folder folder;
    file_source_options options = with_ids();
    options.max_record_bytes = 1000;
    const std::string content = "id,text\n1,\"open\n2,b\n3," + std::string(5000, 'x') + "\n4,d\n";
    const auto read = read_all({folder.write("a.csv", content)}, options);
    ASSERT_EQ(read.rows.size(), 4u);
    EXPECT_EQ(read.rows[1].text, "b");
    EXPECT_EQ(read.rows[2].defect, "the line is longer than 1000 bytes");
    EXPECT_EQ(read.rows[2].raw_bytes, 5002u);
    EXPECT_EQ(read.rows[3].text, "d");
}

TEST(bad_rows, many_bad_records_come_first) {
    const scratch_folder folder;
    std::string content;
    for (int i = 0; i < 500; ++i) {
        content += "{\"text\":\n";
    }
    const auto read = read_all({folder.write("a.jsonl", content + json_after)}, with_ids());
    EXPECT_FALSE(read.error);
    EXPECT_EQ(read.rows.size(), 502u);
}

struct only_bad {
    std::string name;
    std::string content;
    std::string said;
};

TEST(bad_rows, a_file_that_shows_its_format_may_have_no_others) {
    const scratch_folder folder;
    const std::vector<only_bad> files = {{"a.jsonl", "{\"id\":1,\"text\":5}\n", "\"text\" that is not a string"},
                                         {"a.jsonl", "{\"id\":1,\"text\":null}\n", "\"text\" that is not a string"},
                                         {"a.jsonl", "{\"id\":1,\"text\":{\"text\":\"a\"}}\n", "not a string"},
                                         {"a.jsonl", "{\"text\":\"a\",\"id\":true}\n", "not a string or number"},
                                         {"a.csv", "id,text\n1\n", "the record has 1 fields"},
                                         {"a.csv", "id,text\n1,a,b\n", "the record has 3 fields"},
                                         {"a.tsv", "id\ttext\n1\ta\tb\n", "the record has 3 fields"},
                                         {"a.csv", "id,text\n1,\"a\n", "a quoted field begins here"},
                                         {"a.csv", "id,text\n1,\"a\"b\n", "RFC 4180"}};
    for (const only_bad& file : files) {
        const std::string path = folder.write(file.name, file.content);
        const auto read = read_all({path}, with_ids());
        ASSERT_FALSE(read.error) << *read.error << file.content;
        ASSERT_EQ(read.rows.size(), 1u) << file.content;
        EXPECT_NE(read.rows[0].defect.find(file.said), std::string::npos) << read.rows[0].defect;
        auto before = corpus::open_files_by(corpus::first_reading_rules, {path}, with_ids());
        EXPECT_EQ(before ? errc::cancelled : before.error().kind, errc::bad_input) << file.content;
    }
}

TEST(bad_rows, any_number_of_them_comes_first) {
    const scratch_folder folder;
    std::string content;
    for (int i = 0; i < 1500; ++i) {
        content += "{\"id\":\"x\",\"text\":null}\n";
    }
    const auto read = read_all({folder.write("a.jsonl", content + json_after)}, with_ids());
    ASSERT_FALSE(read.error) << *read.error;
    EXPECT_EQ(read.rows.size(), 1502u);
    EXPECT_EQ(read.rows.back().text, "d");
}

TEST(bad_rows, a_file_may_have_no_others_where_another_can_be_read) {
    const scratch_folder folder;
    const std::string good = folder.write("good.jsonl", json_before);
    const std::string other_format = folder.write("good.csv", csv_before);
    for (const char* content : {"{\"id\":\"b\"}\n", "{\"id\":\"b\",\"te", "[1]\n"}) {
        const std::string bad = folder.write("bad.jsonl", content);
        EXPECT_TRUE(open_files({good, bad}, with_ids())) << content;
        EXPECT_TRUE(open_files({bad, good}, with_ids())) << content;
        EXPECT_FALSE(open_files({bad}, with_ids())) << content;
        EXPECT_FALSE(open_files({other_format, bad}, with_ids())) << content;
        EXPECT_FALSE(corpus::open_files_by(corpus::first_reading_rules, {good, bad}, with_ids())) << content;
    }
    std::string prose;
    for (int i = 0; i < 1000; ++i) {
        prose += "no JSON at all\n";
    }
    EXPECT_FALSE(open_files({good, folder.write("prose.jsonl", prose)}, with_ids()));
}

TEST(bad_rows, failed_jsonl_is_read_by_its_own_names_too) {
    const scratch_folder folder;
    const std::string reason = R"("origin":"a.jsonl:1","error":"rejected","message":"why"})";
    const std::string with_text = R"({"row":3,"id":"seven","text":"the text",)" + reason + "\n";
    const std::string without = R"({"row":4,"id":"eight","raw":"{}",)" + reason + "\n";
    const std::string mended = R"({"row":5,"id":"nine","raw":"{}","body":"mended",)" + reason + "\n";
    file_source_options options;
    for (const char* text_field : {"body", "message", "text"}) {
        options.text_field = text_field;
        options.id_field = "doc";
        auto read = read_all({folder.write("failed.jsonl", with_text + without + mended)}, options);
        ASSERT_FALSE(read.error) << *read.error;
        ASSERT_EQ(read.rows.size(), 3u);
        EXPECT_EQ(read.rows[0].text, "the text");
        EXPECT_EQ(read.rows[0].id, "seven");
        EXPECT_EQ(read.rows[0].defect, "");
        EXPECT_NE(read.rows[1].defect.find("nobody has given it a text"), std::string::npos) << read.rows[1].defect;
        EXPECT_EQ(read.rows[1].id, "eight");
        EXPECT_EQ(read.rows[2].text, text_field == "body"s ? "mended" : "");
        EXPECT_EQ(read.rows[2].id, "nine");
    }
    // What only begins alike is no such line.
    options.text_field = "message";
    options.id_field.clear();
    const std::string log = R"({"row":1,"error":"E7","message":"a message"})";
    EXPECT_EQ(read_all({folder.write("log.jsonl", log)}, options).rows.at(0).text, "a message");
}

TEST(bad_rows, a_key_that_spells_no_name_does_no_harm) {
    const scratch_folder folder;
    const std::string keys[] = {"\\ud83d", "a\tb", "\\udead\\n"};
    std::string content;
    for (const std::string& key : keys) {
        content += "{\"" + key + "\":1,\"id\":1,\"text\":\"a\"}\n{\"id\":1,\"text\":\"a\",\"" + key + "\":{\"x\":2}}\n";
    }
    const auto read = read_all({folder.write("a.jsonl", content)}, with_ids());
    ASSERT_FALSE(read.error) << *read.error;
    ASSERT_EQ(read.rows.size(), 6u);
    for (const source_row& row : read.rows) {
        EXPECT_EQ(row.defect, "") << row.raw;
        EXPECT_EQ(row.text + row.id, "a1");
    }
}

TEST(bad_rows, what_failed_jsonl_has_is_a_corpus) {
    const scratch_folder folder;
    auto read = read_all(
        {folder.write("a.jsonl", json_before + "{\"id\":7,\"text\":null}\n{\"text\":\"x\"}\n\xff\xfe\n")}, with_ids());
    ASSERT_EQ(read.rows.size(), 5u);
    std::string lines;
    for (std::size_t i = 2; i < read.rows.size(); ++i) {
        failed_row failed;
        failed.index = i;
        failed.row = read.rows[i];
        failed.reason = error(errc::bad_input, failed.row.defect);
        std::string line;
        folder::write_failed_line(line, failed);
        lines += line + "\n";
    }
    EXPECT_NE(lines.find("\"raw\":\"{\\\"id\\\":7,\\\"text\\\":null}\""), std::string::npos) << lines;
    EXPECT_NE(lines.find("\"raw_base64\":\"//4=\""), std::string::npos) << lines;
    read = read_all({folder.write("failed.jsonl", lines)}, with_ids());
    ASSERT_FALSE(read.error) << *read.error;
    ASSERT_EQ(read.rows.size(), 3u);
    EXPECT_NE(read.rows[0].defect.find("add a field \"text\""), std::string::npos) << read.rows[0].defect;
    EXPECT_EQ(read.rows[0].id, "7");
    EXPECT_EQ(read.rows[1].text, "x");
    EXPECT_NE(read.rows[2].defect.find("add a field \"text\""), std::string::npos);
    // One that holds nothing else too, and one that was mended.
    const std::string first = lines.substr(0, lines.find('\n') + 1);
    EXPECT_EQ(read_all({folder.write("failed.jsonl", first)}, with_ids()).rows.size(), 1u);
    const std::string mended = "{\"row\":2,\"text\":\"mended\"," + first.substr(first.find(',') + 1);
    EXPECT_EQ(read_all({folder.write("failed.jsonl", mended)}, with_ids()).rows.at(0).text, "mended");
}

TEST(bad_rows, a_raw_line_that_is_cut_ends_with_a_whole_character) {
    failed_row failed;
    failed.row.raw = "caf\xc3";
    failed.row.raw_bytes = 9;
    std::string line;
    folder::write_failed_line(line, failed);
    EXPECT_NE(line.find("\"raw\":\"caf\",\"raw_bytes\":9"), std::string::npos) << line;
}

TEST(blank_lines_of_a_corpus, keep_their_place_or_fail_or_are_skipped) {
    const scratch_folder folder;
    const std::string path = folder.write("a.txt", "a\n\n \t\r\nb\n");
    file_source_options options;
    auto read = read_all({path}, options);
    ASSERT_EQ(read.rows.size(), 4u);
    EXPECT_TRUE(read.rows[1].blank && read.rows[2].blank && !read.rows[3].blank);
    EXPECT_EQ(read.rows[1].defect, "the line is blank");
    options.blank = blank_lines::fail;
    read = read_all({path}, options);
    ASSERT_EQ(read.rows.size(), 4u);
    EXPECT_FALSE(read.rows[1].blank);
    EXPECT_NE(read.rows[1].defect, "");
    options.blank = blank_lines::skip;
    read = read_all({path}, options);
    ASSERT_EQ(read.rows.size(), 2u);
    EXPECT_EQ(read.rows[0].line, 1u);
    EXPECT_EQ(read.rows[1].line, 4u);
}

TEST(blank_lines_of_a_corpus, belong_to_the_identity) {
    const scratch_folder folder;
    const std::string path = folder.write("a.txt", "a\n\nb\n");
    file_source_options fail;
    fail.blank = blank_lines::fail;
    file_source_options skip;
    skip.blank = blank_lines::skip;
    const std::string kept = fingerprint_files({path}).value();
    EXPECT_NE(fingerprint_files({path}, fail).value(), kept);
    EXPECT_NE(fingerprint_files({path}, skip).value(), kept);
    EXPECT_NE(fingerprint_files({path}, fail).value(), fingerprint_files({path}, skip).value());
    // By the first rules every blank line failed, so that none was skipped.
    EXPECT_EQ(corpus::fingerprint_files_by(1, {path}, fail).value(),
              corpus::fingerprint_files_by(1, {path}, {}).value());
    EXPECT_NE(corpus::fingerprint_files_by(1, {path}, skip).value(),
              corpus::fingerprint_files_by(1, {path}, {}).value());
    EXPECT_EQ(open_files({folder.write("a.jsonl", "{\"text\":\"a\"}\n")}, skip).error().kind, errc::invalid_argument);
}

TEST(tsv_quotes, are_read_as_in_csv_if_asked_for) {
    const scratch_folder folder;
    const std::string path = folder.write("a.tsv", "id\ttext\n1\t\"two\nlines\"\n");
    file_source_options options = with_ids();
    options.tsv_quotes = true;
    const auto read = read_all({path}, options);
    ASSERT_EQ(read.rows.size(), 1u);
    EXPECT_EQ(read.rows[0].text, "two\nlines");
    EXPECT_NE(fingerprint_files({path}, options).value(), fingerprint_files({path}, with_ids()).value());
    EXPECT_EQ(open_files({folder.write("a.csv", "id,text\n1,a\n")}, options).error().kind, errc::invalid_argument);
}

}  // namespace
}  // namespace vembed
