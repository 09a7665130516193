#include "sse/event_reader.hpp"

#include <gtest/gtest.h>

#include "support/vectors.hpp"

namespace vembed::sse {
namespace {

using testing_support::read_json;
using testing_support::vector_path;

// What one reader made of a stream that came in pieces.
struct reading {
    std::vector<event> events;
    std::uint64_t comments = 0;
    std::optional<std::int64_t> retry_ms;
    std::string id;
    std::string failure;

    friend bool operator==(const reading&, const reading&) = default;
};

reading read(const std::vector<std::string_view>& pieces, limits most = {}) {
    event_reader reader(most);
    reading made;
    for (const std::string_view piece : pieces) {
        if (const auto fed = reader.feed(piece, made.events); !fed) {
            EXPECT_EQ(fed.error().kind, errc::response_too_large);
            made.failure = fed.error().message;
        }
    }
    made.comments = reader.comments();
    made.id = reader.last_event_id();
    if (reader.retry()) {
        made.retry_ms = reader.retry()->count();
    }
    return made;
}

// The whole stream, once every way of feeding it was seen to give the same.
reading read_every_way(std::string_view stream, limits most = {}) {
    const reading whole = read({stream}, most);
    std::vector<std::string_view> bytes;
    for (std::size_t i = 0; i < stream.size(); ++i) {
        bytes.push_back(stream.substr(i, 1));
        EXPECT_EQ(read({stream.substr(0, i), stream.substr(i)}, most), whole) << "split at " << i;
    }
    EXPECT_EQ(read(bytes, most), whole) << "byte by byte";
    return whole;
}

std::vector<event> events_of(std::string_view stream) {
    return read_every_way(stream).events;
}

TEST(event_reader, agrees_with_the_shared_cases) {
    VEMBED_NEEDS_VECTORS("sse/wpt_eventsource.json");
    std::size_t cases = 0;
    const auto document = read_json(vector_path("sse/wpt_eventsource.json"));
    for (const auto& c : document.at("cases").as_array()) {
        const std::string input(c.at("input").as_string());
        const reading made = read_every_way(input);
        std::vector<event> wanted;
        for (const auto& e : c.at("events").as_array()) {
            wanted.emplace_back(std::string(e.at(0).as_string()), std::string(e.at(1).as_string()),
                                std::string(e.at(2).as_string()));
        }
        EXPECT_EQ(made.events, wanted) << c.at("src").as_string();
        if (const auto* retry = c.as_object().if_contains("retry_ms")) {
            EXPECT_EQ(made.retry_ms, retry->as_int64()) << c.at("src").as_string();
        }
        EXPECT_EQ(made.failure, "");
        ++cases;
    }
    EXPECT_GE(cases, 18U);
}

struct stream_case {
    std::string_view stream;
    std::vector<event> events;
};

TEST(event_reader, table) {
    const std::vector<stream_case> cases{
        {"", {}},
        {"data:a\n", {}},
        {"data:a", {}},
        {"\n\n\r\r\n", {}},
        {"event: cancelled\n\ndata:a\n\n", {{"message", "a", ""}}},
        {"event:x\nevent:y\ndata:a\n\n", {{"y", "a", ""}}},
        {"data:a\r\n\r\ndata:b\r\rdata:c\n\n", {{"message", "a", ""}, {"message", "b", ""}, {"message", "c", ""}}},
        {"data:a\r\n\ndata:b\n\r\n", {{"message", "a", ""}, {"message", "b", ""}}},
        {"data: a\xe2\x80\xa8"
         "b\xc2\x85"
         "c\x0b"
         "d\n\n",
         {{"message",
           "a\xe2\x80\xa8"
           "b\xc2\x85"
           "c\x0b"
           "d",
           ""}}},
        {"id:1\n\ndata:a\n\n", {{"message", "a", "1"}}},
        {"id:1\ndata:a\n\nid:2\ndata:b", {{"message", "a", "1"}}},
        {"DATA:a\ndata :a\ndata:b\n\n", {{"message", "b", ""}}},
        {"data:gr\xc3\xbc\xc3\x9f\n\n", {{"message", "gr\xc3\xbc\xc3\x9f", ""}}},
        {"data:\xff\xc3\n\n", {{"message", "\xef\xbf\xbd\xef\xbf\xbd", ""}}},
        {"data:\xf0\x9f\x98|\xe0\x80\n\n", {{"message", "\xef\xbf\xbd|\xef\xbf\xbd\xef\xbf\xbd", ""}}},
        {"event:\xff\nid:\xfe\ndata:a\n\n", {{"\xef\xbf\xbd", "a", "\xef\xbf\xbd"}}},
    };
    for (const stream_case& c : cases) {
        EXPECT_EQ(events_of(c.stream), c.events) << ::testing::PrintToString(c.stream);
    }
}

TEST(event_reader, comments_are_counted) {
    EXPECT_EQ(read_every_way(":\n: ping\r\n:x\rdata:a\n\n:").comments, 3u);
    EXPECT_EQ(read_every_way("data::\n\n").comments, 0u);
}

TEST(event_reader, retry_is_digits_and_bounded) {
    const auto retry = [](std::string_view value) {
        return read_every_way("retry:" + std::string(value) + "\n").retry_ms;
    };
    EXPECT_EQ(retry("0"), 0);
    EXPECT_EQ(retry(" 1500"), 1500);
    EXPECT_EQ(retry("99999999999999999999999999"), retry_max.count());
    for (const std::string_view wrong : {"", "-1", "+1", "1.5", "1 ", "  1", "0x1", "\xd9\xa1"}) {
        EXPECT_EQ(retry(wrong), std::nullopt) << wrong;
    }
}

TEST(event_reader, limits_are_errors_after_the_events_before_them) {
    limits small;
    small.line_bytes_max = 10;
    small.event_bytes_max = 20;
    for (const std::string_view fits :
         {"data:12345\n\n", ":123456789\ndata:a\n\n", "data:1234\ndata:1234\ndata:1234\n\n"}) {
        const reading made = read_every_way(fits, small);
        EXPECT_EQ(made.failure, "");
        EXPECT_EQ(made.events.size(), 1u);
    }
    for (const std::string_view over : {"data:a\n\ndata:123456\n\n", "data:a\n\n:1234567890\n", "data:a\n\n12345678901",
                                        "data:a\n\ndata:12345\ndata:12345\ndata:12345\ndata:12345\n\n",
                                        "data:a\n\ndata:\xff\xff\xff\xff\xff\ndata:\xff\xff\n\n"}) {
        const reading made = read_every_way(over, small);
        EXPECT_NE(made.failure, "") << over;
        EXPECT_EQ(made.events, (std::vector<event>{{"message", "a", ""}})) << over;
    }
    EXPECT_EQ(read_every_way(std::string(1 << 10, 'x')).failure, "");
    EXPECT_NE(read({std::string((1 << 20) + 1, 'x')}).failure, "");
    EXPECT_EQ(read({std::string(1 << 20, 'x')}).failure, "");
}

TEST(event_reader, a_restart_keeps_the_id_and_the_retry_time) {
    limits small;
    small.line_bytes_max = 20;
    event_reader reader(small);
    std::vector<event> events;
    ASSERT_TRUE(reader.feed("retry:7\nid:1\ndata:a\n\nid:2\nevent:x\ndata:b\r", events));
    reader.restart();
    ASSERT_TRUE(
        reader.feed("\n\xef\xbb\xbf"
                    "data:c\n\ndata:d\n\n",
                    events))
        << "no CR of the stream before it";
    EXPECT_EQ(events, (std::vector<event>{{"message", "a", "1"}, {"message", "d", "1"}}));
    EXPECT_EQ(reader.retry(), std::chrono::milliseconds(7));
    EXPECT_FALSE(reader.feed(std::string(21, 'x'), events));
    EXPECT_FALSE(reader.feed("\n", events)) << "an error stays";
    reader.restart();
    EXPECT_TRUE(reader.feed("data:e\n\n", events));
    EXPECT_EQ(events.back(), event("message", "e", "1"));
}

}  // namespace
}  // namespace vembed::sse
