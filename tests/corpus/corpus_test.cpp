// Sources: what bytes in a file become which rows, and what is said of bytes that become none.

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <zlib.h>
#include <zstd.h>

#include <ostream>
#include <vector>

#include <vembed/corpus/source.hpp>

#include "corpus/corpus_reading.hpp"
#include "support/scratch.hpp"

namespace vembed {
namespace {

using testing::read_all;
using testing::reading;
using testing::scratch_folder;

std::vector<std::string> texts(const reading& r) {
    std::vector<std::string> out;
    for (const auto& row : r.rows) {
        out.push_back(row.text);
    }
    return out;
}

std::string gzip(std::string_view text) {
    z_stream stream{};
    constexpr int with_gzip_header = 16;
    EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + with_gzip_header, 8, Z_DEFAULT_STRATEGY), Z_OK);
    std::string out(deflateBound(&stream, text.size()) + 64, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

std::string zstd(std::string_view text) {
    std::string out(ZSTD_compressBound(text.size()), '\0');
    out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
    return out;
}

std::string many_lines(std::size_t count) {
    std::string out;
    std::uint64_t state = 88172645463325252u;
    for (std::size_t i = 0; i < count; ++i) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        out += "line " + std::to_string(i) + " " + std::to_string(state) + std::string(state % 90, 'x') + "\n";
    }
    return out;
}

// ---- plain lines

struct lines_case {
    const char* name;
    std::string content;
    std::vector<std::string> expected;
};
void PrintTo(const lines_case& c, std::ostream* out) {
    *out << c.name;
}

class lines_table : public ::testing::TestWithParam<lines_case> {};

TEST_P(lines_table, becomes_texts) {
    scratch_folder folder;
    const auto read = read_all({folder.write("a.txt", GetParam().content)});
    ASSERT_FALSE(read.error) << *read.error;
    EXPECT_EQ(texts(read), GetParam().expected);
    for (std::size_t i = 0; i < read.rows.size(); ++i) {
        EXPECT_EQ(read.rows[i].origin, folder.file("a.txt") + ":" + std::to_string(i + 1));
        EXPECT_EQ(read.rows[i].id, "");
        EXPECT_EQ(read.rows[i].defect, "");
    }
}

INSTANTIATE_TEST_SUITE_P(corpus, lines_table,
                         ::testing::Values(lines_case{"empty_file", "", {}}, lines_case{"one_line", "a\n", {"a"}},
                                           lines_case{"no_line_feed_at_the_end", "a\nb", {"a", "b"}},

                                           lines_case{"crlf", "a\r\nb\r\n", {"a", "b"}},
                                           lines_case{"crlf_without_end", "a\r\nb\r", {"a", "b"}},
                                           lines_case{"a_cr_inside_stays", "a\rb\nc\n", {"a\rb", "c"}},
                                           lines_case{"byte_order_mark",
                                                      "\xef\xbb\xbf"
                                                      "a\nb\n",
                                                      {"a", "b"}},
                                           lines_case{"only_a_byte_order_mark", "\xef\xbb\xbf", {}},
                                           lines_case{"two_bytes", "ab", {"ab"}},
                                           lines_case{"bytes_that_are_not_utf8", "\xff\xc0 x\n", {"\xff\xc0 x"}}),
                         [](const auto& made) { return made.param.name; });

TEST(corpus, lines_longer_than_the_first_buffer_are_whole) {
    scratch_folder folder;
    const std::string large(700'000, 'q');
    const auto read = read_all({folder.write("a.txt", "first\n" + large + "\nlast\n")});
    ASSERT_FALSE(read.error) << *read.error;
    EXPECT_EQ(texts(read), (std::vector<std::string>{"first", large, "last"}));
}

TEST(corpus, lines_across_buffer_ends_are_whole) {
    scratch_folder folder;
    const std::string content = many_lines(20'000);
    ASSERT_GT(content.size(), 1'000'000u);
    const auto read = read_all({folder.write("a.txt", content)});
    std::string joined;
    for (const auto& text : texts(read)) {
        joined += text + "\n";
    }
    EXPECT_EQ(joined, content);
}

TEST(corpus, a_line_over_the_limit_is_one_bad_row) {
    scratch_folder folder;
    file_source_options options;
    options.max_record_bytes = 10;
    auto read = read_all({folder.write("a.txt", "0123456789\n0123456789a\n")}, options);
    ASSERT_FALSE(read.error) << *read.error;
    EXPECT_EQ(texts(read), (std::vector<std::string>{"0123456789", ""}));
    EXPECT_EQ(read.rows[1].defect, "the line is longer than 10 bytes");
    EXPECT_EQ(read.rows[1].raw, "0123456789");
    EXPECT_EQ(read.rows[1].raw_bytes, 11u);

    options.max_record_bytes = 1 << 20;
    read = read_all({folder.write("b.txt", "x\n" + std::string(3 << 20, 'y') + "\nz\n")}, options);
    ASSERT_FALSE(read.error) << *read.error;
    EXPECT_EQ(texts(read), (std::vector<std::string>{"x", "", "z"}));
    EXPECT_EQ(read.rows[1].raw.size(), 256u * 1024);
    EXPECT_EQ(read.rows[1].raw_bytes, 3u << 20);
}

TEST(corpus, files_follow_each_other) {
    scratch_folder folder;
    const auto a = folder.write("a.txt", "1\n2");
    const auto b = folder.write("b.txt", "");
    const auto c = folder.write("c.jsonl", "{\"text\":\"3\"}\n");
    const auto read = read_all({a, b, c, a});
    ASSERT_FALSE(read.error) << *read.error;
    EXPECT_EQ(texts(read), (std::vector<std::string>{"1", "2", "3", "1", "2"}));
    EXPECT_EQ(read.rows[2].origin, c + ":1");
}

TEST(corpus, a_failure_stays) {
    scratch_folder folder;
    const std::string packed = gzip("ok\n" + many_lines(20'000));
    auto source = open_files({folder.write("a.txt.gz", packed.substr(0, packed.size() / 2))});
    ASSERT_TRUE(source);
    result<std::optional<source_row>> row = (*source)->next();
    while (row) {
        row = (*source)->next();
    }
    EXPECT_FALSE((*source)->next());
    EXPECT_FALSE((*source)->next());
}

// ---- refusals at open

struct refusal_case {
    const char* name;
    std::string file;
    std::string content;
    std::string said;
    std::string id_field = "";
    errc kind = errc::bad_input;
};
void PrintTo(const refusal_case& c, std::ostream* out) {
    *out << c.name;
}

class refusal_table : public ::testing::TestWithParam<refusal_case> {};

TEST_P(refusal_table, is_refused_before_any_row) {
    scratch_folder folder;
    const auto& param = GetParam();
    file_source_options options;
    options.id_field = param.id_field;
    auto source = open_files({folder.write(param.file, param.content)}, options);
    ASSERT_FALSE(source);
    EXPECT_EQ(source.error().kind, param.kind);
    EXPECT_NE(source.error().message.find(param.said), std::string::npos) << source.error();
    EXPECT_NE(source.error().message.find(param.file), std::string::npos) << source.error();
}

constexpr errc usage = errc::invalid_argument;
INSTANTIATE_TEST_SUITE_P(
    corpus, refusal_table,
    ::testing::Values(refusal_case{"utf16", "a.txt", std::string("\xff\xfe\x61\x00", 4), "iconv", "", usage},
                      refusal_case{"bzip2", "a.bz2", "BZh91AY&SY", "bzip2 -dc ", "", usage},
                      refusal_case{"xz", "a.xz", std::string("\xfd\x37zXZ\0\0\4", 8), "xz -dc ", "", usage},
                      refusal_case{"zip", "a.zip", "PK\x03\x04....", "unzip -p ", "", usage},
                      refusal_case{"jsonl_not_json", "a.jsonl", "hello\n", ":1: the line is not JSON"},
                      refusal_case{"jsonl_array", "a.jsonl", "[1]\n", ":1: the line is not a JSON object"},
                      refusal_case{"jsonl_two_values", "a.jsonl", "{\"text\":\"a\"} {}\n", "not JSON"},
                      refusal_case{"jsonl_unfinished", "a.jsonl", "{\"text\":\"a\"\n", "not JSON"},
                      refusal_case{"jsonl_no_text", "a.jsonl", "\n{\"body\":\"a\",\"n\":{\"text\":\"b\"}}\n",
                                   ":2: the line has no field \"text\"; it has \"body\", \"n\"", "", usage},
                      refusal_case{"jsonl_no_fields", "a.jsonl", "{}\n", "no field \"text\" nor any other", "", usage},
                      refusal_case{"jsonl_no_id", "a.jsonl", "{\"text\":\"a\"}\n", "no field \"key\"; it has \"text\"",
                                   "key", usage},
                      refusal_case{"csv_empty", "a.csv", "", "first line must name the columns"},
                      refusal_case{"csv_no_column", "a.csv", "id,body\n1,a\n",
                                   "no column \"text\"; the header names \"id\", \"body\"", "", usage},
                      refusal_case{"csv_no_id_column", "a.csv", "text\na\n", "no column \"key\"", "key", usage},
                      refusal_case{"csv_column_twice", "a.csv", "text,text\na,b\n", "\"text\" twice", "", usage},
                      refusal_case{"tsv_no_column", "a.tsv", "id,text\n", "the header names \"id,text\"", "", usage}),
    [](const auto& made) { return made.param.name; });

TEST(corpus, arguments_are_checked) {
    EXPECT_EQ(open_files({}).error().kind, errc::invalid_argument);
    scratch_folder folder;
    const auto path = folder.write("a.txt", "a\n");
    file_source_options options;
    options.text_field = "";
    EXPECT_EQ(open_files({path}, options).error().kind, errc::invalid_argument);
    options = {};
    options.max_record_bytes = 0;
    EXPECT_EQ(open_files({path}, options).error().kind, errc::invalid_argument);
}

TEST(corpus, what_cannot_be_opened_is_named) {
    scratch_folder folder;
    auto missing = open_files({folder.file("none.txt")});
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().kind, errc::io);
    EXPECT_NE(missing.error().message.find("none.txt: No such file"), std::string::npos) << missing.error();

    auto directory = open_files({folder.path()});
    ASSERT_FALSE(directory);
    EXPECT_EQ(directory.error().kind, errc::bad_input);

    ASSERT_EQ(::mkfifo(folder.file("pipe").c_str(), 0600), 0);
    auto pipe = open_files({folder.file("pipe")});
    ASSERT_FALSE(pipe);
    EXPECT_EQ(pipe.error().kind, errc::bad_input);
    EXPECT_NE(pipe.error().message.find("not a regular file"), std::string::npos);
}

// ---- JSONL

TEST(corpus, jsonl_takes_text_and_id) {
    scratch_folder folder;
    file_source_options options;
    options.id_field = "id";
    const auto read = read_all({folder.write("a.jsonl",
                                             "{\"id\":\"x\",\"text\":\"a\"}\r\n"
                                             "\n"
                                             "{\"text\":\"\\u00e9\\n\\ud83d\\ude00\",\"id\":12345678901234567890123}\n"
                                             "{\"meta\":{\"text\":\"no\",\"id\":[1,{\"id\":2}]},\"text\":\"b\","
                                             "\"id\":-1.50}\n"
                                             " {\"text\":\"first\",\"text\":\"last\",\"id\":null} \n"
                                             "{\"te\\u0078t\":\"escaped key\",\"id\":\"\"}")},
                               options);
    ASSERT_FALSE(read.error) << *read.error;
    EXPECT_EQ(texts(read), (std::vector<std::string>{"a", "é\n😀", "b", "last", "escaped key"}));
    std::vector<std::string> ids;
    std::vector<std::string> lines;
    for (const auto& row : read.rows) {
        ids.push_back(row.id);
        lines.push_back(row.origin.substr(row.origin.rfind(':')));
    }
    EXPECT_EQ(ids, (std::vector<std::string>{"x", "12345678901234567890123", "-1.50", "", ""}));
    EXPECT_EQ(lines, (std::vector<std::string>{":1", ":3", ":4", ":5", ":6"}));
}

TEST(corpus, jsonl_bad_lines_after_the_first_are_rows_with_a_defect) {
    scratch_folder folder;
    file_source_options options;
    options.id_field = "id";
    const auto read = read_all({folder.write("a.jsonl",
                                             "{\"id\":1,\"text\":\"a\"}\n"
                                             "{\"id\":2,\"text\":\n"
                                             "{\"id\":3}\n"
                                             "{\"id\":4,\"text\":null}\n"
                                             "{\"id\":5,\"text\":\"\\ud800\"}\n"
                                             "{\"id\":6,\"text\":\"\xff\"}\n"
                                             "{\"id\":7,\"text\":\"b\"}\n")},
                               options);
    ASSERT_FALSE(read.error) << *read.error;
    ASSERT_EQ(read.rows.size(), 7u);
    EXPECT_EQ(read.rows[1].defect.find("the line is not JSON"), 0u) << read.rows[1].defect;
    EXPECT_EQ(read.rows[2].defect, "the line has no field \"text\"");
    EXPECT_EQ(read.rows[2].id, "3");
    EXPECT_EQ(read.rows[3].defect, "the line has a field \"text\" that is not a string");
    EXPECT_EQ(read.rows[4].defect.find("the line is not JSON"), 0u);
    EXPECT_EQ(read.rows[5].text, "\xff");
    EXPECT_EQ(read.rows[5].defect, "");
    EXPECT_EQ(read.rows[6].text, "b");
    EXPECT_EQ(read.rows[6].defect, "");
    for (const std::size_t bad : {1, 2, 3, 4}) {
        EXPECT_EQ(read.rows[bad].text, "");
        EXPECT_FALSE(read.rows[bad].origin.empty());
    }
}

TEST(corpus, jsonl_of_great_depth_or_length_does_no_harm) {
    scratch_folder folder;
    const std::string deep(100'000, '[');
    const std::string large(600'000, 'z');
    const auto read = read_all({folder.write("a.jsonl", "{\"text\":\"a\"}\n{\"x\":" + deep + "\n{\"text\":\"" + large +
                                                            "\"}\n{\"" + large + "\":1,\"text\":\"b\"}\n")});
    ASSERT_FALSE(read.error) << *read.error;
    ASSERT_EQ(read.rows.size(), 4u);
    EXPECT_NE(read.rows[1].defect, "");
    EXPECT_EQ(read.rows[2].text, large);
    EXPECT_EQ(read.rows[3].text, "b");
}

// ---- CSV

struct csv_case {
    const char* name;
    std::string content;
    std::vector<std::string> expected_texts;
    std::vector<std::string> expected_ids;
    std::vector<int> expected_lines;
};
void PrintTo(const csv_case& c, std::ostream* out) {
    *out << c.name;
}

class csv_table : public ::testing::TestWithParam<csv_case> {};

TEST_P(csv_table, becomes_rows) {
    scratch_folder folder;
    file_source_options options;
    options.id_field = "id";
    const auto read = read_all({folder.write("a.csv", GetParam().content)}, options);
    ASSERT_FALSE(read.error) << *read.error;
    EXPECT_EQ(texts(read), GetParam().expected_texts);
    for (std::size_t i = 0; i < read.rows.size() && i < GetParam().expected_ids.size(); ++i) {
        EXPECT_EQ(read.rows[i].id, GetParam().expected_ids[i]);
        EXPECT_EQ(read.rows[i].origin, folder.file("a.csv") + ":" + std::to_string(GetParam().expected_lines[i]));
    }
}

INSTANTIATE_TEST_SUITE_P(
    corpus, csv_table,
    ::testing::Values(
        csv_case{"only_a_header", "id,text\n", {}, {}, {}},
        csv_case{"plain", "id,text\n1,a\n2,b", {"a", "b"}, {"1", "2"}, {2, 3}},
        csv_case{"other_columns_and_order", "x,text,y,id\n,a,,1\n,b,,2\n", {"a", "b"}, {"1", "2"}, {2, 3}},
        csv_case{"crlf", "id,text\r\n1,a\r\n2,\"b\"\r\n", {"a", "b"}, {"1", "2"}, {2, 3}},
        csv_case{"quotes", "id,text\n1,\"a,\"\"b\"\"\"\n2,\"\"\n", {"a,\"b\"", ""}, {"1", "2"}, {2, 3}},
        csv_case{"line_ends_in_quotes", "id,text\n1,\"a\nb\r\n\nc\"\n2,d\n", {"a\nb\r\n\nc", "d"}, {"1", "2"}, {2, 6}},
        csv_case{"quoted_header", "\"id\",\"text\"\n1,a\n", {"a"}, {"1"}, {2}},
        csv_case{"byte_order_mark", "\xef\xbb\xbfid,text\n1,a\n", {"a"}, {"1"}, {2}},
        csv_case{"empty_lines_between", "id,text\n\n1,a\n\r\n2,b\n\n", {"a", "b"}, {"1", "2"}, {3, 5}},
        csv_case{"empty_fields", "id,text\n,\n", {""}, {""}, {2}},
        csv_case{"quote_inside_plain_field", "id,text\n1,5\" screen\n", {"5\" screen"}, {"1"}, {2}},
        csv_case{"spaces_count", "id,text\n 1 , a \n", {" a "}, {" 1 "}, {2}},
        csv_case{"quoted_end_without_line_feed", "id,text\n1,\"a\"", {"a"}, {"1"}, {2}},
        csv_case{"quoted_first_field", "id,text\n\"1\",a\n", {"a"}, {"1"}, {2}}),
    [](const auto& made) { return made.param.name; });

TEST(corpus, csv_records_of_another_width_have_a_defect) {
    scratch_folder folder;
    const auto read = read_all({folder.write("a.csv", "id,text\n1,a\n2\n3,b,c\n4,d\n")});
    ASSERT_FALSE(read.error) << *read.error;
    ASSERT_EQ(read.rows.size(), 4u);
    EXPECT_EQ(read.rows[1].defect.find("the record has 1 fields, but the header names 2"), 0u);
    EXPECT_EQ(read.rows[2].defect.find("the record has 3 fields, but the header names 2"), 0u);
    EXPECT_EQ(read.rows[1].text + read.rows[2].text, "");
    EXPECT_EQ(read.rows[3].text, "d");
}

TEST(corpus, csv_quote_that_never_closes_is_bounded) {
    scratch_folder folder;
    file_source_options options;
    options.max_record_bytes = 1000;
    std::string content = "text\nok\n\"open\n";
    for (int i = 0; i < 1000; ++i) {
        content += "more\n";
    }
    const auto read = read_all({folder.write("a.csv", content)}, options);
    ASSERT_FALSE(read.error) << *read.error;
    ASSERT_EQ(read.rows.size(), 1002u);
    EXPECT_EQ(read.rows[1].defect.find("a quoted field begins here"), 0u) << read.rows[1].defect;
    EXPECT_EQ(read.rows[1].raw, "\"open");
    EXPECT_EQ(read.rows[2].text, "more");
}

TEST(corpus, csv_text_and_id_may_be_one_column) {
    scratch_folder folder;
    file_source_options options;
    options.id_field = "text";
    const auto read = read_all({folder.write("a.csv", "text\na\n")}, options);
    ASSERT_EQ(read.rows.size(), 1u);
    EXPECT_EQ(read.rows[0].text, "a");
    EXPECT_EQ(read.rows[0].id, "a");
}

TEST(corpus, tsv_is_split_at_tabs) {
    scratch_folder folder;
    const auto read = read_all({folder.write("a.TSV", "id\ttext\n1\ta, b\n2\t\"c\" d\n")});
    ASSERT_FALSE(read.error) << *read.error;
    EXPECT_EQ(texts(read), (std::vector<std::string>{"a, b", "\"c\" d"}));
}

// ---- compression

TEST(corpus, compressed_files_give_the_same_rows) {
    scratch_folder folder;
    const std::string first = many_lines(9'000);
    const std::string second = many_lines(5'000);
    const std::string skippable("\x50\x2a\x4d\x18\x03\x00\x00\x00xyz", 11);
    const auto plain = read_all({folder.write("plain.txt", first + second)});
    ASSERT_EQ(plain.rows.size(), 14'000u);
    const std::vector<std::pair<std::string, std::string>> files{
        {"one.txt.gz", gzip(first + second)},
        {"members.txt.gz", gzip(first) + gzip("") + gzip(second)},
        {"padded.txt.gz", gzip(first + second) + std::string(1000, '\0')},
        {"named_otherwise.txt", gzip(first + second)},
        {"one.txt.zst", zstd(first + second)},
        {"frames.txt.zst", zstd(first) + skippable + zstd("") + zstd(second)},
        {"skippable_first.txt.zstd", skippable + zstd(first + second)}};
    for (const auto& [name, content] : files) {
        const auto read = read_all({folder.write(name, content)});
        ASSERT_FALSE(read.error) << name << ": " << *read.error;
        EXPECT_TRUE(texts(read) == texts(plain)) << name;
    }
}

TEST(corpus, a_highly_compressed_file_is_read_in_bounded_pieces) {
    scratch_folder folder;
    std::string content;
    for (int i = 0; i < 64; ++i) {
        content += std::string(100'000, 'a') + "\n";
    }
    for (const auto& [name, packed] : {std::pair("a.gz", gzip(content)), std::pair("a.zst", zstd(content))}) {
        const auto read = read_all({folder.write(name, packed)});
        ASSERT_FALSE(read.error) << *read.error;
        EXPECT_EQ(read.rows.size(), 64u) << name;
        EXPECT_EQ(read.rows.back().text.size(), 100'000u);
    }
}

TEST(corpus, truncated_compressed_files_are_bad_input) {
    scratch_folder folder;
    const std::string content = many_lines(2'000);
    for (const auto& [name, packed] : {std::pair("a.txt.gz", gzip(content)), std::pair("a.txt.zst", zstd(content))}) {
        for (const std::size_t cut : {packed.size() - 1, packed.size() - 5, packed.size() / 2, std::size_t{9}}) {
            const auto read = read_all({folder.write(name, packed.substr(0, cut))});
            ASSERT_TRUE(read.error) << name << " cut to " << cut;
            EXPECT_EQ(read.error->kind, errc::bad_input);
            EXPECT_NE(read.error->message.find("truncated"), std::string::npos) << *read.error;
            EXPECT_NE(read.error->message.find(name), std::string::npos);
        }
    }
}

TEST(corpus, damaged_compressed_files_are_bad_input) {
    scratch_folder folder;
    const std::string content = many_lines(2'000);
    std::string packed = gzip(content);
    packed[packed.size() - 6] = static_cast<char>(packed[packed.size() - 6] ^ 1);  // the CRC
    auto read = read_all({folder.write("crc.gz", packed)});
    ASSERT_TRUE(read.error);
    EXPECT_EQ(read.error->kind, errc::bad_input);

    read = read_all({folder.write("garbage.gz", gzip(content) + "garbage")});
    ASSERT_TRUE(read.error);
    EXPECT_EQ(read.error->kind, errc::bad_input);

    std::string frame = zstd(content);
    frame[frame.size() / 2] = static_cast<char>(frame[frame.size() / 2] ^ 0x55);
    frame[4] = '\xff';
    read = read_all({folder.write("bad.zst", frame)});
    ASSERT_TRUE(read.error);
    EXPECT_EQ(read.error->kind, errc::bad_input);
}

TEST(corpus, the_name_before_the_compression_tells_the_format) {
    scratch_folder folder;
    const auto read = read_all(
        {folder.write("a.NDJSON.gz", gzip("{\"text\":\"a\"}\n")), folder.write("b.csv.zst", zstd("text\nb\n"))});
    ASSERT_FALSE(read.error) << *read.error;
    EXPECT_EQ(texts(read), (std::vector<std::string>{"a", "b"}));
}

// ---- fingerprints

TEST(fingerprint, says_what_decides_the_rows) {
    scratch_folder folder;
    const auto a = folder.write("a.jsonl", "{\"text\":\"a\"}\n");
    const auto b = folder.write("b.jsonl", "{\"text\":\"b\"}\n");
    const auto copy = folder.write("copy.jsonl", "{\"text\":\"a\"}\n");
    const auto as_lines = folder.write("a.txt", "{\"text\":\"a\"}\n");
    const auto of = [](const std::vector<std::string>& paths, const file_source_options& options = {}) {
        auto made = fingerprint_files(paths, options);
        EXPECT_TRUE(made);
        return made ? *made : "";
    };
    const std::string base = of({a, b});
    EXPECT_EQ(base.size(), 64u);
    EXPECT_EQ(base.find_first_not_of("0123456789abcdef"), std::string::npos);
    EXPECT_EQ(of({a, b}), base);
    EXPECT_EQ(of({copy, b}), base);
    EXPECT_NE(of({b, a}), base);
    EXPECT_NE(of({a}), base);
    EXPECT_NE(of({a, b, b}), base);
    EXPECT_NE(of({as_lines, b}), base);
    file_source_options options;
    options.text_field = "body";
    EXPECT_NE(of({a, b}, options), base);
    options = {};
    options.id_field = "id";
    EXPECT_NE(of({a, b}, options), base);
    options = {};
    options.max_record_bytes = 999;
    EXPECT_EQ(of({a, b}, options), base);
    options = {};
    options.format = corpus_format::jsonl;
    EXPECT_EQ(of({as_lines, b}, options), base);
    EXPECT_EQ(fingerprint_files({folder.file("none")}).error().kind, errc::io);
}

// ---- the other sources

TEST(sources, a_vector_gives_its_texts) {
    vector_source source({"a", "", "b"});
    EXPECT_EQ(source.size_hint(), 3u);
    for (const char* expected : {"a", "", "b"}) {
        auto row = source.next();
        ASSERT_TRUE(row && row->has_value());
        EXPECT_EQ((*row)->text, expected);
    }
    EXPECT_FALSE(source.next()->has_value());
    EXPECT_FALSE(source.next()->has_value());
}

TEST(sources, a_line_source_opens_late_and_ignores_the_name) {
    scratch_folder folder;
    line_source missing(folder.file("none.txt"));
    EXPECT_EQ(missing.next().error().kind, errc::io);
    line_source source(folder.write("a.csv", "a,b\n"));
    auto row = source.next();
    ASSERT_TRUE(row && row->has_value());
    EXPECT_EQ((*row)->text, "a,b");
    EXPECT_FALSE(source.next()->has_value());
}

TEST(sources, a_generator_is_asked_until_it_ends) {
    int calls = 0;
    generator_source source([&calls]() -> std::optional<std::string> {
        return ++calls < 3 ? std::optional<std::string>(std::to_string(calls)) : std::nullopt;
    });
    EXPECT_EQ((*source.next())->text, "1");
    EXPECT_EQ((*source.next())->text, "2");
    EXPECT_FALSE(source.next()->has_value());
    EXPECT_FALSE(source.next()->has_value());
    EXPECT_EQ(calls, 3);
}

TEST(sources, a_generator_that_throws_is_a_failure) {
    generator_source source([]() -> std::optional<std::string> { throw std::runtime_error("no more disk"); });
    auto row = source.next();
    ASSERT_FALSE(row);
    EXPECT_EQ(row.error().kind, errc::callback_failed);
    EXPECT_NE(row.error().message.find("no more disk"), std::string::npos);
    generator_source empty(nullptr);
    EXPECT_EQ(empty.next().error().kind, errc::invalid_argument);
}

}  // namespace
}  // namespace vembed
