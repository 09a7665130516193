// Which format a file is taken to have, what is refused for it, and by which version of the rules it is read.

#include <gtest/gtest.h>
#include <zlib.h>

#include <ostream>
#include <set>
#include <vector>

#include <vembed/corpus/source.hpp>

#include "corpus/corpus_reading.hpp"
#include "corpus/records/reading_rules.hpp"
#include "support/scratch.hpp"

namespace vembed {
namespace {

using namespace std::string_literals;
using testing::scratch_folder;

struct outcome {
    std::vector<std::string> texts;
    std::vector<std::string> defects;
    std::optional<vembed::error> error;
};

outcome read_all(const std::string& path, const file_source_options& options = {},
                 std::uint32_t rules = corpus::latest_reading_rules) {
    testing::reading read = testing::read_all({path}, options, rules);
    outcome out;
    out.error = std::move(read.error);
    for (source_row& row : read.rows) {
        (row.defect.empty() ? out.texts : out.defects).push_back(std::move(row.defect.empty() ? row.text : row.defect));
    }
    return out;
}

std::string gzip(const std::string& text, int level = 6) {
    z_stream stream{};
    constexpr int with_gzip_header = 16;
    EXPECT_EQ(deflateInit2(&stream, level, Z_DEFLATED, MAX_WBITS + with_gzip_header, 8, Z_DEFAULT_STRATEGY), Z_OK);
    std::string out(deflateBound(&stream, text.size()) + 64, '\0');
    std::string in = text;
    stream.next_in = reinterpret_cast<Bytef*>(in.data());
    stream.avail_in = static_cast<uInt>(in.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

struct refused_file {
    const char* what;
    std::string name;
    std::string content;
    std::string said;
};

void PrintTo(const refused_file& c, std::ostream* out) {
    *out << c.what;
}

class refused_forms : public ::testing::TestWithParam<refused_file> {};

TEST_P(refused_forms, is_a_usage_error_that_says_what_to_do) {
    const scratch_folder folder;
    const auto read = read_all(folder.write(GetParam().name, GetParam().content));
    ASSERT_TRUE(read.error);
    EXPECT_EQ(read.error->kind, errc::invalid_argument) << read.error->message;
    EXPECT_NE(read.error->message.find(GetParam().said), std::string::npos) << read.error->message;
}

const std::string jsonl = "{\"text\":\"a\"}\n{\"text\":\"b\"}\n";
INSTANTIATE_TEST_SUITE_P(
    forms, refused_forms,
    ::testing::Values(
        refused_file{"jsonl without an ending", "corpus", jsonl, "--format jsonl"},
        refused_file{"jsonl called text", "corpus.txt", "\n  " + jsonl, "--format jsonl"},
        refused_file{"jsonl whose first line is broken", "corpus", "{\"text\":nul\n" + jsonl, "jq"},
        refused_file{"an array", "docs.json", "[{\"text\":\"a\"},\n {\"text\":\"b\"}]\n", "jq -c '.[]'"},
        refused_file{"a packed array", "docs.json.gz", gzip("[{\"text\":\"a\"},\n {\"text\":\"b\"}]\n"),
                     "docs.json.gz | jq -c '.[]' > corpus.jsonl"},
        refused_file{"an array of strings", "docs.json", "[\n\"a\",\n\"b\"]\n", "jq -c '.[]'"},
        refused_file{"an object over lines", "docs.json", "{\n \"text\": \"a\"\n}\n", "jq -c ."},
        refused_file{"csv", "table", "id,text\n1,a\n2,\"b, c\"\n", "--format csv"},
        refused_file{"tsv", "table.data", "id\ttext\r\n1\ta\r\n", "--format tsv"},
        refused_file{"a pdf", "paper", "%PDF-1.7\nx\n", "not text"},
        refused_file{"zero bytes", "data", "some words\nand \0 more\n"s, "tr -d"},
        refused_file{"utf-16le", "words.txt", "a\0b\0\n\0c\0\n\0"s, "iconv -f UTF-16LE -t UTF-8"},
        refused_file{"utf-16be in csv", "words.csv", "\0t\0e\0x\0t\0\n\0a\0\n"s, "iconv -f UTF-16BE -t UTF-8"},
        refused_file{"cr alone", "words.txt", "one\rtwo\rthree\r", "tr '\\r' '\\n'"},
        refused_file{"cr and a last lf", "words.txt", "one\rtwo\rthree\n", "tr '\\r' '\\n'"},
        refused_file{"cr and a last crlf", "words.csv", "text\rtwo\r\n", "tr '\\r' '\\n'"},
        refused_file{"csv with line ends in quotes", "table", "id,text\n1,\"multi\nline\"\n2,b\n", "--format csv"},
        refused_file{"csv with doubled quotes", "table", "id,text\n1,\"he said \"\"hi, there\"\"\"\n", "--format csv"},
        refused_file{"csv with one wrong quote", "table", "id,text\n1,\"a\" b\n2,\"c\n3,d\n", "--format csv"},
        refused_file{"csv with one ragged record", "table", "id,text\n1,a\n1,a\n1,a\n1,a\n1,a\n2,b,c\n3,d\n3,d\n3,d\n",
                     "--format csv"},
        refused_file{"a header alone", "table", "id,text\n", "--format csv"},
        refused_file{"a header of tsv alone", "table", "id\ttext", "--format tsv"},
        refused_file{"semicolons", "table", "id;text\n1;a\n2;\"b;\nc\"\n", "delimiter=';'))\" < "},
        refused_file{"bars", "table", "id|text\n1|a\n", "delimiter='|'"},
        refused_file{"packed semicolons", "table.gz", gzip("id;text\n1;a\n"), "table.gz | python3 -c"},
        refused_file{"marked utf-16", "words.txt", "\xff\xfe\x61\0\x0a\0"s, "iconv -f UTF-16 -t UTF-8 /"},
        refused_file{"marked utf-16, packed", "words.gz", gzip("\xfe\xff\0\x61"s),
                     "words.gz | iconv -f UTF-16 -t UTF-8 > "},
        refused_file{"marked utf-32", "words.txt", "\xff\xfe\0\0\x61\0\0\0"s, "iconv -f UTF-32 -t UTF-8 /"},
        refused_file{"quoted names in tsv", "a.tsv", "\"id\"\t\"text\"\n\"1\"\t\"a\"\n", "--tsv-quotes"},
        refused_file{"strings", "corpus", "\"a\"\n\n\"b\"\r\n", "jq -c '{text: .}'"},
        refused_file{"arrays", "corpus", "[1,2]\n[3,4]\n", "jq -c '{text: .[0]}'"}));

std::string encoded(const std::u32string& text, std::size_t width, bool little) {
    std::string out;
    const auto put = [&](std::uint32_t unit) {
        for (std::size_t i = 0; i < width; ++i) {
            out += static_cast<char>(unit >> (8 * (little ? i : width - 1 - i)) & 0xff);
        }
    };
    for (const char32_t c : text) {
        if (width == 2 && c > 0xffff) {
            put(0xd800 + ((c - 0x10000) >> 10));
            put(0xdc00 + ((c - 0x10000) & 0x3ff));
        } else {
            put(c);
        }
    }
    return out;
}

TEST(corpus_forms, wide_text_of_any_language_names_its_encoding) {
    const scratch_folder folder;
    const std::vector<std::u32string> texts = {U"Привет мир\nещё строка\n", U"Привет",
                                               U"你好世界\n这是一行\n",     U"日本語のテキスト \U0001F600\n",
                                               U"a plain line\nanother\n",  U"한국어 문장\n"};
    for (const std::u32string& text : texts) {
        for (const std::size_t width : {std::size_t{2}, std::size_t{4}}) {
            for (const bool little : {true, false}) {
                const std::string name = "UTF-" + std::to_string(width * 8) + (little ? "LE" : "BE");
                for (const char* file : {"words.txt", "stdin.spool", "words.csv", "words.jsonl"}) {
                    const auto read = read_all(folder.write(file, encoded(text, width, little)));
                    ASSERT_TRUE(read.error) << name;
                    EXPECT_EQ(read.error->kind, errc::invalid_argument);
                    EXPECT_NE(read.error->message.find("iconv -f " + name + " -t UTF-8"), std::string::npos)
                        << read.error->message;
                }
            }
        }
    }
}

// More than what is looked at, without one line end or space.
TEST(corpus_forms, utf_16_of_chinese_without_a_space_names_its_encoding) {
    const scratch_folder folder;
    for (const std::u32string& text :
         {std::u32string(U"语言模型"), std::u32string(U"我们在学习新的技术，并且希望能够应用到实际的工作当中去。"),
          std::u32string(U"日本語のテキストです。")}) {
        for (const std::size_t times : {1u, 5000u}) {
            std::u32string repeated;
            for (std::size_t i = 0; i < times; ++i) {
                repeated += text;
            }
            for (const bool little : {true, false}) {
                for (const char* file : {"words.txt", "words.csv", "words.jsonl"}) {
                    const auto read = read_all(folder.write(file, encoded(repeated, 2, little)));
                    ASSERT_TRUE(read.error) << file;
                    EXPECT_EQ(read.error->kind, errc::invalid_argument) << read.error->message;
                    EXPECT_NE(read.error->message.find(little ? "iconv -f UTF-16LE" : "iconv -f UTF-16BE"),
                              std::string::npos)
                        << read.error->message;
                }
            }
        }
    }
}

TEST(corpus_forms, older_encodings_are_not_taken_for_utf_16) {
    const scratch_folder folder;
    const std::vector<std::string> texts = {
        "\xc4\xe3\xba\xc3\xca\xc0\xbd\xe7",                          // "Hello world" in GB 2312
        "\x93\xfa\x96\x7b\x8c\xea\x82\xcc\x83\x65\x83\x4c\x83\x58",  // "Japanese text" in Shift JIS
        "\x93\xfa\x96\x7b\x93\x8c\x8b\x9e",                          // two words of Han characters in Shift JIS
        "\x83\x65\x83\x58\x83\x67",                                  // "test" in katakana, Shift JIS
        "\xa7\x41\xa6\x6e\xa5\x40\xac\xc9",                          // "Hello world" in Big5
        "\xcf\xf0\xe8\xe2\xe5\xf2\xf7\xf2"};                         // Russian in windows-1251
    for (const std::string& text : texts) {
        const auto read = read_all(folder.write("words.txt", text));
        EXPECT_FALSE(read.error) << read.error->message;
    }
}

TEST(corpus_forms, what_is_neither_json_nor_table_nor_binary_is_lines) {
    const scratch_folder folder;
    const std::vector<std::string> plain = {"one, two\nthree\n",
                                            "[1] Smith, 1999\n[2] Jones\n",
                                            "{curly} braces\nx\n",
                                            "text\n",
                                            "the text, of it\nb\n",
                                            "id,text\nno comma\n1,a\nnone here\n",
                                            "the letters a;text\nand b\n",
                                            "the text; more\nand; more\n",
                                            "either|or\nthis|that\n",
                                            "caf\xe9\nx\n",
                                            "caf\xe9\nxy\n",
                                            "\"a\" is a letter\n\"b\"\n",
                                            "12\n13\n",
                                            "Привет мир\nещё\n",
                                            "\xc4\xe3\xba\xc3\n\xca\xc0\n",
                                            "one\r\n"};
    for (const std::string& content : plain) {
        const auto read = read_all(folder.write("corpus", content));
        EXPECT_FALSE(read.error) << content << ": " << read.error->message;
        EXPECT_FALSE(read.texts.empty()) << content;
    }
}

// A frame as `zstd --long=31` begins one: a window of 2 GiB, then a block that is stored as it is.
TEST(corpus_forms, a_zstd_window_of_2_gib_is_read) {
    const scratch_folder folder;
    const std::string text = "first\nsecond\n";
    const std::string head{"\x28\xb5\x2f\xfd\x00\xa8"s};
    const auto block = static_cast<char>((text.size() << 3U) | 1U);
    const outcome read = read_all(folder.write("long.txt.zst", head + block + "\0\0"s + text));
    EXPECT_FALSE(read.error) << *read.error;
    EXPECT_EQ(read.texts, (std::vector<std::string>{"first", "second"}));
    // 2^41 bytes.
    const std::string larger{"\x28\xb5\x2f\xfd\x00\xf8"s};
    const outcome refused = read_all(folder.write("longer.txt.zst", larger + block + "\0\0"s + text));
    ASSERT_TRUE(refused.error);
    EXPECT_EQ(refused.error->kind, errc::bad_input);
    EXPECT_NE(refused.error->message.find("window of over 2 GiB"), std::string::npos) << refused.error->message;
}

TEST(corpus_forms, the_word_of_the_user_is_believed) {
    const scratch_folder folder;
    file_source_options lines;
    lines.format = corpus_format::lines;
    EXPECT_EQ(read_all(folder.write("corpus", jsonl), lines).texts.size(), 2u);
}

TEST(corpus_forms, endings_of_jsonl) {
    const scratch_folder folder;
    for (const char* name : {"a.jsonl", "a.jsonlines", "a.jl", "a.ndjson", "a.JL"}) {
        EXPECT_EQ(read_all(folder.write(name, jsonl)).texts, (std::vector<std::string>{"a", "b"})) << name;
    }
}

TEST(corpus_forms, options_that_apply_to_no_file_are_refused) {
    const scratch_folder folder;
    const std::string path = folder.write("a.txt", "one\n");
    file_source_options options;
    options.id_field = "id";
    EXPECT_EQ(read_all(path, options).error->kind, errc::invalid_argument);
    options = {};
    options.text_field = "body";
    EXPECT_EQ(read_all(path, options).error->kind, errc::invalid_argument);
}

TEST(corpus_forms, a_quote_in_tsv_is_a_character) {
    const scratch_folder folder;
    const std::string path = folder.write("a.tsv", "id\ttext\n1\t\"Unbalanced\n2\t\"Stop!\" he said.\n3\tends\"\n");
    const auto read = read_all(path);
    EXPECT_EQ(read.texts, (std::vector<std::string>{"\"Unbalanced", "\"Stop!\" he said.", "ends\""}));
    const std::string quoted = folder.write("b.tsv", "id\ttext\n1\t\"two\nlines\"\n");
    EXPECT_EQ(read_all(quoted, {}, 1).texts, std::vector<std::string>{"two\nlines"});
}

TEST(corpus_forms, zero_bytes_are_a_matter_of_their_row) {
    const scratch_folder folder;
    const auto read = read_all(folder.write("a.csv", "text\none\nt\0wo\nthree\n"s));
    EXPECT_EQ(read.texts, (std::vector<std::string>{"one", "three"}));
    ASSERT_EQ(read.defects.size(), 1u);
    EXPECT_NE(read.defects[0].find("tr -d"), std::string::npos);
}

TEST(corpus_forms, the_older_rules_read_as_before) {
    const scratch_folder folder;
    EXPECT_EQ(read_all(folder.write("docs.json", jsonl), {}, 1).texts.size(), 2u);
    EXPECT_EQ(read_all(folder.write("a.txt", "one\rtwo\r"), {}, 1).texts, std::vector<std::string>{"one\rtwo"});
}

TEST(corpus_forms, a_bad_first_record_is_one_bad_row) {
    const scratch_folder folder;
    for (const char* bad : {"{\"text\":null}\n", "{\"text\":\n", "{}\n", "[1]\n"}) {
        const auto read = read_all(folder.write("a.jsonl", bad + jsonl));
        EXPECT_FALSE(read.error) << bad;
        EXPECT_EQ(read.texts, (std::vector<std::string>{"a", "b"})) << bad;
        EXPECT_EQ(read.defects.size(), 1u) << bad;
        EXPECT_TRUE(read_all(folder.write("a.jsonl", bad + jsonl), {}, 1).error) << bad;
    }
    const auto read = read_all(folder.write("a.csv", "id,text\n1\n2,b\n"));
    EXPECT_EQ(read.texts, std::vector<std::string>{"b"});
    EXPECT_EQ(read.defects.size(), 1u);
    EXPECT_FALSE(read_all(folder.write("failed.jsonl", "{\"row\":1,\"text_not_utf8\":\"x\"}\n")).error);
}

TEST(corpus_forms, jsonl_text_may_be_its_own_id) {
    const scratch_folder folder;
    file_source_options options;
    options.id_field = "text";
    auto source = open_files({folder.write("a.jsonl", jsonl)}, options);
    ASSERT_TRUE(source);
    const auto row = (*source)->next();
    EXPECT_EQ(row.value()->text, "a");
    EXPECT_EQ(row.value()->id, "a");
}

TEST(corpus_forms, the_fingerprint_is_of_the_rows_and_the_rules) {
    const scratch_folder folder;
    const std::string plain = folder.write("a.jsonl", jsonl);
    const std::string packed = folder.write("b.jsonl.gz", gzip(jsonl, 9));
    EXPECT_EQ(fingerprint_files({plain}).value(), fingerprint_files({packed}).value());
    EXPECT_NE(corpus::fingerprint_files_by(1, {plain}, {}).value(),
              corpus::fingerprint_files_by(1, {packed}, {}).value());
    EXPECT_NE(corpus::fingerprint_files_by(1, {plain}, {}).value(), fingerprint_files({plain}).value());
}

struct same_rows {
    const char* name;
    std::string content;  // Without mark and last line end.
};

const same_rows same_rows_table[] = {{"a.txt", "one\ntwo"},
                                     {"a.txt", "one\r\ntwo"},
                                     {"a.txt", "one\n\xef\xbb\xbftwo"},
                                     {"a.jsonl", "{\"text\":\"a\"}\n{\"text\":\"b\"}"},
                                     {"a.jsonl", "{\"text\":\"a\"}\n{\"text\":\"b"},
                                     {"a.csv", "id,text\n1,a\n2,\"b\""},
                                     {"a.csv", "id,text\n1,a\n2,\"b\nc"},
                                     {"a.tsv", "id\ttext\n1\ta\n2\tb"}};

TEST(corpus_forms, a_mark_and_the_last_line_end_are_no_rows) {
    const scratch_folder folder;
    for (const auto& [name, content] : same_rows_table) {
        const std::string plain = folder.write(name, content + "\n");
        const outcome rows = read_all(plain);
        const auto base = corpus::fingerprints_of_corpus(2, {plain}, {}).value();
        EXPECT_EQ(base.rows, base.bytes) << "what runs knew before";
        EXPECT_EQ(base.bytes, fingerprint_files({plain}).value());
        for (const char* mark : {"", "\xef\xbb\xbf"}) {
            for (const char* end : {"", "\n", "\r\n", "\r"}) {
                const std::string path = folder.write(name, mark + content + end);
                const outcome read = read_all(path);
                EXPECT_EQ(read.texts, rows.texts) << content;
                EXPECT_EQ(read.defects.size(), rows.defects.size()) << content;
                const auto made = corpus::fingerprints_of_corpus(2, {path}, {}).value();
                EXPECT_EQ(made.rows, base.rows) << content;
                EXPECT_EQ(made.bytes, fingerprint_files({path}).value());
                EXPECT_EQ(made.bytes == base.bytes, std::string(mark) + end == "\n");
                const std::string packed = folder.write("p." + std::string(name), gzip(mark + content + end));
                EXPECT_EQ(corpus::fingerprints_of_corpus(2, {packed}, {}).value().rows, base.rows);
            }
        }
    }
}

TEST(corpus_forms, what_makes_other_rows_has_another_fingerprint) {
    const scratch_folder folder;
    const std::string mark = "\xef\xbb\xbf";
    const std::vector<std::string> contents = {"",
                                               "\n",
                                               "one",
                                               "one\n\n",
                                               "one\n\n\n",
                                               "\none",
                                               "one ",
                                               "one\r\r\n",
                                               mark + mark,
                                               mark + "\n\n",
                                               "\n\r\r",
                                               "\r\r\n",
                                               mark + mark + "one",
                                               mark + mark + mark + "one"};
    std::set<std::string> seen;
    for (const std::string& content : contents) {
        const std::string path = folder.write("a.txt", content);
        const auto made = corpus::fingerprints_of_corpus(2, {path}, {}).value();
        seen.insert(made.rows);
        // What the rows are known by is never what bytes with other rows are known by.
        for (const std::string& other : contents) {
            const auto their = corpus::fingerprints_of_corpus(2, {folder.write("b.txt", other)}, {}).value();
            EXPECT_EQ(made.has(their.bytes) || made.has(their.rows), content == other) << content << '|' << other;
        }
    }
    EXPECT_EQ(seen.size(), contents.size());
    const std::string one = folder.write("a.txt", "one");
    const std::string two = folder.write("b.txt", "two");
    const std::string ended = folder.write("c.txt", "one\n");
    EXPECT_EQ(corpus::fingerprints_of_corpus(2, {one, two}, {}).value().rows,
              corpus::fingerprints_of_corpus(2, {ended, two}, {}).value().rows);
    const auto first = corpus::fingerprints_of_corpus(1, {one}, {}).value();
    EXPECT_EQ(first.rows, first.bytes);
    EXPECT_EQ(first.bytes, corpus::fingerprint_files_by(1, {one}, {}).value());
}

}  // namespace
}  // namespace vembed
